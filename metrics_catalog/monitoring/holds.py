"""Metrics that keep what was published before -> why, together where the same changed code is why. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metrics_catalog.monitoring.facts import CHANGED_CODE, Scene
from metrics_catalog.spec.alerting import Cause

_JOIN = ", "


@dataclass(frozen=True)
class Hold:
    """Metrics held for one reason. ``subjects``: the dbt nodes that changed, else the metric itself."""

    cause: Cause
    subjects: tuple[str, ...]
    metrics: tuple[str, ...]


def holds(scene: Scene) -> list[Hold]:
    """What the last publish left out, the metrics of the best tier first."""
    info, catalog = scene.published, scene.catalog
    if info is None:
        return []
    held = sorted(set(info.held) & set(catalog.metrics), key=lambda one: (catalog.metrics[one].spec.tier, one))
    nodes = {metric: _nodes(info.why_held(metric) or "") for metric in held}
    found: list[Hold] = []
    for named, metrics in _joined(nodes):
        cause: Cause = "code" if named else "restatement" if metrics[0] in info.marks else "check"
        found.append(Hold(cause, named or metrics[:1], metrics))
    return found


def _nodes(why: str) -> tuple[str, ...]:
    named = [
        part.removeprefix(CHANGED_CODE) for part in why.split(" (CR-")[0].split("; ") if part.startswith(CHANGED_CODE)
    ]
    return tuple(named[0].split(_JOIN)) if named else ()


def _joined(nodes: Mapping[str, Sequence[str]]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Metrics that share a changed node, with these nodes; a metric without one is alone."""
    groups: list[tuple[set[str], list[str]]] = []
    for metric, named in nodes.items():
        sharing = [group for group in groups if group[0] & set(named)]
        groups = [group for group in groups if group not in sharing]
        some = set(named).union(*(group[0] for group in sharing))
        groups.append((some, [*(one for group in sharing for one in group[1]), metric]))
    return [(tuple(sorted(some)), tuple(metrics)) for some, metrics in groups]
