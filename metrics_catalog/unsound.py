"""What keeps metrics from being computed, before anything is: keys that are not one row's, a mart whose sums cannot be.

For an existing dbt project, whose dbt does not build them, this is where the metric models are made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from metrics_catalog.catalog import Catalog
from metrics_catalog.changes import Changes
from metrics_catalog.engine.compute import build_rollups
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.joined_keys import JoinedKeys
from metrics_catalog.published.of_data import must_be_of_data

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def unsound(
    con: DuckDBPyConnection,
    changes: Changes,
    wanted: Collection[tuple[Catalog, Sequence[str]]],
    no_values: Mapping[str, str],
) -> dict[str, str]:
    """What is wrong, by metric; ``wanted``: metrics to compute, by the definitions of each catalog.

    ``no_values``: tables of values that filters look up and that cannot be, and why.
    """
    keys, found, spoiled = JoinedKeys(con, _sound(changes)), dict[str, str](), dict[str, str]()
    for catalog, metrics in wanted:
        found |= keys.faults(catalog, metrics)
        for metric in metrics:
            if said := next((no_values[one] for one in _looked_up(catalog, metric) if one in no_values), None):
                found.setdefault(metric, said)
    if changes.catalog.project.is_dbt and wanted:
        build_rollups(con, changes.catalog, lambda model, error: spoiled.update({model: must_be_of_data(error)}))
    for metric in (metric for _, metrics in wanted for metric in metrics):
        if said := next((spoiled[model] for model in changes.models(metric) if model in spoiled), None):
            found.setdefault(metric, said)
    return found


def _looked_up(catalog: Catalog, metric: str) -> Iterator[str]:
    """Tables of values that a metric's filters look up, and of those that these do."""
    for lookup in formulas(catalog)[metric].lookups:
        yield lookup.model
        yield from _looked_up(catalog, lookup.values.metric)


def _sound(changes: Changes) -> set[str]:
    """Joined models that say what they said at the last publish, when no metric failed."""
    last = changes.last
    if last is None or set(last.held) - set(last.marks):
        return set()
    return {model for model, said in changes.members.prints.items() if last.members.get(model) == said}
