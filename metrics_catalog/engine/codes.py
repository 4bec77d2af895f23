"""Joined dimensions as small whole numbers while many rows are grouped by them: half the cost of text.

A table for each dimension numbers its members; what was grouped is joined to it again. No member has no code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from metrics_catalog.engine.building import Building
from metrics_catalog.engine.pieces import table
from metrics_catalog.engine.tree import column, is_present, named, positions, typed
from metrics_catalog.expressions import attribute_sql
from metrics_catalog.semantic import Attribute

_CODE, _CODED = "code", "coded"


@dataclass(frozen=True)
class Codes:
    """The coded dimensions of a semantic model, each with its table of codes."""

    tables: Mapping[str, str]

    def decoded(self, query: exp.Select, dimensions: Iterable[str]) -> exp.Select:
        """Rows grouped by some dimensions of the slim rows, with members instead of codes."""
        mine = [name for name in dimensions if name in self.tables]
        if not mine:
            return query
        names = [item.alias_or_name for item in query.selects]
        items = [exp.column(name, table=self.tables[name] if name in mine else _CODED) for name in names]
        made = exp.Select(expressions=items).from_(query.subquery(_CODED, copy=False), copy=False)
        for name in mine:
            on = exp.EQ(this=exp.column(name, table=_CODED), expression=exp.column(_CODE, table=self.tables[name]))
            made = made.join(table(self.tables[name]), on=on, join_type="left", copy=False)
        return made


def codes(build: Building, model: str, dimensions: Iterable[str]) -> Codes:
    """Number the members of those dimensions that are joined to the rows of ``model``."""
    found: dict[str, str] = {}
    for name in dimensions:
        attribute = build.semantics.attribute(model, name)
        if attribute.joins:
            found[name] = f"{model}_{name}_codes"
            build.step(found[name], _numbered(build, attribute))
    return Codes(found)


def _numbered(build: Building, attribute: Attribute) -> exp.Select:
    member = attribute_sql(build.semantics, attribute)
    source = _table(build, attribute.model)
    members = exp.Select(expressions=[named(member, attribute.name)]).from_(source, copy=False)
    members = members.where(is_present(member.copy()), copy=False).group_by(*positions(1), copy=False)
    order = exp.Order(expressions=[exp.Ordered(this=column(attribute.name))])
    number = typed(exp.Window(this=exp.RowNumber(), order=order), "integer")
    items = [column(attribute.name), named(number, _CODE)]
    return exp.Select(expressions=items).from_(members.subquery("members", copy=False), copy=False)


def relations(build: Building, model: str, models: Iterable[str], coded: Codes) -> list[tuple[str, exp.Expr]]:
    """Semantic models as import CTEs, with the codes of the dimensions they have."""
    made = dict(build.relations(models))
    attributes = [build.semantics.attribute(model, name) for name in coded.tables]
    for holder in {one.model for one in attributes}:
        query = exp.Select(expressions=[exp.Column(this=exp.Star(), table=exp.to_identifier(holder))])
        query = query.from_(_table(build, holder), copy=False)
        for one in (one for one in attributes if one.model == holder):
            numbers = coded.tables[one.name]
            query = query.select(named(exp.column(_CODE, table=numbers), coded_column(one.name)), copy=False)
            on = exp.EQ(this=attribute_sql(build.semantics, one), expression=exp.column(one.name, table=numbers))
            query = query.join(table(numbers), on=on, join_type="left", copy=False)
        made[holder] = query
    return list(made.items())


def coded_column(name: str) -> str:
    """The column with the code of a dimension, beside all others of its model."""
    return f"{name}__code"


def _table(build: Building, model: str) -> exp.Expr:
    holder = build.semantics.model(model)
    return exp.alias_(exp.table_(holder.table, db=holder.schema), model, table=True)
