"""Short stable names for what a metric computes, and for what its dimension tables hold."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.expressions import attribute_sql, qualified
from metrics_catalog.semantic import Attribute

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def digest(parts: Iterable[str]) -> str:
    """16 hex digits of the parts in order."""
    joined = "\0".join(parts)
    return hashlib.sha256(joined.encode()).hexdigest()[:16]


def calculations(catalog: Catalog) -> dict[str, str]:
    """Fingerprint of each metric's calculation: formula, components, grains and slices. Wording is not in it."""
    return {
        metric: digest(
            [
                formula.numerator.sql("duckdb"),
                "" if formula.denominator is None else formula.denominator.sql("duckdb"),
                *(f"{term.name} {term.component.key}" for term in formula.terms),
                ",".join(catalog.metrics[metric].spec.grains),
                *(",".join(cut) for cut in catalog.metrics[metric].spec.slices),
            ]
        )
        for metric, formula in formulas(catalog, catalog.metrics).items()
    }


def twins(catalog: Catalog, metric: str) -> list[str]:
    """Other metrics that compute the same as ``metric``, whatever grains and slices they are published at."""
    known = formulas(catalog, catalog.metrics)
    own = known[metric]
    return [name for name, one in known.items() if name != metric and replace(one, metric=metric) == own]


def joined_columns(catalog: Catalog) -> dict[str, dict[str, exp.Expr]]:
    """What is read of each joined semantic model: dimensions by name, keys and validity as "key <expression>"."""
    used: dict[str, dict[str, exp.Expr]] = defaultdict(dict)
    for attribute in _attributes(catalog):
        for join in attribute.joins:
            edges = () if join.valid is None else (join.valid.start, join.valid.end)
            for expr in (join.right_expr, *edges):
                used[join.right][f"key {expr}"] = qualified(expr, join.right)
        if attribute.joins:
            used[attribute.model][attribute.name] = attribute_sql(catalog.semantics, attribute)
    return dict(sorted(used.items()))


def dimension_contents(con: DuckDBPyConnection, catalog: Catalog) -> dict[str, str]:
    """Fingerprint of what each joined semantic model says of its keys: changed content moves old values too."""
    columns = {model: [named[name] for name in sorted(named)] for model, named in joined_columns(catalog).items()}
    return {model: _content(con, catalog, model, read) for model, read in columns.items()}


def table_contents(con: DuckDBPyConnection, catalog: Catalog, models: Iterable[str]) -> dict[str, str]:
    """Fingerprint of all rows of semantic models' tables."""
    rows = exp.column("rows")
    items = [
        exp.Count(this=exp.Star()),
        exp.Anonymous(this="bit_xor", expressions=[exp.Anonymous(this="hash", expressions=[rows])]),
    ]
    found = {}
    for name in sorted(set(models)):
        model = catalog.semantics.model(name)
        query = exp.select(*(item.copy() for item in items)).from_(
            exp.alias_(exp.table_(model.table, db=model.schema), "rows", table=True)
        )
        found[name] = digest([str(con.execute(query.sql("duckdb")).fetchone())])
    return found


def _attributes(catalog: Catalog) -> Iterable[Attribute]:
    for metric, formula in formulas(catalog, catalog.metrics).items():
        for model in catalog.models(metric, sliced=True):
            for name in sorted({name for cut in catalog.metrics[metric].spec.slices for name in cut}):
                yield catalog.semantics.attribute(model, name)
        yield from (attribute for component in formula.components for attribute in component.joined)
        for component in formula.components:
            for pair in () if component.conversion is None else component.conversion.keys:
                yield from pair


def _content(con: DuckDBPyConnection, catalog: Catalog, model: str, columns: list[exp.Expr]) -> str:
    holder = catalog.semantics.model(model)
    row_hash = exp.Anonymous(this="hash", expressions=[column.copy() for column in columns])
    mixed = exp.Anonymous(this="bit_xor", expressions=[row_hash])
    source = exp.alias_(exp.table_(holder.table, db=holder.schema), model, table=True)
    row = con.execute(exp.select(exp.Count(this=exp.Star()), mixed).from_(source).sql("duckdb")).fetchone()
    return digest([str(row)])
