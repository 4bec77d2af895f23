"""Which periods are official, and which of them must be computed again. Pure functions of days."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta

from metrics_catalog.engine.periods import Calendar, Span, merged
from metrics_catalog.engine.terms import Term
from metrics_catalog.own_grains import EVER, OutsideSpine
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
        (span.start >= coverage.start or span.start == EVER) and not any(day in span for day in coverage.missing)
        for coverage in coverages
    )


def windows(
    calendar: Calendar,
    grains: Collection[Grain],
    days: Collection[date] | Span,
    closed_through: date,
    coverages: Collection[Coverage],
    terms: Collection[Term] = (),
) -> Windows:
    """For each grain the complete periods that ``days`` (a span means every day of it) may change.

    Without ``terms`` these are the periods that hold any of them; with, all whose terms read any. A period is complete
    when everything that it reads is. Raises `OutsideSpine` when an own grain is not known up to ``closed_through``.
    """
    apart = [term for term in terms if term.reads_more]
    found: Windows = {}
    for grain in ordered(grains):
        for shift in (shift for term in apart for shift in term.shifts):
            if not calendar.sees(grain, shift.offset):
                raise OutsideSpine(f'the time spine does not say which {grain} is "{shift.offset}" before another')
        spans = _holding(calendar, grain, days, closed_through)
        if apart:
            spans |= _reading(calendar, grain, days, closed_through, apart)
        if kept := merged(
            span
            for span in spans
            if complete(span, closed_through, coverages)
            and all(term.is_known(calendar, grain, span.start) for term in apart)
            and all(complete(term.reads(calendar, grain, span.start), closed_through, coverages) for term in apart)
        ):
            found[grain] = kept
    return found


def _holding(calendar: Calendar, grain: Grain, days: Collection[date] | Span, closed_through: date) -> set[Span]:
    over = closed_through + timedelta(days=1)
    if isinstance(days, Span):
        return set(calendar.spans(grain, days.start, min(days.end, over)))
    following = ((day, day + timedelta(days=1)) for day in days if day < over)
    return {span for day, after in following for span in calendar.spans(grain, day, after)}


def _reading(
    calendar: Calendar, grain: Grain, days: Collection[date] | Span, closed_through: date, terms: Collection[Term]
) -> set[Span]:
    """Periods with a term that reads any of the days: later ones that look back, earlier ones that look ahead."""
    if not days:
        return set()
    listed = [days.start, days.end - timedelta(days=1)] if isinstance(days, Span) else sorted(days)
    ahead = max(term.component.conversion.days if term.component.conversion else 0 for term in terms)
    ahead = 0 if isinstance(days, Span) else ahead  # nothing is before everything
    found = set()
    for span in calendar.spans(grain, listed[0] - timedelta(days=ahead), closed_through + timedelta(days=1)):
        for term in terms:
            read = term.reads(calendar, grain, span.start)
            if isinstance(days, Span):
                touched = read.start < days.end and days.start < read.end
            else:
                place = bisect_left(listed, read.start)
                touched = place < len(listed) and listed[place] < read.end
            if touched:
                found.add(span)
                break
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
