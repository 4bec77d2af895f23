"""Delivers the platform's own events to the landing folder, for a project that has the source for them.

Its own metrics are those of which every number stands on that source.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog
    from orchestration.declared import Declared

SOURCE = "platform_events"
FILE = "platform/events.jsonl"  # in the landing folder


def deliver_events(declared: Declared) -> bool:
    """Write what happened up to the last day that is over, when it is not there yet; returns whether it was written.

    Nothing before the project has an ops store. Raises `OpsUnavailable`.
    """
    from metrics_catalog.governance.begun import has_store
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.published.errors import NotPublished
    from metrics_catalog.published.reader import Published
    from metrics_catalog.review.events import as_lines, events, with_forgotten

    project = declared.project
    path = project.landing / FILE
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    if not has_store(project):
        text = as_lines([])
    else:
        try:
            versions = Published(project.published).versions()
        except NotPublished:
            versions = []
        found = events(declared.definitions, open_store(project.ops), versions, datetime.now(UTC))
        text = as_lines(with_forgotten(found, before or ""))
    if text == before:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
    return True


def own_metrics(catalog: Catalog) -> frozenset[str]:
    """Metrics that measure the platform itself."""
    from metrics_catalog.monitoring.facts import sources_of

    return frozenset(name for name in catalog.metrics if sources_of(catalog, name) == {SOURCE})
