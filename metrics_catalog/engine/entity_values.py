"""Values of a metric for each entity, over all days and rows: the tables that filters on ``metric(…)`` look up. Pure.

Each is an ordinary dbt model written by us, made whole: a row for each member that the metric's rows name. Entities
without a row that counts have no value, and no comparison with it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml
from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.codes import Codes, Place, Relation
from metrics_catalog.engine.components import Component, Lookup
from metrics_catalog.engine.flags import Flags, flagged
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.metric_models import MARK, cte, reference
from metrics_catalog.engine.pieces import table
from metrics_catalog.engine.reads import keys_of
from metrics_catalog.engine.scan import Scan, aggregate, conditional, with_imports
from metrics_catalog.engine.tree import column, is_present, named, positions
from metrics_catalog.engine.values import something
from metrics_catalog.expressions import attribute_sql
from metrics_catalog.semantic import MEMBER, VALUE

_CONFIG = "{{ config(materialized='table') }}\n"
_EVERY = "members"


@dataclass(frozen=True)
class ValuesTable:
    """The table of one lookup, by the definitions of ``catalog``."""

    catalog: Catalog
    lookup: Lookup

    @property
    def name(self) -> str:
        """Of the dbt model and its table."""
        return self.lookup.model

    def query(self, place: Place) -> exp.Select:
        """What fills it; ``place``: where the tables of semantic models are."""
        return with_imports(_final(self), self.relations(place))

    def relations(self, place: Place) -> list[Relation]:
        """What it is put together from, as CTEs: semantic models, then each fact by member."""
        parts = _parts(self)
        models = dict.fromkeys(model for part in parts for model in part.scan.models)
        tests = {model: found for part in parts for model, found in part.flags.tests.items()}
        made = Codes({}, {}).relations(self.catalog.semantics, models, place, tests)
        return [*made, *((part.name, part.grouped) for part in parts)]


def values_tables(catalog: Catalog) -> tuple[ValuesTable, ...]:
    """Those that some metric of a catalog or its eras looks up, each after those it looks up itself."""
    return catalog.once(values_tables, lambda: tuple(_tables(catalog).values()))


def values_files(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """(file name, text) of the dbt models that make them."""
    for one in values_tables(catalog):
        yield f"{one.name}.sql", _sql(one)
        yield f"{one.name}.yml", _yaml(one)


def _tables(catalog: Catalog) -> dict[str, ValuesTable]:
    found: dict[str, ValuesTable] = {}

    def add(holding: Catalog, metric: str) -> None:
        for lookup in formulas(holding)[metric].lookups:
            add(holding, lookup.values.metric)
            found.setdefault(lookup.model, ValuesTable(holding, lookup))

    for one in (catalog, *(era.catalog for era in catalog.eras)):
        for metric in one.metrics:
            add(one, metric)
    return found


@dataclass(frozen=True)
class _Part:
    """The components of one fact, by member."""

    scan: Scan
    flags: Flags
    member: exp.Expr

    @property
    def name(self) -> str:
        return f"{self.scan.model}_by_member"

    @property
    def grouped(self) -> exp.Select:
        items = [named(_over_rows(one), one.name) for one in self.scan.components]
        query = self.scan.every_row([named(self.member, MEMBER), *items])
        return query.where(is_present(self.member.copy()), copy=False).group_by(*positions(1), copy=False)


def _parts(one: ValuesTable) -> list[_Part]:
    semantics, by_model = one.catalog.semantics, dict[str, list[Component]]()
    for component in formulas(one.catalog)[one.lookup.values.metric].components:
        by_model.setdefault(component.model, []).append(component)
    keys, found = keys_of(one.catalog, one.lookup), list[_Part]()
    for model, components in by_model.items():
        flags = flagged(components)
        scan = Scan(semantics, model, (), flags.components, also=(keys[model],))
        found.append(_Part(scan, flags, attribute_sql(semantics, keys[model])))
    return found


def _over_rows(component: Component) -> exp.Expr:
    """A component as an aggregate over rows; null where none counts."""
    if component.merge is not None:
        return aggregate(component)
    assert component.expr is not None
    keys = exp.Distinct(expressions=[conditional(component.expr, component.filter)])
    return exp.Nullif(this=exp.Count(this=keys), expression=exp.Literal.number(0))


def _final(one: ValuesTable) -> exp.Select:
    """Each member's value, from the facts side by side."""
    formula = formulas(one.catalog)[one.lookup.values.metric]
    value, there = formula.value, something(formula)
    first, *others = (part.name for part in _parts(one))
    if not others:
        items = [column(MEMBER), named(value, VALUE)]
        return exp.Select(expressions=items).from_(table(first), copy=False).where(*there, copy=False)
    members = (exp.Select(expressions=[column(MEMBER)]).from_(table(name)) for name in (first, *others))
    query = exp.Select(expressions=[exp.column(MEMBER, table=_EVERY), named(value, VALUE)])
    query = query.from_(exp.union(*members, copy=False).subquery(_EVERY, copy=False), copy=False)
    for name in (first, *others):
        on = exp.EQ(this=exp.column(MEMBER, table=_EVERY), expression=exp.column(MEMBER, table=name))
        query = query.join(table(name), on=on, join_type="left", copy=False)
    return query.where(*there, copy=False)


def _sql(one: ValuesTable) -> str:
    parts = (cte(name, query) for name, query in (*one.relations(reference), ("final", _final(one))))
    every = ",\n\n".join(parts)
    return f"{MARK}{_CONFIG}\nwith {every}\n\nselect * from final\n"


def _yaml(one: ValuesTable) -> str:
    values = one.lookup.values
    about: Mapping[str, str] = {
        MEMBER: f"{values.entity}, of those that rows of {values.metric} name.",
        VALUE: f"{values.metric} over all days; null where no row of the {values.entity} counts.",
    }
    model = {
        "name": one.name,
        "description": f"Values of {values.metric} for each {values.entity}, looked up by filters on metric(…).",
        "columns": [{"name": name, "description": text} for name, text in about.items()],
    }
    text = yaml.safe_dump({"version": 2, "models": [model]}, sort_keys=False, allow_unicode=True, width=120)
    return MARK.replace("--", "#") + text
