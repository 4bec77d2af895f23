"""On the due date: the actual effect of each decision is computed, kept, and told to its owner, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from metrics_catalog.catalog import Catalog, Entry
from metrics_catalog.decisions import letters, record
from metrics_catalog.decisions.expected import finest
from metrics_catalog.decisions.outcome import Outcome, Question, compared
from metrics_catalog.decisions.record import UNFINISHED, Decision
from metrics_catalog.decisions.windows import by_member, windows
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.ops import outbox
from metrics_catalog.ops.store import writing
from metrics_catalog.ops.tables import decisions
from metrics_catalog.published.errors import NotPublished
from metrics_catalog.spec.people import PLATFORM

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from metrics_catalog.published.reader import Published
    from metrics_catalog.published.snapshot import Snapshot

PATIENCE = timedelta(days=14)  # waited for values that are late, or held
_YEAR = timedelta(days=400)  # of history, for what usually happens


def measure_due(engine: Engine, catalog: Catalog, published: Published, now: datetime) -> list[Decision]:
    """Measure what is due and published; returns what was measured. Raises `OpsUnavailable`."""
    found = ready(engine, catalog, published, now)
    snapshot = published.at() if found else None
    return [done for one in found if snapshot and (done := _measured(engine, catalog, snapshot, one, now))]


def ready(engine: Engine, catalog: Catalog, published: Published, now: datetime) -> list[Decision]:
    """Decisions that can be measured now. Raises `OpsUnavailable`."""
    closed = catalog.policy.closed_through(now)
    waiting = [one for one in record.listed(engine, UNFINISHED) if one.due <= closed]
    try:
        snapshot = published.at() if waiting else None
    except NotPublished:
        return []
    return [one for one in waiting if snapshot and _is_ready(one, catalog, snapshot, closed)]


def outcome_of(decision: Decision, entry: Entry, catalog: Catalog, snapshot: Snapshot) -> Outcome:
    """What came of a decision by what is published. Pure but for reading."""
    calendar, grain = Calendar.of(catalog), finest(entry.spec)
    cut = tuple(name for name, _ in decision.expected.members)
    spans = windows(calendar, grain, decision.since, decision.due)
    table = snapshot.values([entry.name], grain, cut, (), decision.since - _YEAR, decision.due + timedelta(days=1))
    member = tuple(value for _, value in decision.expected.members)
    question = Question(member, grain, spans, decision.due)
    numbers = by_member(table, cut, formulas(catalog)[entry.name].adds_up)
    return judged(compared(question, numbers, calendar), decision, entry.spec.direction)


def judged(found: Outcome, decision: Decision, direction: str) -> Outcome:
    """The outcome with its verdict: whether it is what was expected, and whether it is more than usual."""
    expected, before, actual = decision.expected, found.before, found.actual
    if before is None or actual is None:
        return found
    target, met = expected.target(before), expected.is_met(before, actual, direction)
    up = direction == "up" if target is None else expected.rises(before)
    clear = None
    if found.low is not None and found.high is not None:
        above, below = actual > found.high, actual < found.low
        clear = above or below if met is None else above if up else below
    if met is None:
        return replace(found, expected=target, clear=clear)
    better = actual > before if up else actual < before
    verdict = "met" if met else "part of it" if better else "not met"
    return replace(found, expected=target, clear=clear, verdict=verdict)


def _is_ready(decision: Decision, catalog: Catalog, snapshot: Snapshot, closed: date) -> bool:
    """Whether all it looks at is published; what stays away too long, or was retired, is not waited for."""
    late = closed - decision.due > PATIENCE
    there = snapshot.info.closed_through >= decision.due and decision.metric not in snapshot.info.held
    return there or late or decision.metric not in catalog.metrics


def _measured(
    engine: Engine, catalog: Catalog, snapshot: Snapshot, decision: Decision, now: datetime
) -> Decision | None:
    entry = catalog.metrics.get(decision.metric)
    if entry is None:
        outcome = Outcome("no data", decision.due, "day", 0)
    else:
        outcome = outcome_of(decision, entry, catalog, snapshot)
    new = replace(decision, state="measured", closed_at=now, outcome=outcome.as_json())
    with writing(engine, decisions) as con:
        current = record.find(con, decision.number)
        if current is None or not current.is_open or current.due != decision.due:
            return None  # measured, dropped or put off meanwhile
        record.change(con, new, "measured", PLATFORM, now, new.outcome)
        if entry is not None:
            outbox.put(con, letters.measured(new, outcome, entry, catalog.people), now)
    return new
