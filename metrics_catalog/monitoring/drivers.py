"""Which slices explain a move, and how much of it. Works from what is published; says what it could not look at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.engine.query import Filter, InvalidQuery, Query
from metrics_catalog.monitoring.contributions import Parts, adds_up, of_ratio, of_sum
from metrics_catalog.monitoring.finding import Series
from metrics_catalog.monitoring.series import EPOCH, dense
from metrics_catalog.own_grains import EVER
from metrics_catalog.published.answer import rows_of
from metrics_catalog.spec.base import Grain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metrics_catalog.published.snapshot import Snapshot

    Floats = NDArray[np.float64]

DEPTH = 3
_NOT_WHOLE = "its members do not add up to the whole"
SHOWN = 5
SAME = 0.1  # relative difference of what two nested slices explain, up to which they are the same move
SMALLEST = 0.05  # share of the move below which a slice explains nothing
# Periods that make up "before": the same weekday of four weeks, four weeks, one month, one quarter, one year.
BEFORE: Mapping[Grain, tuple[int, int]] = {
    "day": (4, 7),
    "week": (4, 1),
    "month": (1, 1),
    "quarter": (1, 1),
    "year": (1, 1),
}


@dataclass(frozen=True)
class Driver:
    """A slice that explains part of a move: 0.8 is 80 % of it; above 1 where others moved the other way.

    ``rate``, ``mix``: of a ratio, the shares of the move that its own ratio and its weight make up.
    """

    members: tuple[tuple[str, str | None], ...]
    before: float | None
    after: float | None
    explains: float
    score: float
    rate: float | None = None
    mix: float | None = None


@dataclass(frozen=True)
class Drivers:
    """What explains the move of one series in one period against the mean of ``against``, best first.

    ``checked``: slices that were looked at; ``not_checked``: those that were not, and why.
    """

    series: Series
    period: date
    against: tuple[date, ...]
    before: float | None
    after: float | None
    drivers: tuple[Driver, ...] = ()
    checked: tuple[tuple[str, ...], ...] = ()
    not_checked: Mapping[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def move(self) -> float | None:
        """How far the value moved."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True)
class Numbers:
    """Of one slicing, per member: value, and numerator and denominator where it is a ratio; before and after."""

    members: Sequence[tuple[str | None, ...]]
    value: tuple[Floats, Floats]
    numerator: tuple[Floats, Floats]
    denominator: tuple[Floats, Floats]

    @property
    def is_ratio(self) -> bool:
        """Whether numerators and denominators are published with the values."""
        return bool(len(self.members)) and not np.isnan(self.denominator[1]).all()


def explain(catalog: Catalog, snapshot: Snapshot, series: Series, period: date) -> Drivers:
    """Rank the slices of a series by how much of its move they explain.

    Slices that are published, and, of metrics that add up, combinations of dimensions from stored rollups, up to three
    dimensions. Never raises for what is not published: it is said in ``not_checked``.
    """
    calendar = Calendar.of(catalog)
    against = _before(calendar, series.grain, period)
    found = Drivers(series, period, against, None, None)
    if not against:
        return found
    try:
        whole = _numbers(catalog, snapshot, series, series.slice, period, against)
    except InvalidQuery as problem:
        return Drivers(series, period, against, None, None, not_checked={series.slice: str(problem)})
    if not len(whole.members) or np.isnan(whole.value[0][0]) or np.isnan(whole.value[1][0]):
        return found
    before, after = float(whole.value[0][0]), float(whole.value[1][0])
    if before == after:
        return Drivers(series, period, against, before, after)
    numbers: dict[tuple[str, ...], Numbers] = {}
    not_checked: dict[tuple[str, ...], str] = {}
    for cut in _cuts(catalog, series):
        if any(set(other) < set(cut) for other in not_checked):
            continue  # what is not stored by two dimensions is not by three
        try:
            numbers[cut] = _numbers(catalog, snapshot, series, cut, period, against)
        except InvalidQuery as problem:
            not_checked[cut] = str(problem).rpartition("; ")[2]
    drivers, apart = rank(numbers, whole, formulas(catalog)[series.metric].adds_up, series.slice)
    not_checked |= dict.fromkeys(apart, _NOT_WHOLE)
    checked = tuple(cut for cut in numbers if cut not in apart)
    return Drivers(series, period, against, before, after, drivers[:SHOWN], checked, not_checked)


def rank(
    numbers: Mapping[tuple[str, ...], Numbers], whole: Numbers, additive: bool, fixed: Collection[str] = ()
) -> tuple[tuple[Driver, ...], set[tuple[str, ...]]]:
    """Slices that explain the move of a whole, best first; and slicings whose members do not add up to it.

    ``fixed``: dimensions that the whole itself is a member of.
    """
    drivers: list[Driver] = []
    apart: set[tuple[str, ...]] = set()
    for cut, one in numbers.items():
        parts = _parts(additive, whole, one)
        if parts is None:
            apart.add(cut)
        else:
            drivers += _drivers(fixed, cut, one, parts)
    return tuple(_best(drivers)), apart


