"""A metric that is published by the hour counts rows whose time is known to the hour, and no stocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.located import Problem
from metrics_catalog.semantic import SemanticModel
from metrics_catalog.spec.base import HOUR
from metrics_catalog.spec.metric import CumulativeMetric, Measure

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog, Entry


def check(catalog: Catalog) -> Iterator[Problem]:
    """What cannot be told by the hour."""
    for entry in catalog.metrics.values():
        if HOUR in entry.spec.grains:
            loc = "grains", entry.spec.grains.index(HOUR)
            faults = (_fault(catalog, one) for one in catalog.made_of([entry.name]) if one in catalog.metrics)
            if fault := next((fault for some in faults for fault in some), None):
                yield entry.document.problem(loc, f"grains: no hours: {fault}")


def _fault(catalog: Catalog, name: str) -> Iterator[str]:
    entry: Entry = catalog.metrics[name]
    if isinstance(entry.spec, CumulativeMetric):
        yield f"{name} is cumulated by the day"
    for _, part in entry.parts:
        if isinstance(part, Measure):
            if part.semi_additive is not None:
                yield f"{name} is a stock, which is known by the day"
            if model := catalog.semantics.models.get(part.model):
                yield from _unknown(model)


def _unknown(model: SemanticModel) -> Iterator[str]:
    if model.time not in model.dimensions:
        return
    time = model.dimensions[model.time or ""]
    if model.columns.get(time.expr.lower()) == "date":
        yield f"{model.name} has a date, {time.expr}, for its time"
    elif not time.tells_hours:
        yield f'the time of {model.name}, {time.name}, has time_granularity "{time.grain}"; it should be hour'
