"""Published values as reports read them: each slice once, however many copies are made from it. No words here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.published.snapshot import Snapshot
from metrics_catalog.spec.base import Grain

Members = tuple[tuple[str, str | None], ...]  # (dimension, member); the total: ()


@dataclass(frozen=True)
class Cell:
    """One published value in the metric's unit, and what it is divided from, where it is."""

    value: float | None
    numerator: float | None = None
    denominator: float | None = None


Series = Mapping[date, Cell]
Values = dict[tuple[str | None, ...], dict[date, Cell]]  # by members, in the slice's order


class Numbers:
    """Values of one publish whose periods begin in ``[start, end)``."""

    def __init__(self, snapshot: Snapshot, catalog: Catalog, start: date, end: date) -> None:
        self.snapshot, self.catalog = snapshot, catalog
        self.calendar = Calendar.of(catalog)
        self._start, self._end = start, end
        self._read: dict[tuple[str, Grain, tuple[str, ...], tuple[date, date]], Values] = {}

    def series(self, metric: str, grain: Grain, members: Members = ()) -> Series:
        """Every value of one slice by period; none where it is not published so."""
        cut = self._cut(metric, {dimension for dimension, _ in members})
        if cut is None:
            return {}
        given = dict(members)
        return self._values(metric, grain, cut).get(tuple(given[name] for name in cut), {})

    def value(self, metric: str, grain: Grain, period: date, members: Members = ()) -> Cell | None:
        """One value; None: no data."""
        return self.series(metric, grain, members).get(period)

    def split(
        self, metric: str, grain: Grain, by: str, periods: Sequence[date], members: Members = ()
    ) -> dict[str | None, tuple[Cell | None, ...]]:
        """By the members of one dimension, within a slice: their values in the periods asked for."""
        cut = self._cut(metric, {by, *(dimension for dimension, _ in members)})
        found: dict[str | None, tuple[Cell | None, ...]] = {}
        if cut is None:
            return found
        inside = [(cut.index(dimension), member) for dimension, member in members if dimension != by]
        at = cut.index(by)
        span = (min(periods), max(periods) + timedelta(days=1))
        for key, series in self._values(metric, grain, cut, span).items():
            if all(key[place] == member for place, member in inside):
                cells = tuple(series.get(period) for period in periods)
                if any(cell is not None and cell.value is not None for cell in cells):
                    found[key[at]] = cells
        return found

    def members(self, dimension: str, metrics: Iterable[str], grain: Grain, period: date) -> list[str]:
        """Members of a dimension that have a value of any of the metrics in a period."""
        found: set[str] = set()
        for metric in metrics:
            cut = self._cut(metric, {dimension})
            if cut is not None:
                values = self._values(metric, grain, cut)
                found |= {key[0] for key, series in values.items() if key[0] is not None and period in series}
        return sorted(found)

    def _cut(self, metric: str, dimensions: set[str]) -> tuple[str, ...] | None:
        if not dimensions:
            return ()
        return next((cut for cut in self.catalog.metrics[metric].spec.slices if set(cut) == dimensions), None)

    def _values(self, metric: str, grain: Grain, cut: tuple[str, ...], span: tuple[date, date] | None = None) -> Values:
        key = (metric, grain, cut, span or (self._start, self._end))
        if key not in self._read:
            self._read[key] = _by_members(self.snapshot.values([metric], grain, cut, (), *key[3]), cut)
        return self._read[key]


def _by_members(table: pa.Table, cut: Sequence[str]) -> Values:
    numbers = [table[name].cast(pa.float64()).to_pylist() for name in ("value", "numerator", "denominator")]
    keys = zip(*(table[name].to_pylist() for name in cut), strict=True) if cut else iter([()] * table.num_rows)
    found: Values = {}
    for key, period, *cell in zip(keys, table["period"].to_pylist(), *numbers, strict=True):
        found.setdefault(key, {})[period] = Cell(*cell)
    return found
