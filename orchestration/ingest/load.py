"""Load one source: the door of this room. Everything a load does is one transaction."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.ingest.landed import load_landed
from orchestration.ingest.queried import load_queried
from orchestration.ingest.result import LoadResult, SourceError
from orchestration.ingest.run import Progress, Run, Secrets, blamed
from orchestration.ingest.spec import AnySource, ExcelSource, FilesSource

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def _silent(_step: str) -> None:
    return


def load(
    spec: AnySource,
    con: DuckDBPyConnection,
    landing: Path,
    secrets: Secrets,
    only: tuple[date, date] | None = None,
    progress: Progress = _silent,
) -> LoadResult:
    """Bring `source.<name>` up to date.

    ``only`` (first and last day) reloads just the daily files of those days, changed or not. ``progress`` hears the
    name of each step inside the transaction. Raises `SourceError` for data or declaration at fault and
    `SourceUnavailable` for a system that is down; both leave the warehouse as it was.
    """
    run = Run(con, landing, secrets, progress)
    with blamed(spec.name):
        if isinstance(spec, FilesSource | ExcelSource):
            return load_landed(spec, run, only)
        if only is not None:
            raise SourceError(f"{spec.name}: has no daily files to reload; only files with partition: have")
        return load_queried(spec, run)
