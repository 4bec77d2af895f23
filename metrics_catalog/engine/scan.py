"""One pass over a mart: dimensions joined along declared keys, components as conditional aggregates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from metrics_catalog.engine.components import STORED, Component
from metrics_catalog.engine.tree import case, is_present, named, positions, typed
from metrics_catalog.expressions import attribute_sql, qualified
from metrics_catalog.semantic import Attribute, Join, Semantics

DAY = "day"


@dataclass(frozen=True)
class Scan:
    """Rows of ``model``, each with its day, the dimensions and what the components need."""

    semantics: Semantics
    model: str
    dimensions: tuple[str, ...]
    components: tuple[Component, ...]

    @property
    def day(self) -> exp.Expr:
        """The business day of a row."""
        model = self.semantics.model(self.model)
        if model.time is None:
            raise ValueError(f'semantic model "{self.model}" has no agg_time_dimension')
        day = qualified(model.dimensions[model.time].expr, self.model)
        return day if model.columns.get(day.name.lower()) == "date" else typed(day, "date")

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The dimensions, resolved."""
        return tuple(self.semantics.attribute(self.model, name) for name in self.dimensions)

    @property
    def models(self) -> tuple[str, ...]:
        """Semantic models read, the fact first."""
        return (self.model, *(join.right for join in self._joins()))

    def keys(self) -> list[exp.Expr]:
        """Select items of the day and the dimensions."""
        items = [named(self.day, DAY)]
        return items + [named(attribute_sql(self.semantics, one), one.name) for one in self.attributes]

    def select(self, items: Sequence[exp.Expr]) -> exp.Select:
        """``select items from fact left join …``; rows without a day belong to no period and are left out."""
        query = exp.select(*items).from_(exp.to_table(self.model)).where(is_present(self.day), copy=False)
        for join in self._joins():
            query = query.join(exp.to_table(join.right), on=self._on(join), join_type="left")
        return query

    def _on(self, join: Join) -> exp.Expr:
        left, right = qualified(join.left_expr, join.left), qualified(join.right_expr, join.right)
        same = exp.EQ(this=left, expression=right)
        if join.valid is None:
            return same
        start, end = (typed(qualified(edge, join.right), "date") for edge in (join.valid.start, join.valid.end))
        begun = exp.LTE(this=start, expression=self.day)
        lasting = exp.or_(exp.LT(this=self.day, expression=end), exp.Is(this=end.copy(), expression=exp.Null()))
        return exp.and_(same, begun, lasting)

    def grouped(self) -> exp.Select:
        """One row for each day and combination of dimensions, with every mergeable component."""
        items = [*self.keys(), *(named(aggregate(one), one.name) for one in self.components)]
        return self.select(items).group_by(*positions(1 + len(self.dimensions)), copy=False)

    def _joins(self) -> list[Join]:
        wanted = [*self.attributes, *(one for component in self.components for one in component.joined)]
        return list(dict.fromkeys(join for attribute in wanted for join in attribute.joins))


def aggregate(component: Component) -> exp.Expr:
    """A mergeable component as an aggregate over rows; null where no row counts."""
    value = component.expr if component.expr is not None else exp.Literal.number(1)
    if component.agg == "count":
        return typed(_count(component), "bigint")
    chosen = conditional(value, component.filter)
    if component.agg == "sum":
        return typed(exp.Sum(this=chosen), STORED)
    return {"min": exp.Min, "max": exp.Max}[component.agg](this=chosen)


def _count(component: Component) -> exp.Expr:
    tests = [test for test in (component.filter, _present(component.expr)) if test is not None]
    if not tests:
        return exp.Count(this=exp.Star())
    return exp.Sum(this=conditional(exp.Literal.number(1), exp.and_(*tests)))


def _present(value: exp.Expr | None) -> exp.Expr | None:
    return None if value is None else is_present(value.copy())


def conditional(value: exp.Expr, test: exp.Expr | None) -> exp.Expr:
    """``case when test then value end``, or the value where every row counts."""
    return value.copy() if test is None else case(test.copy(), value.copy())


def with_imports(query: exp.Select, relations: Iterable[tuple[str, exp.Expr]]) -> exp.Select:
    """The query with each semantic model as an import CTE on top."""
    for name, body in relations:
        query = query.with_(name, as_=body, copy=False)
    return query