def _before(calendar: Calendar, grain: Grain, period: date) -> tuple[date, ...]:
    count, step = BEFORE[calendar.like(grain)]
    before = (calendar.back(grain, period, number * step, grain) for number in range(1, count + 1))
    return tuple(one for one in before if one != EVER)


def _cuts(catalog: Catalog, series: Series) -> Iterator[tuple[str, ...]]:
    """Declared slices finer than the series' own, then combinations of their dimensions; fewest dimensions first."""
    fixed = set(series.slice)
    declared = catalog.metrics[series.metric].spec.slices
    known = {frozenset(cut): cut for cut in declared}
    names = list(dict.fromkeys(name for cut in declared for name in cut if name not in fixed))
    for depth in range(1, DEPTH - len(fixed) + 1):
        for more in combinations(names, depth):
            cut = (*series.slice, *more)
            yield known.get(frozenset(cut), cut)


def _numbers(
    catalog: Catalog,
    snapshot: Snapshot,
    series: Series,
    cut: tuple[str, ...],
    period: date,
    against: tuple[date, ...],
) -> Numbers:
    """Before is the mean of the periods against which it is compared; what had no row then counts as 0."""
    where = tuple(Filter(name, "=", (member,)) for name, member in series.members)
    calendar = Calendar.of(catalog)
    start, end = min(against), calendar.next(series.grain, period)
    query = Query((series.metric,), series.grain, cut, where, start, end)
    rows = rows_of(query, series.metric, catalog, snapshot)
    days = np.array([(span.start - EPOCH).days for span in calendar.spans(series.grain, start, end)])
    if not rows.num_rows:
        none = (np.empty(0), np.empty(0))
        return Numbers([], none, none, none)
    members, values = dense(rows, cut, days)
    wanted = np.searchsorted(days, [(day - EPOCH).days for day in against])
    of = {"value": values} | {name: dense(rows, cut, days, name)[1] for name in ("numerator", "denominator")}
    return Numbers(members, *(_both(of[name], wanted) for name in ("value", "numerator", "denominator")))


def _both(values: Floats, wanted: NDArray[np.int64]) -> tuple[Floats, Floats]:
    if np.isnan(values).all():
        return values[:, -1], values[:, -1]
    known = ~np.isnan(values[:, wanted]).all(axis=0)  # periods of which anything is published
    before = np.nan_to_num(values[:, wanted])[:, known]
    mean = before.mean(axis=1) if known.any() else np.full(len(values), np.nan)
    return mean, np.nan_to_num(values[:, -1]) if not np.isnan(values[:, -1]).all() else values[:, -1]


def _parts(additive: bool, whole: Numbers, numbers: Numbers) -> Parts | None:
    """None where members do not add up."""
    if not len(numbers.members):
        return None
    if additive:
        move = whole.value[1][0] - whole.value[0][0]
        good = all(adds_up(part, float(of[0])) for part, of in zip(numbers.value, whole.value, strict=True))
        return of_sum(*numbers.value, float(move)) if good else None
    if not (numbers.is_ratio and whole.is_ratio):
        return None
    pairs = ((numbers.numerator, whole.numerator), (numbers.denominator, whole.denominator))
    if not all(adds_up(part[side], float(of[side][0])) for part, of in pairs for side in (0, 1)):
        return None
    ratios = [numbers.numerator[side].sum() / numbers.denominator[side].sum() for side in (0, 1)]
    move = ratios[1] - ratios[0]
    return of_ratio(numbers.numerator, numbers.denominator, float(move)) if move else None


def _drivers(fixed: Collection[str], cut: Sequence[str], numbers: Numbers, parts: Parts) -> Iterator[Driver]:
    total = float(parts.contribution.sum())
    for row in np.argsort(-parts.score)[: 4 * SHOWN].tolist():
        explains = float(parts.contribution[row]) / total
        if parts.score[row] <= 0 or explains < SMALLEST:
            continue
        members = tuple((name, one) for name, one in zip(cut, numbers.members[row], strict=True) if name not in fixed)
        before, after = _ends(numbers, row)
        rate, mix = (None if np.isnan(part[row]) else float(part[row]) / total for part in (parts.rate, parts.mix))
        yield Driver(members, before, after, explains, float(parts.score[row]), rate, mix)


def _ends(numbers: Numbers, row: int) -> tuple[float | None, float | None]:
    if not numbers.is_ratio:
        return float(numbers.value[0][row]), float(numbers.value[1][row])
    both = [(numbers.numerator[side][row], numbers.denominator[side][row]) for side in (0, 1)]
    before, after = (float(over / under) if under else None for over, under in both)
    return before, after


def _best(drivers: Sequence[Driver]) -> Iterator[Driver]:
    """By score; of nested slices that are the same move only the better one, in doubt the simpler."""
    kept: list[Driver] = []
    for one in sorted(drivers, key=lambda driver: (-round(driver.score, 6), len(driver.members), str(driver.members))):
        if not any(_same(one, other) for other in kept):
            kept.append(one)
            yield one


def _same(one: Driver, other: Driver) -> bool:
    mine, others = set(one.members), set(other.members)
    nested = mine > others or mine < others
    return nested and abs(one.explains - other.explains) <= SAME * max(one.explains, other.explains)
