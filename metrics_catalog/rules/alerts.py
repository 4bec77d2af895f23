"""Alerts are routed to people, teams and departments that exist, for domains and metrics that exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from metrics_catalog.located import Problem, suggest

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog


def check(catalog: Catalog) -> Iterator[Problem]:
    """Unknown names in routes."""
    people = catalog.people
    known: dict[str, tuple[str, Collection[str]]] = {
        "to": ("a person, team or department of people.yml", people.owners | set(people.departments)),
        "domains": ("a domain", {entry.domain for entry in catalog.metrics.values()}),
        "metrics": ("a metric", set(catalog.metrics)),
    }
    for index, route in enumerate(catalog.policy.alerts.routes):
        for key, (what, names) in known.items():
            for place, name in enumerate(getattr(route, key)):
                if name not in names:
                    message = f'"{name}" is not {what}{suggest(name, names)}'
                    yield catalog.policy_document.problem(("alerts", "routes", index, key, place), message)
