"""The published values as one publish left them. Immutable: the files it names never change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa

from metrics_catalog.engine.query import Filter
from metrics_catalog.published import arrow, table
from metrics_catalog.published.errors import NotPublished, UnknownDimension
from metrics_catalog.published.leaf import Leaf, Selection
from metrics_catalog.published.model import NUMBERS, PublishInfo, Version
from metrics_catalog.published.places import ROLLUP, VALUES, columns_of, rollup_folder, values_folder
from metrics_catalog.published.table import DataFile

ALWAYS = (date.min, date.max)


class Snapshot:
    """One version, to read from; safe to share between threads."""

    def __init__(self, root: Path, version: Version, leaf: Callable[[Path], Leaf]) -> None:
        self._root, self._version, self._leaf = root, version, leaf
        delta = table.opened(values_folder(root), version.number)
        self._files = [] if delta is None else table.files(delta, VALUES)

    @property
    def version(self) -> int:
        """Delta version of the values table."""
        return self._version.number

    @property
    def info(self) -> PublishInfo:
        """What the publish said of itself."""
        return self._version.info

    @property
    def files(self) -> tuple[Path, ...]:
        """The Parquet files of this version, for a query engine of your own."""
        return tuple(values_folder(self._root) / file.path for file in self._files)

    def first(self, grain: str) -> date | None:
        """The first period of a grain that anything was published for."""
        return min((file.low for file in self._files if file.grain == grain), default=None)

    def values(
        self,
        metrics: Iterable[str],
        grain: str,
        slice: Sequence[str] = (),  # noqa: A002 - the product's word
        filters: Iterable[Filter] = (),
        start: date | None = None,
        end: date | None = None,
    ) -> pa.Table:
        """Published rows with periods in ``[start, end)``, ordered by metric, members, period. No row = no data.

        Columns: metric, period, the slice's dimensions, value, numerator, denominator, definition, run_id.
        Raises `UnknownDimension` when a filter is not on a dimension of the slice.
        """
        filters = tuple(filters)
        _check(slice, filters)
        wanted = Selection(",".join(slice), filters, start or ALWAYS[0], end or ALWAYS[1])
        columns = ["period", *slice, *NUMBERS, "definition", "run_id"]
        files = [
            file for file in self._files if file.grain == grain and file.low < wanted.end and file.high >= wanted.start
        ]
        found = [self._metric(files, metric, wanted, columns) for metric in sorted(set(metrics))]
        return pa.concat_tables(filter(None, found)) if any(found) else arrow.empty(columns_of(["metric", *columns]))

    def rollup(self, model: str) -> list[Path]:
        """Parquet files of a semantic model's rollup as of this publish. Columns may be missing where all are null.

        Raises `NotPublished` when this publish has none.
        """
        number = self.info.rollups.get(model)
        delta = None if number is None else table.opened(rollup_folder(self._root, model), number)
        if delta is None:
            raise NotPublished(f'no rollup "{model}" was published by version {self.version}')
        folder = rollup_folder(self._root, model)  # delta-rs would give URIs, 连锁 as %E8%BF%9E%E9%94%81
        return sorted(folder / file.path for file in table.files(delta, ROLLUP))

    def _metric(
        self, files: Sequence[DataFile], metric: str, wanted: Selection, columns: Sequence[str]
    ) -> pa.Table | None:
        paths = [values_folder(self._root) / file.path for file in files if file.first <= metric <= file.last]
        parts = [part for path in paths for part in self._leaf(path).rows(metric, wanted, columns)]
        if not parts:
            return None
        rows = parts[0] if len(parts) == 1 else pa.concat_tables(parts)
        if len(paths) > 1:
            members = columns[1 : columns.index(NUMBERS[0])]
            rows = rows.sort_by([(name, "ascending") for name in (*members, "period")])
        return rows.add_column(0, "metric", pa.repeat(arrow.text(metric), rows.num_rows))


def _check(slice: Sequence[str], filters: Iterable[Filter]) -> None:  # noqa: A002
    for part in filters:
        if part.dimension not in slice:
            shown = ", ".join(slice) or "the total"
            raise UnknownDimension(f'cannot filter on "{part.dimension}": the slice asked for is {shown}')
