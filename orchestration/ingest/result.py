"""What a load says: its result, a row that could not be read, and the two ways to fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

# Enough to see the pattern; a full list of a wholly wrong file helps nobody.
SHOWN = 10


class SourceError(Exception):
    """The delivered data or the declaration is at fault; the message says where. Nothing was changed."""


class SourceUnavailable(Exception):
    """A source system cannot be reached or failed half-way; the message names it. Nothing was changed."""


@dataclass(frozen=True)
class Reject:
    """A value (or, without ``column``, a row) that could not be read.

    ``line`` is the line of a text file, the row of a sheet, the number of a record elsewhere; None when unknown.
    """

    file: str
    line: int | None
    column: str | None
    reason: str
    raw: str | None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place} {self.column}: {self.reason}" if self.column else f"{place} {self.reason}"


@dataclass(frozen=True)
class LoadResult:
    """What a load did. ``days`` are the business days it touched, None when any may have changed.

    ``duplicates`` maps a file that was not loaded to the file whose content it repeats.
    """

    source: str
    load_id: int | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rows_deleted: int = 0
    files_loaded: tuple[str, ...] = ()
    files_removed: tuple[str, ...] = ()
    duplicates: dict[str, str] = field(default_factory=dict)
    days: frozenset[date] | None = frozenset()
    new_columns: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything downstream may differ."""
        return self.load_id is not None


def refuse(source: str, shown: Sequence[Reject], bad: int, rows: int, allowed: float) -> SourceError:
    """The error of a load in which ``bad`` of ``rows`` rows are more than the source allows."""
    lines = [
        f"{source}: {bad} of {rows} rows cannot be read, more than max_rejects: {allowed:g}; nothing was changed",
        *(f"  {reject}" for reject in shown),
    ]
    if bad > len(shown):
        lines.append("  ...")
    return SourceError("\n".join(lines))
