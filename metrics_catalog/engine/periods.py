"""Periods: half-open ranges of days. Python and SQL say the same thing, and a property test holds them together."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from sqlglot import exp

from metrics_catalog.engine.stretches import stretches_sql
from metrics_catalog.engine.tree import typed
from metrics_catalog.own_grains import EVER, OwnGrain
from metrics_catalog.spec.base import GRAINS, HOUR, Grain
from metrics_catalog.spec.time import Offset

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog

WeekStart = Literal["monday", "sunday"]
_DAYS = (HOUR, "day")
_MONTHS: dict[Grain, int] = {"month": 1, "quarter": 3, "year": 12}
_WEEKS: dict[Grain, int] = {"month": 4, "quarter": 13, "year": 52}


@dataclass(frozen=True, order=True)
class Span:
    """Days from ``start`` up to, and without, ``end``."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


@dataclass(frozen=True)
class Calendar:
    """How days fall into periods; into those of ``own`` grains as the time spine says. Of hours it says the days.

    A period that the spine does not say raises `OutsideSpine`; one before its first begins at `EVER`.
    """

    week_start: WeekStart = "monday"
    own: Mapping[str, OwnGrain] = field(default_factory=dict, hash=False)
    timezone: str = "UTC"
    _units: dict[tuple[Grain, Grain], OwnGrain | None] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, catalog: Catalog) -> Calendar:
        """The company's."""
        policy, semantics = catalog.policy, catalog.semantics
        return catalog.once(cls, lambda: cls(policy.week_start, semantics.own_grains, semantics.timezone))

    @property
    def grains(self) -> tuple[Grain, ...]:
        """All there are."""
        return (*GRAINS, *self.own)

    def start(self, grain: Grain, day: date) -> date:
        """First day of the period of ``grain`` that ``day`` is in."""
        if grain in self.own:
            return self.own[grain].start(day)
        if grain in _DAYS:
            return day
        if grain == "week":
            return day - timedelta(days=(day.weekday() + (self.week_start == "sunday")) % 7)
        months = _MONTHS[grain]
        return date(day.year, (day.month - 1) // months * months + 1, 1)

    def next(self, grain: Grain, start: date) -> date:
        """First day of the period after the one that begins at ``start``."""
        if grain in self.own:
            return self.own[grain].next(start)
        if grain in (*_DAYS, "week"):
            return start + timedelta(days=7 if grain == "week" else 1)
        month = start.month - 1 + _MONTHS[grain]
        return date(start.year + month // 12, month % 12 + 1, 1)

    def span(self, grain: Grain, day: date) -> Span:
        """The period of ``grain`` that ``day`` is in."""
        start = self.start(grain, day)
        return Span(start, self.next(grain, start))

    def spans(self, grain: Grain, start: date, end: date) -> Iterator[Span]:
        """Every period that has a day in [start, end); of own grains the known ones."""
        first = self.start(grain, start)
        if grain in self.own:
            self.own[grain].must_reach(end)
            first = self.own[grain].next(EVER) if first == EVER else first
        while first < end:
            span = Span(first, self.next(grain, first))
            yield span
            first = span.end

    def back(self, grain: Grain, start: date, count: int, unit: Grain) -> date:
        """First day of the period of ``grain`` that is ``count`` units before the one that begins at ``start``.

        A day that the earlier month has not is its last day (29 February, a year before, is 28 February). Weeks go back
        in whole weeks: 4 for a month, 13 for a quarter, 52 for a year, so that weekdays compare with weekdays.

        In own units it is the period with the same number in the earlier one, or its last; a year of an own grain is
        the own grain of years it fits into. `EVER` when the spine knows no such period.
        """
        if grain in self.own or unit in self.own:
            longer = self.unit(grain, unit)
            return EVER if longer is None or start == EVER else self._same_place(grain, start, longer, count)
        if unit in ("day", "week"):
            return start - timedelta(days=count * (7 if unit == "week" else 1))
        if grain == "week":
            return start - timedelta(weeks=count * _WEEKS[unit])
        return months_before(start, count * _MONTHS[unit])

    def sees(self, grain: Grain, offset: Offset) -> bool:
        """Whether a period of ``grain`` has one that is ``offset`` before it."""
        unit = offset.start_of or offset.grain
        if unit is None or not (grain in self.own or unit in self.own):
            return offset.sees(grain)
        longer = self.unit(grain, unit)
        return longer is not None and not (offset.start_of and longer.name == grain)

    def unit(self, grain: Grain, unit: Grain) -> OwnGrain | None:
        """The own grain that is meant by a ``unit`` beside ``grain``: its periods are made of periods of that.

        None where both are usual ones, and where there is no such grain.
        """
        if not {grain, unit} & set(self.own):
            return None
        key = grain, unit
        if key not in self._units:
            alike = (one for one in self.own.values() if one.like == unit and self._fits(grain, one))
            if unit in self.own:
                self._units[key] = self.own[unit] if unit == grain or self._fits(grain, self.own[unit]) else None
            else:
                self._units[key] = self.own[grain] if self.like(grain) == unit else next(alike, None)
        return self._units[key]

    def like(self, grain: Grain) -> Grain:
        """The usual grain whose periods are about as long."""
        return self.own[grain].like if grain in self.own else grain

    def from_grain(self, grain: Grain) -> list[Grain]:
        """A grain, then those whose periods are made of its periods, the usual ones first."""
        usual = list(GRAINS[GRAINS.index(grain) :]) if grain in GRAINS else [grain]
        return [*usual, *(name for name in self.own if name != grain and self.unit(grain, name) is not None)]

    def reaches(self, grain: Grain, day: date) -> bool:
        """Whether it says in which period ``day`` is."""
        return grain not in self.own or self.own[grain].reaches(day)

    def knows(self, grain: Grain, day: date) -> bool:
        """Whether both ends of the period that ``day`` is in are known."""
        return grain not in self.own or self.own[grain].knows(day)

    def _fits(self, grain: Grain, longer: OwnGrain) -> bool:
        """Whether every period of ``longer`` begins with one of ``grain``, as far as both are known."""
        inner = self.own.get(grain)
        starts = longer.starts if inner is None else [day for day in longer.starts if inner.knows(day)]
        return bool(starts) and all(self.start(grain, day) == day for day in starts)

    def _same_place(self, grain: Grain, start: date, longer: OwnGrain, count: int) -> date:
        begin = longer.start(start)
        other = EVER if begin == EVER else longer.back(begin, count)
        if other == EVER or longer.name == grain:
            return other
        found, end = self.start(grain, other), longer.next(other)
        for _ in self.spans(grain, begin, start) if found != EVER else ():
            after = self.next(grain, found)
            if after >= end:
                break
            found = after
        return found

    def start_sql(self, grain: Grain, day: exp.Expr) -> exp.Expr:
        """SQL of `start` for a date expression; null before the first period that the spine knows."""
        if grain in self.own:
            return stretches_sql(self.own[grain].starts, day)
        if grain in _DAYS:
            return day.copy()
        if grain == "week" and self.week_start == "sunday":
            later = exp.DateAdd(this=day.copy(), expression=exp.Literal.number(1), unit=exp.var("day"))
            monday = _truncated("week", typed(later, "date"))
            return typed(exp.DateSub(this=monday, expression=exp.Literal.number(1), unit=exp.var("day")), "date")
        return _truncated(grain, day.copy())


def months_before(day: date, count: int) -> date:
    """The same day of an earlier month, or its last day."""
    month = day.year * 12 + day.month - 1 - count
    year, month = divmod(month, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same days as the fewest spans, in order."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return tuple(result)


def _truncated(grain: Grain, day: exp.Expr) -> exp.Expr:
    return typed(exp.DateTrunc(unit=exp.Literal.string(grain), this=day), "date")
