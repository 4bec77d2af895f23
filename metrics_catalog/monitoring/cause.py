"""Why a value is unusual: the first of an ordered list of causes that what is known speaks for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from metrics_catalog.engine.eras import definitions
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.monitoring.fact import Fact, Kind
from metrics_catalog.monitoring.facts import Scene, known, not_known, sources_of
from metrics_catalog.monitoring.finding import Finding
from metrics_catalog.monitoring.holds import holds
from metrics_catalog.spec.alerting import Cause

# "held" is no cause: a metric that is held was not computed, so it has no new value to be unusual. Nor is "few": rows
# that are fewer everywhere are what a real move looks like.
OF_FACTS: Mapping[Kind, Cause] = {
    "late": "late",
    "stale": "late",
    "not loaded": "late",
    "partial": "late",
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
    ``fresh``: the value is new since the last look, so that what happened since then can be why.
    """

    cause: Cause
    subjects: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    others: tuple[Fact, ...] = ()
    unchecked: tuple[Kind, ...] = ()
    event: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = True


def explain(scene: Scene, finding: Finding) -> Explained:
    """The first cause on the list: data late or missing, failed check or quarantine jump, code, definition,
    restatement, known event; a real move when nothing speaks for any of these.
    """  # noqa: D205
    span = Calendar.of(scene.catalog).span(finding.series.grain, finding.period)
    facts = known(scene, finding.series.metric, span.start, span.end)
    unchecked = not_known(scene)
    changed = _is_changed(scene, finding)
    fresh = finding.value is None or changed or _is_new(scene, finding.series.metric, span)
    by_cause: dict[Cause, list[Fact]] = {}
    for fact in facts:
        if fact.kind in OF_FACTS and _counts(scene, fact, finding, changed, fresh):
            by_cause.setdefault(OF_FACTS[fact.kind], []).append(fact)
    for cause, found in by_cause.items():  # facts come in the order of the list
        others = tuple(fact for fact in facts if fact not in found)
        return Explained(cause, _subjects(found), tuple(found), others, unchecked, fresh=fresh)
    if finding.rule == "missing":
        return _missing(scene, finding.series.metric, facts, unchecked)
    if finding.event is not None:
        return Explained("event", (finding.event.get("en", ""),), (), facts, unchecked, finding.event, fresh)
    return Explained("move", (), (), facts, unchecked, fresh=fresh)


def _missing(scene: Scene, metric: str, facts: tuple[Fact, ...], unchecked: tuple[Kind, ...]) -> Explained:
    """No value, though all sources are there: it is held back, or nobody knows."""
    for hold in holds(scene):
        if metric in hold.metrics:
            return Explained(hold.cause, hold.subjects, (), facts, unchecked)
    return Explained("late", (metric,), (), facts, unchecked)


def _counts(scene: Scene, fact: Fact, finding: Finding, changed: bool, fresh: bool) -> bool:
    """Whether a fact can be why a period is as it is, whose value was ``changed`` or is ``fresh`` at all."""
    if fact.kind == "restated":
        return changed
    if fact.kind == "definition" and finding.series.metric in scene.catalog.metrics:
        newest = definitions(scene.catalog, finding.series.metric)[0]
        return fresh and finding.period >= newest[0]  # a period has the definition of its first day
    if fact.kind == "code" and not fact.moved:
        return False  # all of history came out the same by the new code
    return fresh or bool(fact.days)


def _is_changed(scene: Scene, finding: Finding) -> bool:
    """Whether the value of a period that was published before was replaced since."""
    series, before, now = finding.series, scene.before, scene.published
    if before is None or now is None or finding.period > before.closed_through:
        return False
    return now.changed(series.metric, series.grain, finding.period)


def _is_new(scene: Scene, metric: str, span: Span) -> bool:
    """Whether a period had no value before, as it was not over or not all of it delivered."""
    before = scene.before
    if before is None or span.end > before.closed_through + timedelta(days=1):
        return True
    kept = [before.coverages[source] for source in sources_of(scene.catalog, metric) if source in before.coverages]
    return any(date.fromisoformat(day) in span for one in kept for day in one["missing"])


def _subjects(facts: list[Fact]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fact.subject for fact in facts))
