"""Periods: half-open ranges of days. Python and SQL say the same thing, and a property test holds them together."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from sqlglot import exp

from metrics_catalog.engine.tree import typed
from metrics_catalog.spec.base import Grain

WeekStart = Literal["monday", "sunday"]
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
    """How days fall into periods."""

    week_start: WeekStart = "monday"

    def start(self, grain: Grain, day: date) -> date:
        """First day of the period of ``grain`` that ``day`` is in."""
        if grain == "day":
            return day
        if grain == "week":
            return day - timedelta(days=(day.weekday() + (self.week_start == "sunday")) % 7)
        months = _MONTHS[grain]
        return date(day.year, (day.month - 1) // months * months + 1, 1)

    def next(self, grain: Grain, start: date) -> date:
        """First day of the period after the one that begins at ``start``."""
        if grain in ("day", "week"):
            return start + timedelta(days=1 if grain == "day" else 7)
        month = start.month - 1 + _MONTHS[grain]
        return date(start.year + month // 12, month % 12 + 1, 1)

    def span(self, grain: Grain, day: date) -> Span:
        """The period of ``grain`` that ``day`` is in."""
        start = self.start(grain, day)
        return Span(start, self.next(grain, start))

    def spans(self, grain: Grain, start: date, end: date) -> Iterator[Span]:
        """Every period that has a day in [start, end)."""
        first = self.start(grain, start)
        while first < end:
            span = Span(first, self.next(grain, first))
            yield span
            first = span.end

    def back(self, grain: Grain, start: date, count: int, unit: Grain) -> date:
        """First day of the period of ``grain`` that is ``count`` units before the one that begins at ``start``.

        A day that the earlier month has not is its last day (29 February, a year before, is 28 February). Weeks go back
        in whole weeks: 4 for a month, 13 for a quarter, 52 for a year, so that weekdays compare with weekdays.
        """
        if unit in ("day", "week"):
            return start - timedelta(days=count * (7 if unit == "week" else 1))
        if grain == "week":
            return start - timedelta(weeks=count * _WEEKS[unit])
        return months_before(start, count * _MONTHS[unit])

    def start_sql(self, grain: Grain, day: exp.Expr) -> exp.Expr:
        """SQL of `start` for a date expression."""
        if grain == "day":
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
