"""Components: the aggregates that metrics are arithmetic over.

Those that merge (sum, count, min, max) can be stored per day and put together for any period or slice. The others
(distinct keys, order statistics, conversions) must see the rows of each period and slice they are wanted for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.expressions import having_filter, row_expression, row_filter, values_asked
from metrics_catalog.semantic import Attribute, EntityValues, SemanticModel
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
class Lookup:
    """Values of another metric that a filter asks for: the semantic model that has them, and how they are computed.

    ``model``: of the newest definition called as its values are; of an earlier one it says until when.
    """

    model: str
    values: EntityValues
    calculation: tuple[str, ...]


@dataclass(frozen=True)
class Component:
    """One aggregate column. ``merge`` says how two of them make one; None when they cannot.

    ``expr``, ``filter`` and ``having`` are bound expressions; ``joined`` the attributes of other models they use, and
    ``lookups`` those that are values of other metrics.
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
    lookups: tuple[Lookup, ...] = ()

    def __hash__(self) -> int:
        """By name alone: hashing trees takes long, and two of a name are rare."""
        return hash(self.name)

    @property
    def merge(self) -> Merge | None:
        """How values of disjoint rows combine."""
        return _MERGES.get(self.agg)

    @property
    def is_stored(self) -> bool:
        """Whether its days are kept: what an entity's value lets pass may be other rows of any day tomorrow."""
        return self.merge is not None and not self.lookups

    @property
    def holder(self) -> str:
        """Name of what its days are read from: its model, or what is put together apart from it."""
        return f"{self.model}_picked" if self.lookups else self.model

    @property
    def reads(self) -> tuple[Component, ...]:
        """Itself and, of a conversion, the events that follow."""
        return (self,) if self.conversion is None else (self, self.conversion.event)

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
        more = (*more, *(lookup.calculation for lookup in self.lookups))
        return (self.model, self.agg, self.quantile, *texts, *more)


class Pool:
    """Components of a catalog; equal ones of different metrics are one.

    Those of an earlier definition are stored beside those of the newest: what both have is one column, and the rest of
    the earlier one's says until when. ``calculation``: what a metric of the catalog computes.
    """

    def __init__(
        self, catalog: Catalog, calculation: Callable[[str], tuple[str, ...]], later: Pool | None = None
    ) -> None:
        self._catalog, self._calculation, self._later = catalog, calculation, later
        self._known: dict[tuple[object, ...], Component] = {} if later is None else dict(later._known)
        self._suffix = "" if catalog.until is None else f"__until_{catalog.until:%Y%m%d}"

    def component(self, name: str, measure: Measure, agg: str | None = None) -> Component:
        """The component of a measure; ``agg``: another aggregation of the same rows."""
        semantics, model = self._catalog.semantics, measure.model
        expr, filters, having, joined, lookups = None, None, None, (), ()
        if measure.expr is not None:
            expr, joined = row_expression(semantics, model, measure.expr)
        if measure.filter is not None:
            filters, more = row_filter(semantics, model, measure.filter)
            lookups = tuple(map(self._lookup, values_asked(measure.filter)))
            filters, more = _by_definition(filters, more, lookups)
            joined = tuple(dict.fromkeys((*joined, *more)))
        if measure.having is not None:
            having = having_filter(semantics, model, measure.having)
        quantile = 0.5 if measure.agg == "median" else measure.percentile
        kind: Agg = agg or ("quantile" if quantile is not None else measure.agg)  # type: ignore[assignment]
        stock = measure.semi_additive
        if kind == "count" and expr is not None and _always(semantics.model(model), expr):
            expr = None  # each row counts, as dbt tests see to: one column for all such counts
        return self.shared(
            Component(name, model, kind, expr, filters, having, quantile, joined, stock, lookups=lookups)
        )

    def _lookup(self, values: EntityValues) -> Lookup:
        """Of the later definitions where they compute the same."""
        own = Lookup(values.model + self._suffix, values, self._calculation(values.metric))
        if self._later is None or values.metric not in self._later._catalog.metrics:
            return own
        other = self._later._lookup(values)
        return other if other.calculation == own.calculation else own

    def shared(self, component: Component) -> Component:
        """The known component that computes the same, or this one."""
        if component.key not in self._known:
            named = replace(component, name=component.name + self._suffix) if self._suffix else component
            self._known[component.key] = named
        return self._known[component.key]


def _always(model: SemanticModel, expr: exp.Expr) -> bool:
    """Whether an expression is a column of the model that has a value in every row."""
    return isinstance(expr, exp.Column) and expr.table == model.name and expr.name in model.filled


def _by_definition(
    tree: exp.Expr, joined: tuple[Attribute, ...], lookups: Sequence[Lookup]
) -> tuple[exp.Expr, tuple[Attribute, ...]]:
    """A filter and what it joins, with the tables that have the values by the definitions that hold."""
    names = {one.values.model: one.model for one in lookups if one.values.model != one.model}
    if not names:
        return tree, joined

    def moved(node: exp.Expr) -> exp.Expr:
        return exp.column(node.name, table=names.get(node.table, node.table)) if isinstance(node, exp.Column) else node

    return tree.transform(moved), tuple(_at(one, names[one.model]) if one.model in names else one for one in joined)


def _at(attribute: Attribute, model: str) -> Attribute:
    *way, last = attribute.joins
    return replace(attribute, name=model, model=model, joins=(*way, replace(last, right=model)))
