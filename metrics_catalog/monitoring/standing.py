"""What is wrong beside values: sources that are late or not accepted, metrics that are held -> troubles. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.cause import OF_FACTS, Explained
from metrics_catalog.monitoring.fact import Fact
from metrics_catalog.monitoring.facts import Scene, known, sources_of
from metrics_catalog.monitoring.finding import Level
from metrics_catalog.monitoring.grouping import key_of, severity
from metrics_catalog.monitoring.holds import holds
from metrics_catalog.monitoring.trouble import Trouble
from metrics_catalog.spec.alerting import Cause

_CRITICAL = ("blocked", "not loaded")


def source_troubles(scene: Scene, owners: Mapping[str, str]) -> Iterator[Trouble]:
    """One for each source and cause; ``owners`` of sources. Only metrics that stand on a source make it matter."""
    by_key: dict[tuple[Cause, str], list[Fact]] = {}
    for fact in scene.of_sources_now:
        if fact.kind not in OF_FACTS:
            continue
        by_key.setdefault((OF_FACTS[fact.kind], fact.subject), []).append(fact)
    touched = _touched(scene.catalog, {source for _, source in by_key})
    for (cause, source), facts in by_key.items():
        metrics = touched.get(source, ())
        level: Level = "critical" if any(fact.kind in _CRITICAL for fact in facts) else "warn"
        explained = Explained(cause, (source,), tuple(facts))
        how_bad = severity(scene.catalog, cause, metrics, level)
        told = tuple(owner for owner in (owners.get(source),) if owner)
        yield Trouble(key_of(cause, (source,)), explained, how_bad, metrics, text=facts[0].text, owners=told)


def held_troubles(scene: Scene) -> Iterator[Trouble]:
    """Metrics whose new values wait, one for each reason."""
    for hold in holds(scene):
        facts = tuple(fact for fact in known(scene, hold.metrics[0]) if fact.kind == "held")
        how_bad = severity(scene.catalog, hold.cause, hold.metrics, "warn")
        explained = Explained(hold.cause, hold.subjects, facts)
        yield Trouble(key_of(hold.cause, hold.subjects), explained, how_bad, hold.metrics, text=facts[0].text)


def _touched(catalog: Catalog, sources: set[str]) -> dict[str, tuple[str, ...]]:
    """Metrics on each source, those of the best tier first."""
    found: dict[str, list[str]] = {}
    for metric in sorted(catalog.metrics, key=lambda one: (catalog.metrics[one].spec.tier, one)) if sources else ():
        for source in sources & sources_of(catalog, metric):
            found.setdefault(source, []).append(metric)
    return {source: tuple(metrics) for source, metrics in found.items()}
