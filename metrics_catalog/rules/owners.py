"""Every metric has an owner who exists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.located import Problem, suggest

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog


def check(catalog: Catalog) -> Iterator[Problem]:
    """Owners that people.yml does not know; a metric of dbt's may name one before there is a people.yml."""
    known = catalog.people.owners
    for entry in catalog.metrics.values():
        owner = entry.spec.owner
        if owner not in known:
            level = "warning" if entry.is_dbts else "error"
            message = f'owner "{owner}" is not in people.yml{suggest(owner, known)}'
            if known or not entry.is_dbts:
                yield entry.document.problem(("owner",), message, level)
