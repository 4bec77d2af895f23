"""Runs a plan on a connection. The only module of the engine that touches a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.codes import Place, placed
from metrics_catalog.engine.entity_values import values_tables
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.metric_models import stored_query
from metrics_catalog.engine.needs import Cell, Windows
from metrics_catalog.engine.periods import Calendar, Span, merged
from metrics_catalog.engine.pieces import in_spans
from metrics_catalog.engine.plan import Plan, plan_cells, stored_in
from metrics_catalog.engine.rollup import rollups, rollups_of
from metrics_catalog.engine.scan import Scan
from metrics_catalog.engine.text import rendered
from metrics_catalog.engine.tree import named
from metrics_catalog.semantic import VALUES_SCHEMA, SemanticModel, Semantics

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Progress = Callable[[str], None]
Spoiled = Callable[[str, Exception], None]


@contextmanager
def computed(con: DuckDBPyConnection, plan: Plan, progress: Progress | None = None) -> Iterator[list[str]]:
    """Run the steps into temporary tables; gives the selects of all values, and drops the tables afterwards."""
    made: list[str] = []
    try:
        for step in plan.steps:
            if progress is not None:
                progress(step.table)
            table = exp.to_identifier(step.table).sql("duckdb")
            con.execute(f"create or replace temp table {table} as {rendered(step.query, 'duckdb')}")
            made.append(table)
        yield [values.sql("duckdb") for values in plan.values]
    finally:
        for table in made:
            con.execute(f"drop table if exists temp.{table}")


def build_values(con: DuckDBPyConnection, catalog: Catalog, spoiled: Spoiled | None = None) -> None:
    """Make every table of values that filters look up: for projects whose dbt does not build them.

    ``spoiled`` is told of one whose values cannot be, which is then empty; without it that is raised.
    """
    import duckdb

    con.execute(f"create schema if not exists {VALUES_SCHEMA}")
    for one in values_tables(catalog):
        name = exp.table_(one.name, db=VALUES_SCHEMA).sql("duckdb")
        query = rendered(one.query(placed), "duckdb")
        try:
            con.execute(f"create or replace table {name} as {query}")
        except duckdb.DataError as error:
            if spoiled is None:
                raise
            spoiled(one.name, error)
            con.execute(f"create or replace table {name} as {query} limit 0")


def build_rollups(con: DuckDBPyConnection, catalog: Catalog, spoiled: Spoiled | None = None) -> None:
    """Make every metric model as a table: for projects whose dbt does not build them.

    ``spoiled`` is told of a semantic model whose values cannot be, and the others are made; without it that is raised.
    """
    import duckdb

    con.execute("create schema if not exists metrics")
    for together in rollups(catalog).tables:
        name = exp.table_(together[0].table, db="metrics").sql("duckdb")
        try:
            con.execute(f"create or replace table {name} as {rendered(stored_query(catalog, together), 'duckdb')}")
        except duckdb.DataError as error:
            if spoiled is None:
                raise
            spoiled(together[0].model, error)


def values_now(
    con: DuckDBPyConnection,
    asked: Sequence[tuple[Catalog, Mapping[Cell, Sequence[str]]]],
    windows: Windows,
    calendar: Calendar,
) -> list[list[dict[str, Any]]]:
    """Values of metrics by grain and slice straight from the marts, whatever is stored; nothing is kept.

    For each catalog rows as published: metric, grain, period, slice, a column for each dimension, value. Catalogs of
    which one is ``later`` than the other are put together from the same tables.
    """
    wanted = [
        (catalog, {cell: [formulas(catalog)[name] for name in names] for cell, names in cells.items()})
        for catalog, cells in asked
    ]
    reads = [
        term.reads(calendar, grain, one.start)
        for _, cells in wanted
        for (grain, _), some in cells.items()
        for span in windows[grain]
        for one in calendar.spans(grain, span.start, span.end)
        for term in dict.fromkeys(term for formula in some for term in formula.terms)
    ]
    needed, (catalog, _) = merged(reads), asked[0]
    sliced = [(formula, cut) for _, cells in wanted for (_, cut), some in cells.items() for formula in some]
    made = rollups_of(catalog.semantics, sliced)
    stored, place = stored_in(made, lambda rollup: exp.to_table(f"now_{rollup.table}")), _now(catalog.semantics)
    values = {one.name: one for catalog, _ in wanted for one in values_tables(catalog)}
    try:
        for name, one in values.items():
            con.execute(f"create or replace temp table now_{name} as {rendered(one.query(place), 'duckdb')}")
        for together in made.tables:
            some = in_spans(Scan(catalog.semantics, together[0].model, (), ()).day, needed)
            query = rendered(stored_query(catalog, together, some, place), "duckdb")
            con.execute(f"create or replace temp table now_{together[0].table} as {query}")
        plans = (plan_cells(one, cells, windows, calendar, stored, _NoPrints(), place) for one, cells in wanted)
        return [_rows(con, planned) for planned in plans]
    finally:
        for name in (*values, *(together[0].table for together in made.tables)):
            con.execute(f"drop table if exists temp.now_{name}")


def _now(semantics: Semantics) -> Place:
    """Where marts are, and values of entities by definitions that nobody keeps."""

    def place(model: SemanticModel) -> exp.Expr:
        return exp.to_table(f"now_{model.table}") if semantics.is_values(model.name) else placed(model)

    return place


def _rows(con: DuckDBPyConnection, planned: Plan) -> list[dict[str, Any]]:
    with computed(con, planned) as selects:
        return con.execute(" union all ".join(selects)).to_arrow_table().to_pylist() if selects else []


class _NoPrints(dict[str, str]):
    """Definitions of values that nobody keeps."""

    def __missing__(self, metric: str) -> str:
        return ""


def data_span(con: DuckDBPyConnection, catalog: Catalog, model: str) -> Span | None:
    """From the first day with rows of a semantic model to the day after the last; None when it is empty."""
    scan = Scan(catalog.semantics, model, (), ())
    bounds = [named(exp.Min(this=scan.day), "first"), named(exp.Max(this=scan.day), "last")]
    holder = catalog.semantics.model(model)
    query = scan.select(bounds).with_(model, as_=exp.select("*").from_(exp.table_(holder.table, db=holder.schema)))
    row = con.execute(query.sql("duckdb")).fetchone()
    if row is None or row[0] is None:
        return None
    first, last = row
    assert isinstance(first, date)
    return Span(first, date.fromordinal(last.toordinal() + 1))
