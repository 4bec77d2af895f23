"""Runs a plan on a connection. The only module of the engine that touches a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.periods import Span
from metrics_catalog.engine.plan import Plan
from metrics_catalog.engine.rollup import rollup_query, rollups
from metrics_catalog.engine.scan import Scan
from metrics_catalog.engine.tree import named

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Progress = Callable[[str], None]


@contextmanager
def computed(con: DuckDBPyConnection, plan: Plan, progress: Progress | None = None) -> Iterator[list[str]]:
    """Run the steps into temporary tables; gives the selects of all values, and drops the tables afterwards."""
    made: list[str] = []
    try:
        for step in plan.steps:
            if progress is not None:
                progress(step.table)
            table = exp.to_identifier(step.table).sql("duckdb")
            con.execute(f"create or replace temp table {table} as {step.query.sql('duckdb')}")
            made.append(table)
        yield [query.sql("duckdb") for query in plan.values]
    finally:
        for table in made:
            con.execute(f"drop table if exists temp.{table}")


def build_rollups(con: DuckDBPyConnection, catalog: Catalog) -> None:
    """Make every rollup as a table: for projects whose dbt does not build them."""
    con.execute("create schema if not exists metrics")
    for rollup in rollups(catalog).every:
        name = exp.table_(rollup.table, db="metrics").sql("duckdb")
        con.execute(f"create or replace table {name} as {rollup_query(catalog, rollup).sql('duckdb')}")


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
