"""Joined dimensions as small whole numbers while many rows are grouped by them: half the cost of text.

A table for each dimension numbers its members; what was grouped is joined to it again. No member has no code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from metrics_catalog.engine.pieces import table
from metrics_catalog.engine.scan import coded_column
from metrics_catalog.engine.tree import column, is_present, named, positions, typed
from metrics_catalog.expressions import attribute_sql
from metrics_catalog.semantic import Attribute, SemanticModel, Semantics

CODE = "code"
_CODED = "coded"
Place = Callable[[SemanticModel], exp.Expr]
Relation = tuple[str, exp.Expr]
Tests = Mapping[str, Mapping[str, exp.Expr]]  # of each semantic model: name of a column and its condition


@dataclass(frozen=True)
class Codes:
    """The coded dimensions of a semantic model, each with its table of codes."""

    attributes: Mapping[str, Attribute]
    tables: Mapping[str, str]

    def numbered(self, semantics: Semantics, place: Place) -> list[Relation]:
        """The tables of codes and what fills them; ``place``: where the table of a semantic model is."""
        return [(self.tables[name], _numbered(semantics, one, place)) for name, one in self.attributes.items()]

    def relations(
        self, semantics: Semantics, models: Iterable[str], place: Place, tests: Tests | None = None
    ) -> list[Relation]:
        """Semantic models as import CTEs, with the codes of the dimensions they have and whether ``tests`` hold."""
        return [(name, self._imported(semantics, name, place, (tests or {}).get(name, {}))) for name in models]

    def _imported(self, semantics: Semantics, model: str, place: Place, tests: Mapping[str, exp.Expr]) -> exp.Select:
        mine = [one for one in self.attributes.values() if one.model == model]
        if not mine and not tests:
            return imported(place(semantics.model(model)))
        query = exp.Select(expressions=[exp.Column(this=exp.Star(), table=exp.to_identifier(model))])
        query = query.from_(_source(semantics, model, place), copy=False)
        for one in mine:
            numbers = self.tables[one.name]
            query = query.select(named(exp.column(CODE, table=numbers), coded_column(one.name)), copy=False)
            on = exp.EQ(this=attribute_sql(semantics, one), expression=exp.column(one.name, table=numbers))
            query = query.join(table(numbers), on=on, join_type="left", copy=False)
        return query.select(*(named(test.copy(), name) for name, test in tests.items()), copy=False)

    def decoded(self, query: exp.Select, dimensions: Iterable[str]) -> exp.Select:
        """Rows grouped by some dimensions of the slim rows, with members instead of codes."""
        mine = [name for name in dimensions if name in self.tables]
        if not mine:
            return query
        names = [item.alias_or_name for item in query.selects]
        items = [exp.column(name, table=self.tables[name] if name in mine else _CODED) for name in names]
        made = exp.Select(expressions=items).from_(query.subquery(_CODED, copy=False), copy=False)
        for name in mine:
            on = exp.EQ(this=exp.column(name, table=_CODED), expression=exp.column(CODE, table=self.tables[name]))
            made = made.join(table(self.tables[name]), on=on, join_type="left", copy=False)
        return made


def codes(semantics: Semantics, model: str, dimensions: Iterable[str]) -> Codes:
    """Codes for those dimensions that are joined to the rows of ``model``."""
    attributes = [semantics.attribute(model, name) for name in dimensions]
    joined = {one.name: one for one in attributes if one.joins}
    return Codes(joined, {name: f"{model}_{name}_codes" for name in joined})


def placed(model: SemanticModel) -> exp.Expr:
    """The table of a semantic model in the warehouse."""
    return exp.table_(model.table, db=model.schema)


def imported(source: exp.Expr) -> exp.Select:
    """``select * from source``."""
    return exp.Select(expressions=[exp.Star()]).from_(source, copy=False)


def _numbered(semantics: Semantics, attribute: Attribute, place: Place) -> exp.Select:
    member = attribute_sql(semantics, attribute)
    source = _source(semantics, attribute.model, place)
    members = exp.Select(expressions=[named(member, attribute.name)]).from_(source, copy=False)
    members = members.where(is_present(member.copy()), copy=False).group_by(*positions(1), copy=False)
    order = exp.Order(expressions=[exp.Ordered(this=column(attribute.name))])
    number = typed(exp.Window(this=exp.RowNumber(), order=order), "integer")
    items = [column(attribute.name), named(number, CODE)]
    return exp.Select(expressions=items).from_(members.subquery("members", copy=False), copy=False)


def _source(semantics: Semantics, model: str, place: Place) -> exp.Expr:
    return exp.alias_(place(semantics.model(model)), model, table=True)
