"""One pass over a mart: dimensions joined along declared keys, components as conditional aggregates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from metrics_catalog.engine.components import STORED, Component
from metrics_catalog.engine.days import day_of, hour_of
from metrics_catalog.engine.tree import case, is_present, named, positions, text, typed
from metrics_catalog.expressions import attribute_sql, qualified
from metrics_catalog.semantic import AT, Attribute, Join, Semantics

DAY, SLICE = "day", "slice"


@dataclass(frozen=True)
class Scan:
    """Rows of ``model``, each with its day, the dimensions and what the components need.

    ``coded``: the dimensions whose codes are taken from the tables that have them, instead of their members.
    ``also``: attributes that are joined besides.
    """

    semantics: Semantics
    model: str
    dimensions: tuple[str, ...]
    components: tuple[Component, ...]
    coded: Collection[str] = ()
    also: tuple[Attribute, ...] = ()

    @property
    def day(self) -> exp.Expr:
        """The business day of a row."""
        model = self.semantics.model(self.model)
        if model.time is None:
            raise ValueError(f'semantic model "{self.model}" has no agg_time_dimension')
        return day_of(self.semantics, self.model, model.dimensions[model.time].expr)

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
        return [named(self.day, DAY), *(named(self._dimension(one), one.name) for one in self.attributes)]

    def _dimension(self, one: Attribute) -> exp.Expr:
        if one.name == AT:
            return hour_of(self.semantics, self.model, one.expr)
        if one.name in self.coded:
            return exp.column(coded_column(one.name), table=one.model)
        return attribute_sql(self.semantics, one)

    def select(self, items: Sequence[exp.Expr]) -> exp.Select:
        """``select items from fact join …``; rows without a day belong to no period and are left out."""
        return self.every_row(items).where(is_present(self.day), copy=False)

    def every_row(self, items: Sequence[exp.Expr]) -> exp.Select:
        """The same with rows that belong to no period. A join is an inner one where every row has its partner."""
        query = exp.select(*items).from_(exp.to_table(self.model))
        for join in self._joins():
            query = query.join(exp.to_table(join.right), on=self._on(join), join_type="" if join.total else "left")
        return query

    def _on(self, join: Join) -> exp.Expr:
        left, right = qualified(join.left_expr, join.left), qualified(join.right_expr, join.right)
        same = exp.EQ(this=left, expression=right)
        if join.valid is None:
            return same
        start, end = (day_of(self.semantics, join.right, edge) for edge in (join.valid.start, join.valid.end))
        begun = exp.LTE(this=start, expression=self.day)
        lasting = exp.or_(exp.LT(this=self.day, expression=end), exp.Is(this=end.copy(), expression=exp.Null()))
        return exp.and_(same, begun, lasting)

    def grouped(self, sets: Sequence[Sequence[str]]) -> exp.Select:
        """One row for each day and combination of dimensions, with every mergeable component.

        Several ``sets`` of dimensions are grouped by in one scan; column ``slice`` says which of them a row is of.
        """
        day, *keys = self.keys()
        stored = [named(aggregate(one), one.name) for one in self.components]
        if len(sets) < 2:
            return self.select([day, *keys, *stored]).group_by(*positions(1 + len(keys)), copy=False)
        by = {one.alias: one.this for one in keys}
        each = [exp.Tuple(expressions=[one.copy() for one in (day.this, *map(by.__getitem__, some))]) for some in sets]
        query = self.select([day, named(_which(by, sets), SLICE), *keys, *stored])
        return query.group_by(exp.GroupingSets(expressions=each), copy=False)

    def _joins(self) -> list[Join]:
        wanted = [*self.attributes, *self.also, *(one for part in self.components for one in part.joined)]
        return list(dict.fromkeys(join for attribute in wanted for join in attribute.joins))


def coded_column(name: str) -> str:
    """The column with the code of a dimension, beside all others of its model."""
    return f"{name}__code"


def _which(by: Mapping[str, exp.Expr], sets: Collection[Sequence[str]]) -> exp.Expr:
    """The set that a row is grouped by: no other has all its dimensions, but for one that has the hour besides."""
    zero = exp.Literal.number(0)
    hours_first = sorted(sets, key=lambda some: AT not in some)
    ifs = [
        exp.If(
            this=exp.and_(*(exp.EQ(this=exp.Grouping(expressions=[by[one].copy()]), expression=zero) for one in some)),
            true=text(",".join(some)),
        )
        for some in hours_first
        if some
    ]
    return exp.Case(ifs=ifs, default=None if all(sets) else text(""))


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
    if component.expr is None and component.filter is None:
        return exp.Count(this=exp.Star())
    value = component.expr if component.expr is not None else exp.Literal.number(1)
    counted = exp.Count(this=conditional(value, component.filter))
    return exp.Nullif(this=counted, expression=exp.Literal.number(0))


def conditional(value: exp.Expr, test: exp.Expr | None) -> exp.Expr:
    """``case when test then value end``, or the value where every row counts."""
    return value.copy() if test is None else case(test.copy(), value.copy())


def with_imports(query: exp.Select, relations: Iterable[tuple[str, exp.Expr]]) -> exp.Select:
    """The query with each semantic model as an import CTE on top."""
    for name, body in relations:
        query = query.with_(name, as_=body, copy=False)
    return query
