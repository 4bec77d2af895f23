"""One look at everything that can be wrong: values that were published, sources, what is held -> incidents.

Cheap when nothing was published since the last look: only what the pipeline knows is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.cause import explain
from metrics_catalog.monitoring.facts import Scene, scene
from metrics_catalog.monitoring.finding import Evaluation
from metrics_catalog.monitoring.following import Evaluated, Observed, Synced, last_evaluated, sync
from metrics_catalog.monitoring.grouping import troubles
from metrics_catalog.monitoring.standing import held_troubles, source_troubles
from metrics_catalog.monitoring.trouble import Trouble
from metrics_catalog.spec.base import Grain

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from metrics_catalog.project import Project
    from metrics_catalog.published.reader import Published

NOTHING = Evaluation((), frozenset(), {})


@dataclass(frozen=True)
class Watch:
    """What one look came to. ``version``: the publish that was judged, None: none was, as nothing was new."""

    synced: Synced
    evaluation: Evaluation = NOTHING
    version: int | None = None
    lasting: int = 0
    metrics: Mapping[str, int] = field(default_factory=dict)  # worst severity of what lasts, by metric


def watch(
    project: Project,
    catalog: Catalog,
    now: datetime,
    owners: Mapping[str, str],
    published: Published | None = None,
    judge: bool = True,
) -> Watch:
    """Judge what is new and bring incidents in line with it; ``owners`` of sources.

    ``judge`` False: values are left for the next look, as after a refresh that published nothing. Raises
    `OpsUnavailable`.
    """
    from metrics_catalog.monitoring.besides import looker
    from metrics_catalog.monitoring.memory import Memory
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.published.reader import Published as Reader

    store, published = open_store(project.ops), published or Reader(project.published)
    last, closed = last_evaluated(store), catalog.policy.closed_through(now)
    view = scene(project, catalog, now, None if last is None else last.version, published)
    memory, evaluation, version = Memory.open(project.state / "monitoring"), NOTHING, None
    if judge and view.published is not None:
        snapshot = published.at()
        if last is None or (last.version, last.closed_through) != (snapshot.version, closed):
            from metrics_catalog.monitoring.evaluate import evaluate

            evaluation, version = evaluate(catalog, snapshot, memory, closed, published), snapshot.version
    evaluated = _kept(evaluation, version, closed, last)
    observed = observe(view, evaluation, owners, evaluated)
    synced = sync(store, catalog, observed, now, looker(catalog, store, published, project.state))
    if version is not None:
        memory.keep()
    return _summed(Watch(synced, evaluation, version), store)


def observe(
    view: Scene, evaluation: Evaluation, owners: Mapping[str, str], evaluated: Evaluated | None = None
) -> Observed:
    """Findings and what the pipeline knows, as troubles: one for one cause."""
    standing = {trouble.key: trouble for trouble in (*source_troubles(view, owners), *held_troubles(view))}
    keys = frozenset(standing)
    heard = [one for one in evaluation.findings if _is_recent(view.catalog, evaluation, one.series.grain, one.period)]
    found = [
        _joined(standing.pop(trouble.key, None), trouble)
        for trouble in troubles(view.catalog, [(one, explain(view, one)) for one in heard])
    ]
    return Observed((*found, *standing.values()), evaluation.fine, keys, evaluated)


def _joined(standing: Trouble | None, trouble: Trouble) -> Trouble:
    """Findings that a standing trouble explains are part of it."""
    if standing is None:
        return trouble
    metrics = tuple(dict.fromkeys((*trouble.metrics, *standing.metrics)))
    explained = replace(standing.explained, others=trouble.explained.others, unchecked=trouble.explained.unchecked)
    severity = min(trouble.severity, standing.severity)
    return replace(standing, findings=trouble.findings, metrics=metrics, explained=explained, severity=severity)


def _is_recent(catalog: Catalog, evaluation: Evaluation, grain: Grain, period: date) -> bool:
    """Whether a finding is news: of the newest period of its grain, or of the last few days."""
    through = evaluation.through.get(grain, period)
    return period == through or (through - period).days <= catalog.policy.alerts.catch_up_days


def _kept(evaluation: Evaluation, version: int | None, closed: date, last: Evaluated | None) -> Evaluated | None:
    """What is kept of an evaluation. A second one of the same days judges only what changed."""
    if version is None:
        return None
    before = last.too_little if last is not None and last.closed_through == closed else 0
    too_little = max(before, len(evaluation.too_little))
    return Evaluated(version, closed, evaluation.judged, len(evaluation.findings), too_little)


def _summed(seen: Watch, store: Engine) -> Watch:
    import sqlalchemy as sa

    from metrics_catalog.monitoring.incident import LASTING, read
    from metrics_catalog.ops.store import reading
    from metrics_catalog.ops.tables import incidents

    worst: dict[str, int] = {}
    with reading(store) as con:
        rows = con.execute(sa.select(incidents).where(incidents.c.state.in_(LASTING))).all()
    for one in map(read, rows):
        for metric in one.metrics:
            worst[metric] = min(one.severity, worst.get(metric, one.severity))
    return replace(seen, lasting=len(rows), metrics=worst)
