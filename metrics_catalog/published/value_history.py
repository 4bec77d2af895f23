"""Every value ever published for one metric, period and member, from the log and the few files that may hold it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from metrics_catalog.engine.query import Filter
from metrics_catalog.published import table
from metrics_catalog.published.kept import Kept
from metrics_catalog.published.leaf import Leaf, Selection
from metrics_catalog.published.model import NUMBERS, PublishInfo
from metrics_catalog.published.places import VALUES, values_folder
from metrics_catalog.published.table import DataFile


@dataclass(frozen=True)
class Row:
    """What one row says: its numbers, and the fingerprint of the definition they were computed by."""

    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None
    definition: str


@dataclass(frozen=True)
class Recorded:
    """What a publish changed. ``row`` None: it removed the value. ``certified``: version of the definition, if known.

    ``version`` is the Delta version of the values table; ``note`` says why a value published before changed.
    """

    version: int
    published_at: datetime
    run_id: str
    row: Row | None
    certified: int | None
    note: str | None


def value_history(
    root: Path, metric: str, grain: str, period: date, members: Mapping[str, str | None] | None = None
) -> list[Recorded]:
    """Oldest first, one entry for each publish that set, changed or removed the value; none: never published.

    ``members``: of each dimension of the slice, in the slice's order; none for the total.
    """
    folder, members = values_folder(root), members or {}
    filters = tuple(Filter(name, "=", (value,)) for name, value in members.items())
    wanted = Selection(",".join(members), filters, period, period + timedelta(days=1))
    rows: dict[str, Row | None] = {}  # by file: one that stays is read once
    found: list[Recorded] = []
    for number, note, files in _holding(folder, metric, grain, period):
        for path in files - rows.keys():
            rows[path] = _row(folder / path, metric, wanted)
        row = next((rows[path] for path in sorted(files) if rows[path] is not None), None)
        if row != (found[-1].row if found else None):
            info = PublishInfo.from_json(note)
            certified = None if row is None else info.versions.get(metric)
            said = info.notes.get(metric)
            found.append(Recorded(number, info.published_at, info.run_id, row, certified, said))
    return found


def _holding(folder: Path, metric: str, grain: str, period: date) -> Iterator[tuple[int, str, frozenset[str]]]:
    """Publishes that changed which files may hold the value: version, what was said of it, paths of those files."""
    files: frozenset[str] = frozenset()
    for commit in table.commits(folder, VALUES):
        new = (files - commit.removed) | {file.path for file in _near(commit.added, metric, grain, period)}
        if new != files and commit.note is not None:
            yield commit.version, commit.note, new
        files = new


def _near(files: Iterable[DataFile], metric: str, grain: str, period: date) -> Iterator[DataFile]:
    for file in files:
        if file.grain == grain and file.low <= period <= file.high and file.first <= metric <= file.last:
            yield file


def _row(path: Path, metric: str, wanted: Selection) -> Row | None:
    found = [table for table in Leaf(path, Kept(1)).rows(metric, wanted, [*NUMBERS, "definition"]) if table.num_rows]
    return Row(**found[0].to_pylist()[0]) if found else None
