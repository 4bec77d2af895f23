"""Hours: what a day is made of, each called by when it began, in UTC. Pure; `days.hour_of` says the same in SQL.

A day on which the clocks change has 23 or 25 of them. An hour is official when its day is, so what is computed again
is whole days; which hour another looks back at is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.own_grains import EVER

if TYPE_CHECKING:
    from metrics_catalog.engine.terms import Shift

_HOUR, _QUARTER = timedelta(hours=1), timedelta(minutes=15)


def hours_of(zone: str, day: date) -> list[datetime]:
    """When each hour of a day began, in UTC (without tzinfo)."""
    start, end = (_instant(zone, datetime.combine(one, time.min)) for one in (day, day + timedelta(days=1)))
    step = _QUARTER if (end - start) % _HOUR else _HOUR  # somewhere clocks change by half an hour
    every = (_begun(zone, start + number * step) for number in range((end - start) // step))
    return list(dict.fromkeys(every))


def hour_of(zone: str, when: datetime) -> datetime:
    """When the hour of a time began, in UTC (without tzinfo); ``zone``: of a time that does not say its own."""
    return _begun(zone, _instant(zone, when) if when.tzinfo is None else when.astimezone(UTC).replace(tzinfo=None))


def local(zone: str, at: datetime) -> datetime:
    """What the clocks of ``zone`` show at a time in UTC (without tzinfo)."""
    return at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))


def looked_at(calendar: Calendar, shifts: Iterable[Shift], at: datetime) -> datetime | None:
    """The hour that ``shifts`` lead to, one after the other; None when there is no such hour.

    The previous one is the hour before; days and what is longer lead to the hour when the clocks showed the same, of
    two such hours to the one that is as early or late.
    """
    found: datetime | None = at
    for shift in shifts:
        found = None if found is None else _back(calendar, shift, found)
    return found


def days_read(calendar: Calendar, shifts: Iterable[Shift], day: date) -> Span:
    """The days of the hours that the hours of ``day`` look at; from `EVER` when the calendar knows none."""
    ways, hours = tuple(shifts), hours_of(calendar.timezone, day)
    ends = (next(filter(None, (looked_at(calendar, ways, at) for at in some)), None) for some in (hours, hours[::-1]))
    first, last = (None if one is None else local(calendar.timezone, one).date() for one in ends)
    return Span(EVER, day) if first is None or last is None else Span(first, last + timedelta(days=1))


def looks(
    calendar: Calendar, shifts: Iterable[Shift], spans: Iterable[Span]
) -> Iterator[tuple[date, datetime, datetime]]:
    """(day, hour, the hour it looks at) for every hour of the days that looks at one."""
    ways = tuple(shifts)
    for day in (one.start for span in spans for one in calendar.spans("day", span.start, span.end)):
        for at in hours_of(calendar.timezone, day):
            other = looked_at(calendar, ways, at)
            if other is not None:
                yield day, at, other


def _back(calendar: Calendar, shift: Shift, at: datetime) -> datetime | None:
    offset, zone = shift.offset, calendar.timezone
    if offset.is_previous:
        return _begun(zone, at - _QUARTER)
    shown = local(zone, at)
    day = shift.start(calendar, "day", shown.date())
    if day == EVER:
        return None
    if offset.start_of is not None:
        return hours_of(zone, day)[0]
    wall = datetime.combine(day, time(shown.hour, fold=shown.fold))
    found = _instant(zone, wall)
    return found if local(zone, found).replace(tzinfo=None) == wall else None


def _begun(zone: str, at: datetime) -> datetime:
    shown = local(zone, at)
    return at - timedelta(minutes=shown.minute, seconds=shown.second, microseconds=shown.microsecond)


def _instant(zone: str, wall: datetime) -> datetime:
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
