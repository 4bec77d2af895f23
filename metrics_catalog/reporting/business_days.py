"""Days of a period on which there was no business, and one knows why: a comparison of periods must say so. No words.

The same days as alerts know of: ``closed_days`` and events of policy.yml, public holidays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.periods import Span
from metrics_catalog.monitoring.calendar import Known, Names
from metrics_catalog.reporting.numbers import Members, Numbers

Closed = tuple[tuple[date, Names | None], ...]  # with the name a day is known by


@dataclass(frozen=True)
class Days:
    """Of a period: how many days were ``open``, and which were ``closed``."""

    open: int
    closed: Closed


def business_days(numbers: Numbers, known: Known, metrics: Iterable[str], span: Span, members: Members = ()) -> Days:
    """A period's days.

    Closed is a day that policy.yml says is closed, or a holiday or event on which none of the ``metrics`` that add up
    has anything, while other days of the period do. A day whose data is owed, or on which there was something, is open.
    """
    days = [span.start + timedelta(days=number) for number in range((span.end - span.start).days)]
    names = {day: name for day in days if (name := _name(known, day, members)) is not None}
    if not names and known.closed.isdisjoint(days):
        return Days(len(days), ())
    busy = _busy(numbers, metrics, days, members if names.keys() - known.holidays.keys() else ())
    owed = {date.fromisoformat(one) for said in numbers.snapshot.info.coverages.values() for one in said["missing"]}
    idle = {day for day in names if busy} - busy - owed
    closed = [day for day in days if day in idle or (day in known.closed and day not in busy)]
    return Days(len(days) - len(closed), tuple((day, names.get(day)) for day in closed))


def _name(known: Known, day: date, members: Members) -> Names | None:
    """The event that is about the whole slice, else the holiday."""
    given = dict(members)
    for event in known.events:
        concerns = all(given.get(dimension) in some for dimension, some in event.members.items())
        if event.first <= day <= event.last and not event.metrics and concerns:
            return {"en": event.label.en, "zh": event.label.zh}
    return known.holidays.get(day)


def _busy(numbers: Numbers, metrics: Iterable[str], days: Sequence[date], members: Members) -> set[date]:
    """Days on which a metric that adds up has something, in the slice."""
    catalog, found = numbers.catalog, set[date]()
    for metric in metrics:
        if "day" not in catalog.metrics[metric].spec.grains or not formulas(catalog)[metric].adds_up:
            continue
        if not members:
            series = numbers.series(metric, "day")
            cells = [series.get(day) for day in days]
        else:
            by, member = members[0]
            cells = numbers.split(metric, "day", by, days, members).get(member, ())
        found |= {day for day, cell in zip(days, cells, strict=False) if cell is not None and cell.value}
    return found
