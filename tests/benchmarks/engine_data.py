"""A retailer's order lines as DuckDB tables: the warehouse the engine's benchmarks read. No dbt, no randomness.

    python tests/benchmarks/engine_data.py FILE [--rows 5000000] [--days 730]

Every value is a hash of its row's number, so the same arguments give the same rows. Lines lie in the order of their
days, as a fact filled daily does. Like real ones, they have traps: a quarter of the orders is by nobody known, one
order in 400 runs past midnight, one product in 250 and one store in 100 lack their category or region.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from textwrap import dedent

import duckdb

FIRST_DAY = date(2023, 1, 2)  # a Monday
STORES, PRODUCTS, MEMBERS = 500, 5_000, 2_000_000
LINES_PER_ORDER = 3.5  # one to six, equally often

_DIMENSIONS = f"""
    create schema if not exists marts;
    create schema if not exists metrics;
    create table marts.dim_stores as
    select
        i::integer as store_id,
        case when i % 100 <> 99 then 'region_' || lpad((hash(i, 'region') % 12)::varchar, 2, '0') end as region,
        'city_' || lpad((hash(i, 'city') % 80)::varchar, 2, '0') as city,
        ['super', 'hyper', 'express', 'online'][1 + (hash(i, 'format') % 4)::integer] as format
    from range({STORES}) stores(i);
    create table marts.dim_products as
    select
        i::integer as product_id,
        case when i % 250 <> 249 then 'category_' || lpad((hash(i, 'category') % 20)::varchar, 2, '0') end as category,
        'brand_' || lpad((hash(i, 'brand') % 300)::varchar, 3, '0') as brand
    from range({PRODUCTS}) products(i);
    create table marts.dim_members as
    select i::integer as member_id, ['basic', 'silver', 'gold', 'black'][1 + (hash(i, 'tier') % 4)::integer] as tier
    from range({MEMBERS}) members(i);
    create table marts.time_spine as
    select day::date as day from range(date '2022-01-01', date '2028-01-01', interval 1 day) days(day);
"""

# Squares of uniform numbers: a few stores, products and members have much, most have little.
_LINES = """
    create table marts.fct_order_lines as
    with orders as (
        select
            i::bigint as order_id,
            floor(i * {days}::double / {orders})::integer as day_number,
            (pow((hash(i, 'store') % 1000003) / 1000003.0, 2) * {stores})::integer % {stores} as store_id,
            case when hash(i, 'known') % 4 > 0
                then (pow((hash(i, 'member') % 1000003) / 1000003.0, 2) * {members})::integer % {members} end as member_id,
            ['store', 'store', 'store', 'online', 'app'][1 + (hash(i, 'channel') % 5)::integer] as channel,
            unnest(range((1 + hash(i, 'lines') % 6)::bigint)) as line_number
        from range({orders}) orders(i)
    ),
    lines as (
        select
            *,
            order_id * 8 + line_number as line_id,
            (pow((hash(order_id, line_number, 'product') % 1000003) / 1000003.0, 2) * {products})::integer
                % {products} as product_id,
            (1 + hash(order_id, line_number, 'quantity') % 6)::integer as quantity,
            hash(order_id, line_number, 'promoted') % 5 = 0 as is_promoted
        from orders
    ),
    priced as (
        select *, (quantity * (99 + hash(product_id, 'price') % 4900))::bigint as list_cents from lines
    )
    select
        line_id,
        order_id,
        store_id,
        product_id,
        member_id,
        date '{first}' + least(
            day_number + (hash(order_id, 'late') % 400 = 0 and line_number > 0)::integer, {days} - 1
        ) as ordered_on,
        quantity,
        (list_cents / 100)::decimal(18, 2) as list_amount,
        (case when is_promoted then list_cents * 0.8 else list_cents end / 100)::decimal(18, 2) as paid_amount,
        (list_cents * (50 + hash(product_id, 'cost') % 30) / 10000)::decimal(18, 2) as cost_amount,
        is_promoted,
        hash(product_id, 'label') % 6 = 0 as is_private_label,
        channel
    from priced
"""


def make_warehouse(path: Path, rows: int, days: int = 730, memory: str = "4GB") -> None:
    """Write a warehouse file with about ``rows`` order lines over ``days`` days."""
    path.unlink(missing_ok=True)
    lines = _LINES.format(
        orders=round(rows / LINES_PER_ORDER),
        days=days,
        stores=STORES,
        products=PRODUCTS,
        members=MEMBERS,
        first=FIRST_DAY.isoformat(),
    )
    with duckdb.connect(str(path), config={"memory_limit": memory, "threads": 2}) as con:
        con.execute("set enable_progress_bar = false")
        con.execute(dedent(_DIMENSIONS))
        con.execute(dedent(lines))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--days", type=int, default=730)
    given = parser.parse_args()
    make_warehouse(given.file, given.rows, given.days)
    with duckdb.connect(str(given.file), read_only=True) as con:
        print(
            con.sql("summarize marts.fct_order_lines").project("column_name, min, max, approx_unique, null_percentage")
        )


if __name__ == "__main__":
    main()
