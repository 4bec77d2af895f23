"""One immutable data file of values, read a few row groups at a time. Metadata is parsed once and kept.

Rows lie ordered by metric, slice, members, period (`commits`), so one metric is a run of row groups found by bisection,
and the statistics of those few tell which hold the slice, members and periods asked for. Measured against DuckDB on the
same files: 1.5 ms instead of 8 to 40 ms, because DuckDB visits every row group's statistics on every query.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from metrics_catalog.engine.query import Filter
from metrics_catalog.published import arrow
from metrics_catalog.published.kept import Kept
from metrics_catalog.published.places import type_of

FEW = 8  # row groups up to which decoding is worth keeping and not worth sharing among threads
GROUPS_AT_ONCE = 64  # row groups decoded before filtering: about 260k rows, 50 MB


@dataclass(frozen=True)
class Selection:
    """Rows of one slice: members kept by ``filters``, periods in ``[start, end)``."""

    slice: str
    filters: tuple[Filter, ...]
    start: date
    end: date

    @cached_property
    def bounds(self) -> tuple[pa.Scalar, pa.Scalar]:
        """``start`` and ``end`` for Arrow."""
        return arrow.day(self.start), arrow.day(self.end)

    @cached_property
    def sought(self) -> dict[str, list[str]]:
        """Members that filters ask for by name, per dimension."""
        asked = [part for part in self.filters if part.op in ("=", "in") and None not in part.values]
        return {part.dimension: sorted(value for value in part.values if value is not None) for part in asked}


class Leaf:
    """A data file and the index of its row groups."""

    def __init__(self, path: Path, blocks: Kept[pa.Table]) -> None:
        self.path = path
        self._blocks = blocks
        self._spans: dict[tuple[int, str], tuple[Any, Any]] = {}
        self._known: dict[tuple[int, str], pa.Scalar | None] = {}

    def rows(self, metric: str, wanted: Selection, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The ``columns`` of the metric's rows that meet ``wanted``, in file order."""
        if not self._column.keys() >= set(columns):
            return  # older than a dimension: no row is sliced by it
        run = self._of_metric(metric)
        groups = [at for at in run if self._may_hold(at, wanted) and self._in_order(at, run, metric, wanted)]
        for at in range(0, len(groups), GROUPS_AT_ONCE):
            table = self._read(groups[at : at + GROUPS_AT_ONCE], metric, wanted, columns)
            if table.num_rows:
                yield table

    @cached_property
    def _metadata(self) -> pq.FileMetaData:
        return pq.read_metadata(self.path)

    @cached_property
    def _column(self) -> dict[str, int]:
        names = self._metadata.schema.names
        return {name: number for number, name in enumerate(names)}

    @cached_property
    def _metrics(self) -> tuple[list[str], list[str]]:
        spans = [self._span(group, "metric") for group in range(self._metadata.num_row_groups)]
        return [low for low, _ in spans], [high for _, high in spans]

    def _of_metric(self, metric: str) -> range:
        lows, highs = self._metrics
        return range(bisect_left(highs, metric), bisect_right(lows, metric))

    def _span(self, group: int, column: str) -> tuple[Any, Any]:
        key = (group, column)
        if key not in self._spans:
            stats = self._metadata.row_group(group).column(self._column[column]).statistics
            self._spans[key] = (stats.min, stats.max) if stats is not None and stats.has_min_max else (None, None)
        return self._spans[key]

    def _only(self, groups: Sequence[int], column: str, value: str) -> bool:
        return all(self._span(group, column) == (value, value) for group in groups)

    def _within(self, groups: Sequence[int], wanted: Selection) -> bool:
        spans = [self._span(group, "period") for group in groups]
        return all(first is not None and first >= wanted.start and last < wanted.end for first, last in spans)

    def _overlaps(self, group: int, column: str, low: Any, high: Any) -> bool:
        first, last = self._span(group, column)
        return first is None or (first <= high and low <= last)

    def _may_hold(self, group: int, wanted: Selection) -> bool:
        if not self._overlaps(group, "slice", wanted.slice, wanted.slice):
            return False
        first, last = self._span(group, "period")
        if first is not None and (first >= wanted.end or last < wanted.start):
            return False
        return all(
            any(self._overlaps(group, name, value, value) for value in values) for name, values in wanted.sought.items()
        )

    def _in_order(self, group: int, run: range, metric: str, wanted: Selection) -> bool:
        """Whether members sought can lie between the groups beside this one.

        A group where a metric begins or ends holds another's rows too, so its own statistics say little.
        """
        lead = min((name for name in wanted.slice.split(",") if name), key=self._column.__getitem__, default="")
        sought = wanted.sought.get(lead)
        if not sought:
            return True
        before = self._span(group - 1, lead)[1] if self._pure(group - 1, run, metric, wanted.slice) else None
        after = self._span(group + 1, lead)[0] if self._pure(group + 1, run, metric, wanted.slice) else None
        return (before is None or sought[-1] >= before) and (after is None or sought[0] <= after)

    def _pure(self, group: int, run: range, metric: str, slice: str) -> bool:  # noqa: A002
        return group in run and self._only([group], "metric", metric) and self._only([group], "slice", slice)

    def _read(self, groups: Sequence[int], metric: str, wanted: Selection, columns: Sequence[str]) -> pa.Table:
        sought = {"metric": metric, "slice": wanted.slice}
        equal = {name: value for name, value in sought.items() if not self._only(groups, name, value)}
        tested = ["period", *(part.dimension for part in wanted.filters), *equal]
        constant = self._constants(groups, [name for name in columns if name not in tested])
        names = [name for name in dict.fromkeys([*columns, *tested]) if name not in constant]
        rows = self._decoded(tuple(groups), tuple(names))
        if equal or wanted.filters or not self._within(groups, wanted):
            rows = rows.filter(_mask(rows, wanted, equal))
        made = {name: pa.repeat(value, rows.num_rows) for name, value in constant.items()}
        return pa.Table.from_arrays([made[name] if name in made else rows[name] for name in columns], list(columns))

    def _decoded(self, groups: tuple[int, ...], names: tuple[str, ...]) -> pa.Table:
        def decode() -> pa.Table:
            file = pq.ParquetFile(self.path, metadata=self._metadata, memory_map=True)
            return file.read_row_groups(list(groups), columns=list(names), use_threads=len(groups) > FEW)

        return self._blocks.get((self.path, groups, names), decode) if len(groups) <= FEW else decode()

    def _constants(self, groups: Sequence[int], columns: Sequence[str]) -> dict[str, pa.Scalar]:
        """Columns the statistics know wholly, mostly definition, run_id and the unused of numerator, denominator."""
        firsts = {name: self._constant(groups[0], name) for name in columns}
        return {
            name: first
            for name, first in firsts.items()
            if first is not None and all(self._constant(group, name) == first for group in groups)
        }

    def _constant(self, group: int, column: str) -> pa.Scalar | None:
        key = (group, column)
        if key not in self._known:
            chunk = self._metadata.row_group(group).column(self._column[column])
            self._known[key] = _constant(chunk, type_of(column))
        return self._known[key]


def _constant(chunk: pq.ColumnChunkMetaData, kind: pa.DataType) -> pa.Scalar | None:
    stats = chunk.statistics
    if stats is None or not stats.has_null_count:
        return None
    if stats.null_count == chunk.num_values:
        return arrow.null(kind)
    whole = stats.null_count == 0 and stats.has_min_max and pa.types.is_string(kind) and stats.min == stats.max
    return arrow.text(stats.min) if whole else None


def _mask(table: pa.Table, wanted: Selection, equal: Mapping[str, str]) -> pa.ChunkedArray:
    compute: Any = pc  # its functions are generated, unknown to type checkers
    period = table["period"]
    start, end = wanted.bounds
    mask = compute.and_(compute.greater_equal(period, start), compute.less(period, end))
    for name, value in equal.items():
        mask = compute.and_(mask, compute.equal(table[name], arrow.text(value)))
    for part in wanted.filters:
        found = compute.is_in(table[part.dimension], value_set=arrow.texts(part.values))
        mask = compute.and_(mask, found if part.op in ("=", "in") else compute.invert(found))
    return mask
