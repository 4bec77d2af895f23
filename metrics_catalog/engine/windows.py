"""Which periods are official, and which of them must be computed again. Pure functions of days."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta

from metrics_catalog.engine.periods import Calendar, Span, merged
from metrics_catalog.semantic import SemanticModel
from metrics_catalog.spec.base import Grain, ordered

Windows = dict[Grain, tuple[Span, ...]]


@dataclass(frozen=True)
class Coverage:
    """Days a daily source should have delivered: from ``start`` on, all but ``missing``."""

    start: date
    missing: frozenset[date] = field(default_factory=frozenset)


def complete(span: Span, closed_through: date, coverages: Collection[Coverage]) -> bool:
    """Whether a period is over and every daily source behind it has delivered all its days."""
    if span.end > closed_through + timedelta(days=1):
        return False
    return all(
        span.start >= coverage.start and not any(day in span for day in coverage.missing) for coverage in coverages
    )


def windows(
    calendar: Calendar,
    grains: Collection[Grain],
    days: Collection[date] | Span,
    closed_through: date,
    coverages: Collection[Coverage],
) -> Windows:
    """For each grain the complete periods that hold any of ``days`` (a span means every day of it)."""
    found: Windows = {}
    for grain in ordered(grains):
        spans = (
            set(calendar.spans(grain, days.start, days.end))
            if isinstance(days, Span)
            else {calendar.span(grain, day) for day in days}
        )
        if kept := merged(span for span in spans if complete(span, closed_through, coverages)):
            found[grain] = kept
    return found


def touched_days(model: SemanticModel, changed: Collection[date]) -> frozenset[date] | None:
    """Days whose rows of a mart may differ when its sources changed on ``changed``; None when any may."""
    if not changed:
        return frozenset()
    if model.replaced_by is None:
        return None
    if model.replaced_by == "day":
        return frozenset(changed)
    mondays = {day - timedelta(days=day.weekday()) for day in changed}
    return frozenset(
        monday + timedelta(days=offset) for monday in mondays for offset in range(7 * (model.following_weeks + 1))
    )
