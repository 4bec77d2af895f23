"""Short stable names for what a metric computes, and for what its dimension tables hold."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.components import Component, Lookup
from metrics_catalog.engine.days import zone_of
from metrics_catalog.engine.flags import tests_on
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.reads import joined, models_read
from metrics_catalog.engine.tree import typed
from metrics_catalog.expressions import attribute_sql, qualified
from metrics_catalog.semantic import Attribute
from metrics_catalog.spec.base import HOUR

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def digest(parts: Iterable[str]) -> str:
    """16 hex digits of the parts in order."""
    joined = "\0".join(parts)
    return hashlib.sha256(joined.encode()).hexdigest()[:16]


def calculations(catalog: Catalog) -> Mapping[str, str]:
    """Fingerprint of each metric's calculation: formula, components, grains and slices. Wording is not in it."""
    return catalog.once(calculations, lambda: {name: _calculation(catalog, name) for name in catalog.metrics})


def _calculation(catalog: Catalog, metric: str) -> str:
    spec = catalog.metrics[metric].spec
    cuts = [",".join(cut) for cut in spec.slices]
    return digest([*formulas(catalog)[metric].calculation, ",".join(spec.grains), *cuts, *_zones(catalog, metric)])


def _zones(catalog: Catalog, metric: str) -> list[str]:
    """Zones that decide on which day rows are, of the models counted and of those joined to them; and in which hour."""
    models = sorted(models_read(catalog, metric))
    hours = [f"hours in {catalog.semantics.timezone}"] if HOUR in catalog.metrics[metric].spec.grains else []
    return [f"{model} in {zone}" for model in models if (zone := zone_of(catalog.semantics, model))] + hours


def twins(catalog: Catalog, metric: str) -> list[str]:
    """Other metrics that compute the same as ``metric``, whatever grains and slices they are published at."""
    known = formulas(catalog)
    own = known[metric].calculation
    return [name for name, one in known.items() if name != metric and one.calculation == own]


def joined_columns(catalog: Catalog) -> dict[str, dict[str, exp.Expr]]:
    """What is read of each joined semantic model: dimensions by name, keys and validity as "key <expression>"."""
    used: dict[str, dict[str, exp.Expr]] = defaultdict(dict)
    for attribute in _attributes(catalog):
        for join in attribute.joins:
            edges = () if join.valid is None else (join.valid.start, join.valid.end)
            for expr in (join.right_expr, *edges):
                used[join.right][f"key {expr}"] = qualified(expr, join.right)
        if attribute.joins and not catalog.semantics.is_values(attribute.model):
            used[attribute.model][attribute.name] = attribute_sql(catalog.semantics, attribute)
    for component, lookup in _looking_up(catalog):
        # Not the values, which change with each new row: only whether they let the entity pass.
        used[lookup.model] |= {test.sql("duckdb"): test for test in tests_on(component, lookup.model)}
    return dict(sorted(used.items()))


def dimension_contents(con: DuckDBPyConnection, catalog: Catalog) -> dict[str, str]:
    """Fingerprint of what each joined semantic model says of its keys: changed content moves old values too."""
    columns = {model: [named[name] for name in sorted(named)] for model, named in joined_columns(catalog).items()}
    return {model: _content(con, catalog, model, read) for model, read in columns.items()}


def table_contents(con: DuckDBPyConnection, catalog: Catalog, models: Iterable[str]) -> dict[str, str]:
    """Fingerprint of all rows of semantic models' tables."""
    items = [exp.Count(this=exp.Star()), _rows_hash([exp.column("rows")])]
    found = {}
    for name in sorted(set(models)):
        model = catalog.semantics.model(name)
        query = exp.select(*(item.copy() for item in items)).from_(
            exp.alias_(exp.table_(model.table, db=model.schema), "rows", table=True)
        )
        found[name] = digest([str(con.execute(query.sql("duckdb")).fetchone())])
    return found


def _attributes(catalog: Catalog) -> Iterable[Attribute]:
    for era in catalog.eras:
        yield from _attributes(era.catalog)
    for metric, formula in formulas(catalog).items():
        yield from joined(catalog, metric)
        for component in formula.components:
            for pair in () if component.conversion is None else component.conversion.keys:
                yield from pair


def _looking_up(catalog: Catalog) -> Iterator[tuple[Component, Lookup]]:
    for one in (catalog, *(era.catalog for era in catalog.eras)):
        for formula in formulas(one).values():
            for part in (read for component in formula.components for read in component.reads):
                yield from ((part, lookup) for lookup in part.lookups)


def _content(con: DuckDBPyConnection, catalog: Catalog, model: str, columns: list[exp.Expr]) -> str:
    holder = catalog.semantics.model(model)
    items = [exp.Count(this=exp.Star()), _rows_hash(columns)]
    source = exp.alias_(exp.table_(holder.table, db=holder.schema), model, table=True)
    row = con.execute(exp.select(*items).from_(source).sql("duckdb")).fetchone()
    return digest([str(row)])


def _rows_hash(columns: Iterable[exp.Expr]) -> exp.Expr:
    """One number for rows in any order.

    Hashed twice: DuckDB's hash of several columns is linear in the last, so that two rows which change its values would
    cancel each other out.
    """
    inner = exp.Anonymous(this="hash", expressions=[column.copy() for column in columns])
    outer = exp.Anonymous(this="hash", expressions=[inner])
    return exp.Sum(this=typed(outer, "hugeint"))
