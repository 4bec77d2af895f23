"""Metric -> components: the aggregates a metric is arithmetic over.

Components that merge (sum, count, min, max) can be stored per day and put together for any period or slice. The others
(distinct keys, order statistics) must see the rows of each period and slice they are wanted for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.tree import column, typed
from metrics_catalog.expressions import having_filter, row_expression, row_filter
from metrics_catalog.semantic import Attribute
from metrics_catalog.spec.metric import Measure, RatioMetric

Merge = Literal["sum", "min", "max"]


@dataclass(frozen=True)
class Component:
    """One aggregate column. ``merge`` says how two of them make one; None when they cannot.

    ``expr``, ``filter`` and ``having`` are bound expressions; ``joined`` the attributes of other models they use.
    """

    name: str
    model: str
    agg: Literal["sum", "count", "min", "max", "count_distinct", "quantile"]
    expr: exp.Expr | None
    filter: exp.Expr | None
    having: exp.Expr | None
    quantile: float | None
    joined: tuple[Attribute, ...]

    @property
    def merge(self) -> Merge | None:
        """How values of disjoint rows combine."""
        merges: dict[str, Merge] = {"sum": "sum", "count": "sum", "min": "min", "max": "max"}
        return merges.get(self.agg)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for components that compute the same thing."""
        parts = (self.expr, self.filter, self.having)
        return (self.model, self.agg, self.quantile, *(None if part is None else part.sql("duckdb") for part in parts))


@dataclass(frozen=True)
class Formula:
    """How a metric's value comes from component columns: ``numerator`` alone, or over ``denominator``."""

    metric: str
    numerator: exp.Expr
    denominator: exp.Expr | None
    components: tuple[Component, ...]

    @property
    def merges(self) -> bool:
        """Whether every component can be put together from stored days."""
        return all(component.merge is not None for component in self.components)

    @property
    def adds_up(self) -> bool:
        """Whether disjoint slices of the value sum to its total."""
        return self.denominator is None and all(component.merge == "sum" for component in self.components)


def formulas(catalog: Catalog, metrics: Iterable[str]) -> dict[str, Formula]:
    """Each metric's formula; equal components of different metrics share one column."""
    pool: dict[tuple[object, ...], Component] = {}
    return {metric: _formula(catalog, metric, pool) for metric in metrics}


def _formula(catalog: Catalog, metric: str, pool: dict[tuple[object, ...], Component]) -> Formula:
    parts = [_measure(catalog, name, measure, pool) for name, measure in catalog.measures(metric)]
    components = tuple(dict.fromkeys(component for part in parts for component in part[2]))
    if not isinstance(catalog.metrics[metric].spec, RatioMetric):
        return Formula(metric, parts[0][0], parts[0][1], components)
    (numerator, over, used), (denominator, under, _) = parts
    top = _value(numerator, over)
    if over is None and used[0].merge != "min" and used[0].agg in ("sum", "count", "count_distinct"):
        top = exp.Coalesce(this=top, expressions=[exp.Literal.number(0)])
    return Formula(metric, top, _value(denominator, under), components)


def _value(numerator: exp.Expr, denominator: exp.Expr | None) -> exp.Expr:
    return numerator if denominator is None else divide(numerator, denominator)


def divide(numerator: exp.Expr, denominator: exp.Expr) -> exp.Expr:
    """Exact enough for any ratio, and no data instead of an error where the denominator is zero."""
    below = exp.Nullif(this=typed(denominator.copy(), "double"), expression=exp.Literal.number(0))
    return exp.Div(this=typed(numerator.copy(), "double"), expression=below, typed=False, safe=True)


def _measure(
    catalog: Catalog, name: str, measure: Measure, pool: dict[tuple[object, ...], Component]
) -> tuple[exp.Expr, exp.Expr | None, tuple[Component, ...]]:
    if measure.agg == "average":
        made = [_component(catalog, f"{name}__{agg}", agg, measure, pool) for agg in ("sum", "count")]
        return column(made[0].name), column(made[1].name), tuple(made)
    agg = "quantile" if measure.agg in ("median", "percentile") else measure.agg
    component = _component(catalog, name, agg, measure, pool)
    return column(component.name), None, (component,)


def _component(
    catalog: Catalog, name: str, agg: str, measure: Measure, pool: dict[tuple[object, ...], Component]
) -> Component:
    expr, filters, having, joined = None, None, None, ()
    if measure.expr is not None:
        expr, joined = row_expression(catalog.semantics, measure.model, measure.expr)
    if measure.filter is not None:
        filters, more = row_filter(catalog.semantics, measure.model, measure.filter)
        joined = tuple(dict.fromkeys((*joined, *more)))
    if measure.having is not None:
        having = having_filter(catalog.semantics, measure.model, measure.having)
    quantile = 0.5 if measure.agg == "median" else measure.percentile
    component = Component(name, measure.model, agg, expr, filters, having, quantile, joined)  # type: ignore[arg-type]
    return pool.setdefault(component.key, component)
