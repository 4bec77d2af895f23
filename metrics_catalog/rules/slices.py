"""Every dimension a metric is sliced by can be reached from all models it is computed from, without adding rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.located import Problem, suggest
from metrics_catalog.semantic import UnknownName

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog, Entry


def check(catalog: Catalog) -> Iterator[Problem]:
    """Unknown and unreachable dimensions."""
    for entry in catalog.metrics.values():
        models = _models(catalog, entry)
        for index, cut in enumerate(entry.spec.slices):
            for position, name in enumerate(cut):
                for model in models:
                    try:
                        catalog.semantics.attribute(model, name)
                    except UnknownName as error:
                        hint = suggest(name, catalog.semantics.attributes(model))
                        yield entry.document.problem(("slices", index, position), f"slices: {error}{hint}")


def _models(catalog: Catalog, entry: Entry) -> list[str]:
    """Known models of a metric; what is unknown is another rule's problem."""
    return [model for model in catalog.models(entry.name, sliced=True) if model in catalog.semantics.models]
