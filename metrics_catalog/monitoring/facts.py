"""What the platform knows beside a metric's values: data, code, definition, restatements. Reads; judges no value.

The cause of an alert and the banner of a report both come from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.eras import definitions
from metrics_catalog.engine.reads import models_read
from metrics_catalog.health import SourceHealth
from metrics_catalog.monitoring import fact_words as words
from metrics_catalog.monitoring import source_facts
from metrics_catalog.monitoring.fact import KINDS, Fact, Kind
from metrics_catalog.published.model import PublishInfo

if TYPE_CHECKING:
    from metrics_catalog.project import Project
    from metrics_catalog.published.reader import Published

CHANGED_CODE = "changed code: "  # as a publish says it (`changes.Changes.why`), before the nodes


@dataclass(frozen=True)
class Scene:
    """What is on record: what is published, what was published ``before``, the health of sources, oldest first.

    ``before`` None: there is nothing to compare with. ``since``: health from then on counts; None: only the newest.
    """

    catalog: Catalog
    now: datetime
    published: PublishInfo | None = None
    before: PublishInfo | None = None
    health: Sequence[SourceHealth] = ()

    @property
    def since(self) -> datetime | None:
        """When ``before`` was published."""
        return None if self.before is None else self.before.published_at

    @cached_property
    def of_sources(self) -> tuple[Fact, ...]:
        """What is known of every source."""
        seen = self.before.run_id if self.before is not None else ""
        return tuple(source_facts.facts(self.health, self.now, self.since, seen))

    @cached_property
    def of_sources_now(self) -> tuple[Fact, ...]:
        """What is known of every source by its newest load alone."""
        return tuple(source_facts.facts(self.health, self.now))

    @cached_property
    def changed_code(self) -> frozenset[str]:
        """dbt nodes whose code, and sources (as ``source.….name``) whose contract differs from before."""
        if self.published is None or self.before is None:
            return frozenset()
        old, new = self.before.code, self.published.code
        return frozenset(node for node, print_ in new.items() if node in old and old[node] != print_)


def scene(
    project: Project,
    catalog: Catalog,
    now: datetime,
    since: int | datetime | None = None,
    published: Published | None = None,
) -> Scene:
    """What is on record of a project now, against the publish ``since`` (a version, or the last one by a time).

    Raises `OpsUnavailable`.
    """
    from metrics_catalog.governance.begun import has_store
    from metrics_catalog.health import history
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.published.errors import NotPublished
    from metrics_catalog.published.reader import Published as Reader

    published = published or Reader(project.published)
    try:
        info = published.at().info
    except NotPublished:
        info = None
    try:
        before = None if since is None else published.at(since).info
    except NotPublished:
        before = None
    health = history(open_store(project.ops)) if has_store(project) else []
    return Scene(catalog, now, info, before, tuple(health))


def known(scene: Scene, metric: str, start: date | None = None, end: date | None = None) -> tuple[Fact, ...]:
    """What is known of a metric, most telling first; with days: what is about periods in ``[start, end)``."""
    found = [*_of_data(scene, metric), *_of_code(scene, metric), *_of_itself(scene, metric)]
    if start is not None and end is not None:
        found = [one for one in found if one.touches(start, end)]
    return tuple(sorted(found, key=lambda one: KINDS.index(one.kind)))


def not_known(scene: Scene) -> tuple[Kind, ...]:
    """Kinds of facts of which nothing can be said here."""
    sources = () if scene.health else ("late", "failed check")
    compared = () if scene.before is not None else ("code", "definition", "restated")
    return (*sources, *compared)


def sources_of(catalog: Catalog, metric: str) -> frozenset[str]:
    """Sources under a metric, by name."""
    return frozenset(node.rsplit(".", 1)[1] for node in nodes_of(catalog, metric) if node.startswith("source."))


def nodes_of(catalog: Catalog, metric: str) -> frozenset[str]:
    """Ids of the dbt models, seeds and sources under a metric."""
    semantics = catalog.semantics
    return catalog.once(
        (nodes_of, metric),
        lambda: frozenset(
            node
            for _, era in definitions(catalog, metric)
            for model in models_read(era, metric)
            for node in semantics.upstream(semantics.model(model).node)
        ),
    )


def _of_data(scene: Scene, metric: str) -> Iterator[Fact]:
    under = sources_of(scene.catalog, metric)
    yield from (fact for fact in scene.of_sources if fact.subject in under)


def _of_code(scene: Scene, metric: str) -> Iterator[Fact]:
    for node in sorted(scene.changed_code & nodes_of(scene.catalog, metric)):
        yield Fact("code", short(node), words.code(short(node), node), moved=_moved(scene, metric))


def _of_itself(scene: Scene, metric: str) -> Iterator[Fact]:
    new, old = scene.published, scene.before
    if new is None:
        return
    if old is not None and metric in old.definitions:
        yield from _defined(scene, metric, new, old)
        if metric in new.notes:
            yield Fact("restated", metric, words.restated(new.notes[metric]), days=())
    if (why := new.why_held(metric)) is not None:
        yield Fact("held", metric, words.held(why))


def _defined(scene: Scene, metric: str, new: PublishInfo, old: PublishInfo) -> Iterator[Fact]:
    """Definitions under a metric that changed themselves, not those that differ because one under them does."""
    known = scene.catalog.metrics
    parts: Iterable[str] = scene.catalog.made_of([metric]) if metric in known else [metric]
    both = {name: (old.definitions.get(name), new.definitions.get(name)) for name in parts}
    changed = {name for name, (before, now) in both.items() if None not in (before, now) and before != now}
    for name in both:
        was, now = old.versions.get(name), new.versions.get(name)
        by_another = name in known and changed & (set(scene.catalog.made_of([name])) - {name})
        if name in changed and not (by_another and was == now):
            yield Fact("definition", name, words.definition(name, was, now))


def _moved(scene: Scene, metric: str) -> bool:
    """Whether published values of a metric changed by code since before, or would."""
    if scene.published is None:
        return False
    return CHANGED_CODE in scene.published.notes.get(metric, "") or metric in scene.published.held


def short(node: str) -> str:
    """A dbt node as people call it."""
    return node.rsplit(".", 1)[1] if node.startswith("source.") else node.split(".", 2)[-1]
