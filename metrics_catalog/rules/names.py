"""Metric and dimension names share the columns of published tables, so no two things may have one name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.located import Problem
from metrics_catalog.semantic import AT

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog

_KEYS = ("metric", "grain", "period", "slice", "day", AT)
RESERVED = frozenset((*_KEYS, "value", "numerator", "denominator", "definition", "run_id", "entity"))


def check(catalog: Catalog) -> Iterator[Problem]:
    """Metrics and dimensions named like a published column, metrics named like a dimension."""
    dimensions = {name for entry in catalog.metrics.values() for cut in entry.spec.slices for name in cut}
    for name, entry in catalog.metrics.items():
        if name in RESERVED:
            yield entry.document.problem((), f'"{name}" is a column of published values; name the metric otherwise')
        elif name in dimensions:
            yield entry.document.problem((), f'"{name}" is a dimension; name the metric otherwise')
        for index, cut in enumerate(entry.spec.slices):
            for position, one in enumerate(cut):
                if one in RESERVED:
                    message = f'slices: "{one}" is a column of published values; name the dimension otherwise'
                    yield entry.document.problem(("slices", index, position), message)
