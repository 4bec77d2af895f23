"""Published values of all watched series of a grain as one dense panel. Reads only what is published."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from metrics_catalog.engine.periods import Calendar
from metrics_catalog.monitoring.finding import Series
from metrics_catalog.monitoring.watched import Terms
from metrics_catalog.own_grains import EVER, like
from metrics_catalog.published import arrow
from metrics_catalog.spec.base import GRAINS, Grain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metrics_catalog.published.snapshot import Snapshot

EPOCH = date(1970, 1, 1)
compute: Any = pc  # its functions are generated, unknown to type checkers


@dataclass(frozen=True)
class Rows:
    """The rows of a panel from ``first`` on: one slice of one metric, a row for each of its ``members``."""

    terms: Terms
    cut: tuple[str, ...]
    first: int
    members: Sequence[tuple[str | None, ...]]

    @property
    def last(self) -> int:
        """The row after the last."""
        return self.first + len(self.members)

    @property
    def span(self) -> slice:
        """As an index."""
        return slice(self.first, self.last)

    @cached_property
    def places(self) -> Mapping[tuple[str | None, ...], int]:
        """The row of each of its members."""
        return {one: row for row, one in enumerate(self.members, self.first)}


@dataclass(frozen=True)
class Names:
    """Which series each row of a panel is. Made when asked for: naming 100,000 takes longer than judging them."""

    grain: Grain
    blocks: tuple[Rows, ...]

    def __getitem__(self, row: int) -> Series:
        """The series of a row."""
        block = self.block(row)
        members = block.members[row - block.first]
        return Series(block.terms.metric, self.grain, tuple(zip(block.cut, members, strict=True)))

    def block(self, row: int) -> Rows:
        """Whose row it is."""
        return self.blocks[bisect_right(self._firsts, row) - 1]

    def row(self, series: Series) -> int | None:
        """The row of a series; None: it has none."""
        block = self._by_slice.get((series.metric, series.slice)) if series.grain == self.grain else None
        return None if block is None else block.places.get(tuple(member for _, member in series.members))

    @cached_property
    def _firsts(self) -> list[int]:
        return [block.first for block in self.blocks]

    @cached_property
    def _by_slice(self) -> Mapping[tuple[str, tuple[str, ...]], Rows]:
        return {(block.terms.metric, tuple(block.cut)): block for block in self.blocks}


@dataclass(frozen=True)
class Panel:
    """Series × periods of one grain; NaN is no data.

    ``starts``: first day of each period, without gaps, oldest first. ``values``: float64. ``blocks``: whose rows,
    in order.
    """

    grain: Grain
    starts: tuple[date, ...]
    values: NDArray[np.float64]
    blocks: tuple[Rows, ...]

    @property
    def count(self) -> int:
        """How many series."""
        return len(self.values)

    @cached_property
    def names(self) -> Names:
        """Which series its rows are."""
        return Names(self.grain, self.blocks)

    @cached_property
    def days(self) -> NDArray[np.int64]:
        """``starts`` as days since 1970."""
        return np.array([(start - EPOCH).days for start in self.starts], dtype=np.int64)

    @property
    def like(self) -> Grain:
        """The usual grain whose periods are about as long."""
        return self.grain if self.grain in GRAINS else like(self.starts)

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """Running numbers of the periods, the same in every panel of a usual grain."""
        if self.grain not in GRAINS:
            return np.arange(len(self.starts), dtype=np.int64)
        if self.grain in ("day", "week"):
            return self.days // (1 if self.grain == "day" else 7)
        months = np.array([start.year * 12 + start.month - 1 for start in self.starts], dtype=np.int64)
        return months // {"month": 1, "quarter": 3, "year": 12}[self.grain]


def starts_until(calendar: Calendar, grain: Grain, last: date, count: int) -> tuple[date, ...]:
    """``count`` periods of a grain up to the one that begins at ``last``; as many of an own grain as are known."""
    found = [last]
    while len(found) < count:
        start = calendar.start(grain, found[-1] - timedelta(days=1))
        if start == EVER:
            break
        found.append(start)
    return tuple(reversed(found))


def read_panel(snapshot: Snapshot, watched: Iterable[Terms], grain: Grain, starts: tuple[date, ...]) -> Panel:
    """Everything that is watched at a grain, over the given periods. A slice nothing was published for has no rows."""
    days = np.array([(start - EPOCH).days for start in starts], dtype=np.int64)
    blocks: list[Rows] = []
    parts: list[NDArray[np.float64]] = []
    first = 0
    for terms in watched if starts else ():
        for cut in terms.cuts(grain):
            table = snapshot.values([terms.metric], grain, cut, (), starts[0], starts[-1] + timedelta(days=1))
            if table.num_rows == 0:
                continue
            members, values = dense(table, cut, days)
            parts.append(values)
            blocks.append(Rows(terms, cut, first, members))
            first += len(members)
    values = np.concatenate(parts) if parts else np.empty((0, len(starts)))
    return Panel(grain, starts, values, tuple(blocks))


def dense(
    table: pa.Table, cut: Sequence[str], days: NDArray[np.int64], column: str = "value"
) -> tuple[list[tuple[str | None, ...]], NDArray[np.float64]]:
    """Members of each series, and its values by period (``days`` since 1970). Rows come ordered by members, period."""
    members = [table[name].combine_chunks() for name in cut]
    begins = np.zeros(table.num_rows, dtype=bool)
    begins[0] = True
    for one in members:
        begins[1:] |= _changes(one)
    firsts = np.flatnonzero(begins)
    rows = np.cumsum(begins) - 1
    places = np.searchsorted(days, np.arange(days[0], days[-1] + 1))  # of each day: quicker than of each row
    at = places[arrow.array(table["period"], pa.int32()) - days[0]]
    values = np.full((len(firsts), len(days)), np.nan)
    values.reshape(-1)[rows * len(days) + at] = arrow.array(table[column], pa.float64())
    heads = [one.take(arrow.numbers(firsts)).to_pylist() for one in members]
    return list(zip(*heads, strict=True)) if heads else [()], values


def _changes(column: pa.Array) -> NDArray[np.bool_]:
    """Where a value is another than the one before it; null is one too."""
    before, after = column.slice(0, len(column) - 1), column.slice(1)
    differs = compute.not_equal(before, after)  # null where one of them is
    lacks = compute.xor(compute.is_null(before), compute.is_null(after))
    return arrow.array(compute.coalesce(differs, lacks), pa.uint8()).view(bool)
