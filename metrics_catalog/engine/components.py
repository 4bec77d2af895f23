"""Components: the aggregates that metrics are arithmetic over.

Those that merge (sum, count, min, max) can be stored per day and put together for any period or slice. The others
(distinct keys, order statistics, conversions) must see the rows of each period and slice they are wanted for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.expressions import having_filter, row_expression, row_filter
from metrics_catalog.semantic import Attribute
from metrics_catalog.spec.metric import Measure, SemiAdditive

Merge = Literal["sum", "min", "max"]
Agg = Literal["sum", "count", "min", "max", "count_distinct", "quantile", "conversions"]
STORED = "decimal(28,6)"  # sums and values: exact for money, and the same type on every engine
_MERGES: dict[str, Merge] = {"sum": "sum", "count": "sum", "min": "min", "max": "max"}


@dataclass(frozen=True)
class Conversion:
    """What follows a base event: an ``event`` (a component of its own model) of the same entity within ``days``.

    ``keys``: for each thing both must agree on, the entity first, its expression in the base and in the other model.
    """

    event: Component
    keys: tuple[tuple[Attribute, Attribute], ...]
    days: int

    def until(self, end: date) -> date:
        """The day after the last on which an event can follow a base event before ``end``."""
        return end + timedelta(days=self.days)


@dataclass(frozen=True)
class Component:
    """One aggregate column. ``merge`` says how two of them make one; None when they cannot.

    ``expr``, ``filter`` and ``having`` are bound expressions; ``joined`` the attributes of other models they use.
    """

    name: str
    model: str
    agg: Agg
    expr: exp.Expr | None = None
    filter: exp.Expr | None = None
    having: exp.Expr | None = None
    quantile: float | None = None
    joined: tuple[Attribute, ...] = ()
    semi_additive: SemiAdditive | None = None
    conversion: Conversion | None = field(default=None)

    def __hash__(self) -> int:
        """By name alone: hashing trees takes long, and two of a name are rare."""
        return hash(self.name)

    @property
    def merge(self) -> Merge | None:
        """How values of disjoint rows combine."""
        return _MERGES.get(self.agg)

    @property
    def kind(self) -> str:
        """SQL type of its column."""
        return "bigint" if self.agg in ("count", "count_distinct") else STORED

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Equal for components that compute the same thing."""
        parts = (self.expr, self.filter, self.having)
        texts = (None if part is None else part.sql("duckdb") for part in parts)
        more = () if self.semi_additive is None else (self.semi_additive,)
        if self.conversion is not None:
            pairs = [(mine.expr, other.expr) for mine, other in self.conversion.keys]
            more = (*more, self.conversion.event.key, tuple(pairs), self.conversion.days)
        return (self.model, self.agg, self.quantile, *texts, *more)


class Pool:
    """Components of a catalog; equal ones of different metrics are one.

    Those of an earlier definition are stored beside those of the newest: what both have is one column, and the rest of
    the earlier one's says until when.
    """

    def __init__(self, catalog: Catalog, later: Pool | None = None) -> None:
        self._catalog = catalog
        self._known: dict[tuple[object, ...], Component] = {} if later is None else dict(later._known)
        self._suffix = "" if catalog.until is None else f"__until_{catalog.until:%Y%m%d}"

    def component(self, name: str, measure: Measure, agg: str | None = None) -> Component:
        """The component of a measure; ``agg``: another aggregation of the same rows."""
        semantics, model = self._catalog.semantics, measure.model
        expr, filters, having, joined = None, None, None, ()
        if measure.expr is not None:
            expr, joined = row_expression(semantics, model, measure.expr)
        if measure.filter is not None:
            filters, more = row_filter(semantics, model, measure.filter)
            joined = tuple(dict.fromkeys((*joined, *more)))
        if measure.having is not None:
            having = having_filter(semantics, model, measure.having)
        quantile = 0.5 if measure.agg == "median" else measure.percentile
        kind: Agg = agg or ("quantile" if quantile is not None else measure.agg)  # type: ignore[assignment]
        return self.shared(Component(name, model, kind, expr, filters, having, quantile, joined, measure.semi_additive))

    def shared(self, component: Component) -> Component:
        """The known component that computes the same, or this one."""
        if component.key not in self._known:
            named = replace(component, name=component.name + self._suffix) if self._suffix else component
            self._known[component.key] = named
        return self._known[component.key]
