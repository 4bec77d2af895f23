"""Definitions that hold from a day on: which of a metric's definitions each period has. Pure."""

from __future__ import annotations

from datetime import date

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.windows import Windows
from metrics_catalog.spec.base import Grain


def definitions(catalog: Catalog, metric: str) -> list[tuple[date, Catalog]]:
    """(first day, catalog) of each definition a metric has, the newest first; a period has that of its first day.

    A metric has another definition too where one that it is made of has.
    """
    found = [(date.min, catalog)]
    for era in catalog.eras:
        holding = found[-1][1]
        if calculations(era.catalog)[metric] != calculations(holding)[metric]:
            found[-1:] = [(era.until, holding), (date.min, era.catalog)]
    return found


def beginning_in(calendar: Calendar, found: Windows, start: date, end: date) -> Windows:
    """Of some periods those that begin in [start, end)."""
    if (start, end) == (date.min, date.max):
        return found
    kept: Windows = {}
    for grain, spans in found.items():
        low, high = (_from(calendar, grain, day) for day in (start, end))
        clipped = [Span(max(span.start, low), min(span.end, high)) for span in spans]
        if some := tuple(span for span in clipped if span.start < span.end):
            kept[grain] = some
    return kept


def _from(calendar: Calendar, grain: Grain, day: date) -> date:
    """First day of the first period that begins on ``day`` or later."""
    if day in (date.min, date.max):
        return day
    start = calendar.start(grain, day)
    return start if start == day else calendar.next(grain, start)
