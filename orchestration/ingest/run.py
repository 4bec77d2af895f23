"""What one load has at hand, and the judgement of its unreadable rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.ingest.result import SHOWN, Reject, SourceError, SourceUnavailable, refuse
from orchestration.ingest.spec import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Secrets = Callable[[str], str]
Progress = Callable[[str], None]
Placing = Callable[[int | None], Sequence[Reject]]


@dataclass(frozen=True)
class Run:
    """Connection, landing folder, secrets and listener of a load."""

    con: DuckDBPyConnection
    landing: Path
    secrets: Secrets
    progress: Progress


def judge(spec: Source, rows: int, bad: int, place: Placing) -> list[Reject]:
    """All rejects of a load, or `SourceError` when more than ``max_rejects`` of its ``rows`` are bad.

    ``place`` finds at most that many of them: of a wholly wrong file, only enough to show.
    """
    if not bad:
        return []
    if bad > spec.max_rejects * rows:
        raise refuse(spec.name, place(SHOWN), bad, rows, spec.max_rejects)
    return list(place(None))


@contextmanager
def blamed(source: str) -> Iterator[None]:
    """Say whose an unforeseen failure is: unreadable data (`SourceError`), or disk and files (`SourceUnavailable`)."""
    import duckdb

    try:
        yield
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        raise SourceError(f"{source}: {str(error).splitlines()[0]}") from None
    except duckdb.IOException as error:
        raise SourceUnavailable(f"{source}: {str(error).splitlines()[0]}") from None
    except OSError as error:
        raise SourceUnavailable(f"{source}: {error.filename or 'the disk'}: {error.strerror or error}") from None
