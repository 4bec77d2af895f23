"""What is wrong beside values: sources that are late or not accepted, metrics that are held -> cases. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.case import Case
from metrics_catalog.monitoring.cause import OF_FACTS, Explained
from metrics_catalog.monitoring.fact import Fact
from metrics_catalog.monitoring.facts import Scene, known, sources_of
from metrics_catalog.monitoring.finding import Level
from metrics_catalog.monitoring.grouping import key_of, severity
from metrics_catalog.spec.alerting import Cause

_CRITICAL = ("blocked", "not loaded")
_CODE, _JOIN = "changed code: ", ", "


def source_cases(scene: Scene, owners: Mapping[str, str]) -> Iterator[Case]:
    """One for each source and cause; ``owners`` of sources. Only metrics that stand on a source make it matter."""
    by_key: dict[tuple[Cause, str], list[Fact]] = {}
    for fact in scene.of_sources:
        by_key.setdefault((OF_FACTS[fact.kind], fact.subject), []).append(fact)
    touched = _touched(scene.catalog, {source for _, source in by_key})
    for (cause, source), facts in by_key.items():
        metrics = touched.get(source, ())
        level: Level = "critical" if any(fact.kind in _CRITICAL for fact in facts) else "warn"
        explained = Explained(cause, (source,), tuple(facts))
        how_bad = severity(scene.catalog, cause, metrics, level)
        told = tuple(owner for owner in (owners.get(source),) if owner)
        yield Case(key_of(cause, (source,)), explained, how_bad, metrics, text=facts[0].text, owners=told)


def held_cases(scene: Scene) -> Iterator[Case]:
    """Metrics whose new values wait, together where the same changed code is why."""
    info = scene.published
    if info is None:
        return
    why = {metric: info.why_held(metric) or "" for metric in info.held if metric in scene.catalog.metrics}
    for nodes, metrics in _by_code({metric: _nodes(text) for metric, text in why.items()}):
        cause: Cause = "code" if nodes else "restatement" if metrics[0] in info.marks else "check"
        subjects = tuple(nodes) if nodes else metrics[:1]
        facts = tuple(fact for fact in known(scene, metrics[0]) if fact.kind == "held")
        how_bad = severity(scene.catalog, cause, metrics, "warn")
        yield Case(f"held:{subjects[0]}"[:300], Explained(cause, subjects, facts), how_bad, metrics, text=facts[0].text)


def _touched(catalog: Catalog, sources: set[str]) -> dict[str, tuple[str, ...]]:
    """Metrics on each source, those of the best tier first."""
    found: dict[str, list[str]] = {}
    for metric in sorted(catalog.metrics, key=lambda one: (catalog.metrics[one].spec.tier, one)) if sources else ():
        for source in sources & sources_of(catalog, metric):
            found.setdefault(source, []).append(metric)
    return {source: tuple(metrics) for source, metrics in found.items()}


def _nodes(why: str) -> tuple[str, ...]:
    """The nodes that a publish named as changed."""
    named = [part.removeprefix(_CODE) for part in why.split(" (CR-")[0].split("; ") if part.startswith(_CODE)]
    return tuple(named[0].split(_JOIN)) if named else ()


def _by_code(nodes: Mapping[str, Sequence[str]]) -> list[tuple[list[str], tuple[str, ...]]]:
    """Metrics joined that share a changed node, with these nodes; a metric without one is alone."""
    groups: list[tuple[set[str], list[str]]] = []
    for metric, named in nodes.items():
        mine, rest = [group for group in groups if group[0] & set(named)], []
        rest = [group for group in groups if group not in mine]
        joined = (
            set(named).union(*(group[0] for group in mine)),
            [one for group in mine for one in group[1]] + [metric],
        )
        groups = [*rest, joined]
    return [(sorted(some), tuple(metrics)) for some, metrics in groups]
