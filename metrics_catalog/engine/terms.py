"""Terms: components at some time. A formula is arithmetic over terms of its own period, of others, or of longer spans.

Pure functions of days. A reach says over how much time around a period a component is aggregated; a shift says at which
other period it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from metrics_catalog.engine.components import Component
from metrics_catalog.engine.hours import days_read
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.own_grains import EVER
from metrics_catalog.spec.base import HOUR, Grain
from metrics_catalog.spec.time import Duration, Offset


@dataclass(frozen=True)
class Reach:
    """The ``window`` that ends with a period, or all since the beginning of ``to_date``, or, without either, all."""

    window: Duration | None = None
    to_date: Grain | None = None

    def __str__(self) -> str:
        if self.to_date is not None:
            return f"{self.to_date}_to_date"
        return "ever" if self.window is None else f"last_{self.window.count}_{self.window.grain}"

    def span(self, calendar: Calendar, period: Span) -> Span:
        """The days that count for ``period``."""
        if self.to_date is not None:
            return Span(calendar.start(self.to_date, period.end - timedelta(days=1)), period.end)
        if self.window is None:
            return Span(EVER, period.end)
        return Span(calendar.back("day", period.end, self.window.count, self.window.grain), period.end)


@dataclass(frozen=True)
class Shift:
    """A way from a period to an earlier one of the same grain."""

    offset: Offset

    def __str__(self) -> str:
        offset = self.offset
        if offset.start_of is not None:
            return f"start_of_{offset.start_of}"
        return "previous" if offset.grain is None else f"{offset.count}_{offset.grain}_before"

    def start(self, calendar: Calendar, grain: Grain, start: date) -> date:
        """First day of the other period."""
        offset = self.offset
        if offset.start_of is not None:
            own = calendar.unit(grain, offset.start_of)
            begin = calendar.start(offset.start_of if own is None else own.name, start)
            return begin if begin == EVER else calendar.start(grain, begin)
        return calendar.back(grain, start, offset.count or 1, offset.grain or grain)


@dataclass(frozen=True)
class Term:
    """A component over a reach (None: just the period), at the period that ``shifts`` lead to, one after the other."""

    component: Component
    reach: Reach | None = None
    shifts: tuple[Shift, ...] = ()

    def __hash__(self) -> int:
        """By name alone, as components are."""
        return hash(self.name)

    @cached_property
    def name(self) -> str:
        """Its column."""
        return "__".join([self.component.name, *([str(self.reach)] if self.reach else []), *map(str, self.shifts)])

    @property
    def reads_more(self) -> bool:
        """Whether it reads anything but the days of its own period."""
        return self.reach is not None or bool(self.shifts) or self.component.conversion is not None

    @property
    def units(self) -> tuple[Grain, ...]:
        """Grains that its reach and shifts are counted in."""
        reach = self.reach or Reach()
        units = [reach.to_date, None if reach.window is None else reach.window.grain]
        units += [unit for shift in self.shifts for unit in (shift.offset.start_of, shift.offset.grain)]
        return tuple(unit for unit in units if unit is not None)

    @cached_property
    def here(self) -> Term:
        """The same without shifts: what must be computed at the period they lead to."""
        return replace(self, shifts=()) if self.shifts else self

    def period(self, calendar: Calendar, grain: Grain, start: date) -> Span:
        """The period it is looked at for the one that begins at ``start``; of all hours of a day the days."""
        if grain == HOUR and self.shifts:
            return days_read(calendar, self.shifts, start)
        for shift in self.shifts:
            start = shift.start(calendar, grain, start)
        return Span(start, calendar.next(grain, start))

    def is_known(self, calendar: Calendar, grain: Grain, start: date) -> bool:
        """Whether the calendar knows the period it is looked at, and where its reach begins."""
        period = self.period(calendar, grain, start)
        if period.start == EVER or self.reach is None or self.reach == Reach():
            return period.start != EVER
        return self.reach.span(calendar, period).start != EVER

    def reads(self, calendar: Calendar, grain: Grain, start: date) -> Span:
        """The days whose rows decide its value for the period that begins at ``start``."""
        period = self.period(calendar, grain, start)
        span = period if self.reach is None else self.reach.span(calendar, period)
        conversion = self.component.conversion
        return span if conversion is None else Span(span.start, conversion.until(span.end))
