"""Why a value is unusual: the first of an ordered list of causes that what is known speaks for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from metrics_catalog.engine.periods import Calendar
from metrics_catalog.monitoring.fact import Fact, Kind
from metrics_catalog.monitoring.facts import Scene, known, not_known
from metrics_catalog.monitoring.finding import Finding
from metrics_catalog.monitoring.holds import holds
from metrics_catalog.spec.alerting import Cause

# "held" is no cause: a metric that is held was not computed, so it has no new value to be unusual.
OF_FACTS: Mapping[Kind, Cause] = {
    "late": "late",
    "stale": "late",
    "not loaded": "late",
    "blocked": "check",
    "failed check": "check",
    "quarantine": "check",
    "code": "code",
    "definition": "definition",
    "restated": "restatement",
}


@dataclass(frozen=True)
class Explained:
    """The cause of one finding. ``subjects``: what it is the fault of: sources, dbt nodes, metrics, an event's name.

    ``facts`` say so, ``others`` are known besides. ``unchecked``: kinds of facts of which nothing was known.
    """

    cause: Cause
    subjects: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    others: tuple[Fact, ...] = ()
    unchecked: tuple[Kind, ...] = ()
    event: Mapping[str, str] = field(default_factory=dict)


def explain(scene: Scene, finding: Finding) -> Explained:
    """The first cause on the list: data late or missing, failed check or quarantine jump, code, definition,
    restatement, known event; a real move when nothing speaks for any of these.
    """  # noqa: D205
    span = Calendar.of(scene.catalog).span(finding.series.grain, finding.period)
    facts = known(scene, finding.series.metric, span.start, span.end)
    unchecked = not_known(scene)
    by_cause: dict[Cause, list[Fact]] = {}
    for fact in facts:
        if fact.kind in OF_FACTS and _counts(scene, fact, span.start):
            by_cause.setdefault(OF_FACTS[fact.kind], []).append(fact)
    for cause, found in by_cause.items():  # facts come in the order of the list
        others = tuple(fact for fact in facts if fact not in found)
        return Explained(cause, _subjects(found), tuple(found), others, unchecked)
    if finding.rule == "missing":
        return _missing(scene, finding.series.metric, facts, unchecked)
    if finding.event is not None:
        return Explained("event", (finding.event.get("en", ""),), (), facts, unchecked, finding.event)
    return Explained("move", (), (), facts, unchecked)


def _missing(scene: Scene, metric: str, facts: tuple[Fact, ...], unchecked: tuple[Kind, ...]) -> Explained:
    """No value, though all sources are there: it is held back, or nobody knows."""
    for hold in holds(scene):
        if metric in hold.metrics:
            return Explained(hold.cause, hold.subjects, (), facts, unchecked)
    return Explained("late", (metric,), (), facts, unchecked)


def _counts(scene: Scene, fact: Fact, start: date) -> bool:
    """Whether a fact can be why the period that begins at ``start`` is as it is."""
    if fact.kind == "code":
        return fact.moved  # all of history came out the same by the new code
    if fact.kind == "restated":
        return scene.before is not None and start <= scene.before.closed_through
    return True


def _subjects(facts: list[Fact]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fact.subject for fact in facts))
