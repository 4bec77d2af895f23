"""A filter on ``metric(receipts, by=household)`` names a metric that has one value for each such entity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.located import Problem, suggest
from metrics_catalog.rules.inputs import cyclic
from metrics_catalog.semantic import OF_EACH, EntityValues, UnknownName
from metrics_catalog.spec.metric import (
    AnyMetric,
    ConversionMetric,
    CumulativeMetric,
    Input,
    Measure,
    metric_of,
)

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog


def check(catalog: Catalog) -> Iterator[Problem]:
    """Unknown metrics, kinds without a value over all days, marts without the entity."""
    for entry in catalog.metrics.values():
        for loc, values in () if cyclic(catalog, entry.name) else entry.asked:
            if fault := _fault(catalog, values):
                yield entry.document.problem(loc, f"filter: {fault}")


def _fault(catalog: Catalog, values: EntityValues) -> str | None:
    name = values.metric
    if name not in catalog.metrics:
        return f'there is no metric "{name}"{suggest(name, catalog.metrics)}'
    if OF_EACH in name or OF_EACH in values.entity or values.model in catalog.semantics.models:
        return f'the table of its values would be called "{values.model}", and what is called so is not told apart'
    if why := _not_over_all_days(catalog, name, catalog.metrics[name].spec):
        return why
    for model in catalog.models(name):
        try:
            if model in catalog.semantics.models:
                catalog.semantics.key(model, values.entity)
        except UnknownName as error:
            return f'"{name}" has no value for each {values.entity}: {error}'
    return None


def _not_over_all_days(catalog: Catalog, name: str, spec: AnyMetric | Measure) -> str | None:
    """Why a metric has no value for an entity that adds up all its rows."""
    if isinstance(spec, Measure) and (spec.agg in ("median", "percentile") or spec.having or spec.semi_additive):
        what = "having" if spec.having else "semi_additive" if spec.semi_additive else f'agg "{spec.agg}"'
        return f'"{name}" has {what}: what is looked up must add up, count or average all rows of an entity'
    if isinstance(spec, (CumulativeMetric, ConversionMetric)):
        return f'"{name}" is {spec.type}: only simple, ratio and derived metrics have a value over all days'
    for _, part in () if isinstance(spec, Measure) else catalog.metrics[name].parts:
        if isinstance(part, Input) and part.offset is not None:
            return f'"{name}" looks at other periods, so it has no value over all days'
        of = metric_of(part) or name
        inner = part if isinstance(part, Measure) else catalog.metrics[of].spec if of in catalog.metrics else None
        if inner is not None and (why := _not_over_all_days(catalog, of, inner)):
            return why
    return None
