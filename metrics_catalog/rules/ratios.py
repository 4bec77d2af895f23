"""The parts of a ratio are measures, or simple metrics that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.located import Problem, suggest
from metrics_catalog.spec.metric import RatioMetric

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog


def check(catalog: Catalog) -> Iterator[Problem]:
    """Parts that name no metric, or a metric that is itself a ratio."""
    for entry in catalog.metrics.values():
        if not isinstance(entry.spec, RatioMetric):
            continue
        for role, part in (("numerator", entry.spec.numerator), ("denominator", entry.spec.denominator)):
            if not isinstance(part, str):
                continue
            if part not in catalog.metrics:
                hint = suggest(part, catalog.metrics)
                yield entry.document.problem((role,), f'{role}: there is no metric "{part}"{hint}')
            elif isinstance(catalog.metrics[part].spec, RatioMetric):
                yield entry.document.problem((role,), f'{role}: "{part}" is a ratio itself; name its parts instead')
