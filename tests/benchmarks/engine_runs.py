"""The pieces of work `bench_engine` measures, each as a function over a connection. Run there in a process of its own.

Every plan reads the same warehouse file through an in-memory database with the same limits, and leaves tables of values
there: one for each grain and slice, a column for each metric.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import duckdb
from engine_data import FIRST_DAY
from engine_metrics import GRAINS, Keys, catalog
from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.compute import computed
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.metric_models import stored_query
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.plan import Plan, plan
from metrics_catalog.engine.rollup import rollups
from metrics_catalog.engine.windows import Windows, windows
from metrics_catalog.spec.base import ordered

CALENDAR = Calendar()


def connect(warehouse: Path, memory: str, scratch: Path) -> duckdb.DuckDBPyConnection:
    """An empty database that sees the warehouse's marts; what does not fit in ``memory`` goes to ``scratch``."""
    config = {"memory_limit": memory, "threads": 2, "temp_directory": str(scratch)}
    con = duckdb.connect(config=config)
    con.execute("set enable_progress_bar = false; create schema marts; create schema metrics")
    con.execute(f"attach '{warehouse}' as warehouse (read_only)")
    for table in ("fct_order_lines", "dim_stores", "dim_products", "dim_members", "time_spine"):
        con.execute(f"create view marts.{table} as from warehouse.marts.{table}")
    return con


def days(con: duckdb.DuckDBPyConnection) -> tuple[date, date]:
    """First and last day with order lines."""
    row = con.execute("select min(ordered_on), max(ordered_on) from marts.fct_order_lines").fetchone()
    assert row is not None
    return row


def all_windows(last: date) -> Windows:
    """Every period that is over on ``last``."""
    return windows(CALENDAR, ordered(GRAINS), Span(FIRST_DAY, last + timedelta(days=1)), last, [])


def day_windows(day: date) -> Windows:
    """The periods that are over when ``day`` is the last one and its rows are new."""
    return windows(CALENDAR, ordered(GRAINS), {day}, day, [])


def build_rollups(con: duckdb.DuckDBPyConnection, cat: Catalog, day: date | None = None) -> None:
    """What the dbt metric models do: store the mergeable components by day, or replace those of one day."""
    for together in rollups(cat).tables:
        table = f"metrics.{together[0].table}"
        if day is None:
            con.execute(f"create table {table} as {stored_query(cat, together).sql('duckdb')}")
        else:
            con.execute(f"delete from {table} where day = '{day}'")
            of_day = exp.EQ(this=exp.column("ordered_on"), expression=exp.cast(exp.Literal.string(str(day)), "date"))
            con.execute(f"insert into {table} {stored_query(cat, together, of_day).sql('duckdb')}")


def metric_plan(cat: Catalog, over: Windows) -> Plan:
    """The engine's plan of every metric of a catalog."""
    return plan(cat, list(cat.metrics), over, CALENDAR)


def tables(con: duckdb.DuckDBPyConnection, made: Plan) -> None:
    """Run a plan to tables of values, named ``values_0`` and so on: one for each source the values are selected from."""
    wide: dict[str, list[exp.Select]] = defaultdict(list)
    for values in made.values:
        wide[values.frame.joined].append(values.query())
    with computed(con, made):
        for number, selects in enumerate(wide.values()):
            con.execute(f"create temp table values_{number} as {_side_by_side(selects).sql('duckdb')}")


def _side_by_side(selects: Iterable[exp.Select]) -> exp.Select:
    """The values of several metrics, selected from one source, as one select with a column for each."""
    every = list(selects)
    query = every[0].copy()
    fixed = [
        item for item in query.selects if item.alias_or_name not in ("metric", "numerator", "denominator", "value")
    ]
    values = [exp.alias_(_item(one, "value"), _item(one, "metric").name) for one in every]
    query.set("expressions", [*fixed, *values])
    query.set("where", None)
    return query


def _item(select: exp.Select, name: str) -> exp.Expr:
    return next(item.this for item in select.selects if item.alias == name).copy()


def rows(con: duckdb.DuckDBPyConnection, made: Plan, table: str | None = None) -> None:
    """Run a plan to rows as they are published: read through once, or kept in ``table``."""
    with computed(con, made) as selects:
        every = " union all ".join(selects)
        if table is None:
            con.execute(f"select bit_xor(hash(published)) from ({every}) as published").fetchall()
        else:
            con.execute(f"create temp table {table} as {every}")


def engine_rows(con: duckdb.DuckDBPyConnection, metrics: Mapping[str, Keys], last: date, table: str) -> None:
    """The engine's values of every metric in ``table``, in the shape they are published in."""
    cat = catalog(metrics)
    build_rollups(con, cat)
    rows(con, metric_plan(cat, all_windows(last)), table)


_READ = """
    sum(list_amount), sum(paid_amount), sum(cost_amount), sum(quantity), min(paid_amount), max(paid_amount), count(*),
    count(member_id), max(product_id), count_if(is_promoted), count_if(is_private_label), count_if(channel = 'online')
"""


def bare_scans(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The scan-and-group the additive part is held to: every column it reads, once, by day and what it is sliced by.

    Gives the name of each set of dimensions when done. Store decides region; no set decides the other.
    """
    con.execute(
        f"create temp table by_store as select ordered_on, store_id, {_READ} from marts.fct_order_lines group by 1, 2"
    )
    yield "by store"
    con.execute(f"""
        create temp table by_region_category as
        select ordered_on, region, category, {_READ}
        from marts.fct_order_lines
        join marts.dim_stores using (store_id)
        join marts.dim_products using (product_id)
        group by 1, 2, 3
    """)
    yield "by region and category"


def additive(metrics: Mapping[str, Keys]) -> dict[str, Keys]:
    """Those of ``metrics`` that are put together from stored days alone."""
    cat = catalog(metrics)
    made = formulas(cat)
    return {name: keys for name, keys in metrics.items() if made[name].merges}
