"""The benchmark's metrics as somebody who knows this data and DuckDB would write them: the plan the engine is held to.

    python tests/benchmarks/engine_by_hand.py FILE [--verify]

One table for each grain and slice, ``hand_<slice>_<grain>``, with a column for each metric. ``--verify`` compares every cell
with the engine's values. What makes it fast, each measured on 5M lines:

- dimensions as small whole numbers instead of text (groups cost half), amounts as whole cents (a median costs a fifth);
- sums by day and store, and by day, region and category: two small tables instead of one that hardly shrinks the rows;
- distinct keys from the day each was last seen before: one sort serves day, week and month; for total, store and
  region from one row for each day, store and order (or member);
- distinct products as bit strings by day and region, cut by category with a mask.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
from engine_metrics import GRAINS, METRICS
from engine_runs import connect, days, engine_rows

CUTS: dict[str, tuple[str, ...]] = {
    "total": (), "store": ("store",), "region": ("region",), "category": ("category",),
    "region_category": ("region", "category"),
}  # fmt: skip
STARTS = {"day": "day", "week": "date_trunc('week', day)::date", "month": "date_trunc('month', day)::date"}

LINES = """
create temp table region_codes as
select region as name, (row_number() over (order by region))::utinyint as region
from (select distinct region from marts.dim_stores);
create temp table category_codes as
select category as name, (row_number() over (order by category))::utinyint as category
from (select distinct category from marts.dim_products);
create temp table stores as
select store_id::usmallint as store, codes.region
from marts.dim_stores join region_codes as codes on dim_stores.region is not distinct from codes.name;
create temp table products as
select product_id, codes.category
from marts.dim_products join category_codes as codes on dim_products.category is not distinct from codes.name;
create temp table lines as
select
    ordered_on as day,
    stores.store,
    stores.region,
    products.category,
    order_id,
    product_id,
    member_id,
    quantity::utinyint as quantity,
    (list_amount * 100)::integer as list_cents,
    (paid_amount * 100)::integer as paid_cents,
    (cost_amount * 100)::integer as cost_cents,
    is_promoted,
    is_private_label,
    channel = 'online' as is_online
from marts.fct_order_lines
join stores on store_id = stores.store
join products using (product_id);
"""
SUMS = {
    "net": "sum(paid_cents)",
    "gross": "sum(list_cents)",
    "spent": "sum(cost_cents)",
    "units": "sum(quantity)",
    "promoted": "sum(paid_cents) filter (is_promoted)",
    "private_label": "sum(paid_cents) filter (is_private_label)",
    "online": "sum(paid_cents) filter (is_online)",
    "member": "sum(paid_cents) filter (member_id is not null)",
    "fresh": "sum(paid_cents) filter (category = (select category from category_codes where name = 'category_03'))",
    "lines": "count(*)",
    "promoted_lines": "count(*) filter (is_promoted)",
    "bulk_lines": "count(*) filter (quantity >= 5)",
    "smallest": "min(paid_cents)",
    "largest": "max(paid_cents)",
}
ALREADY = {"smallest": "min", "largest": "max"}

# A metric's column, over additive `a`, distinct counts and the median of the same period and slice.
MONEY = "(a.{} / 100)::decimal(28, 6)"
VALUES = {
    "net_sales": MONEY.format("net"),
    "gross_sales": MONEY.format("gross"),
    "cost": MONEY.format("spent"),
    "units": "a.units",
    "discounts": "((a.gross - a.net) / 100)::decimal(28, 6)",
    "promoted_sales": MONEY.format("promoted"),
    "private_label_sales": MONEY.format("private_label"),
    "online_sales": MONEY.format("online"),
    "member_sales": MONEY.format("member"),
    "fresh_sales": MONEY.format("fresh"),
    "line_count": "a.lines",
    "promoted_lines": "nullif(a.promoted_lines, 0)",
    "bulk_lines": "nullif(a.bulk_lines, 0)",
    "smallest_line": MONEY.format("smallest"),
    "largest_line": MONEY.format("largest"),
    "average_line": "a.net / 100 / a.lines",
    "average_units": "a.units / a.lines",
    "median_line": "median.cents / 100",
    "order_count": "orders.every",
    "online_orders": "nullif(orders.kept, 0)",
    "active_members": "members.every",
    "promoted_members": "nullif(members.kept, 0)",
    "active_skus": "nullif(skus.every, 0)",
    "discount_rate": "(a.gross - a.net) / a.gross",
    "promoted_share": "coalesce(a.promoted, 0) / a.net",
    "private_label_share": "coalesce(a.private_label, 0) / a.net",
    "average_order": "a.net / 100 / orders.every",
    "units_per_order": "a.units / orders.every",
    "sales_per_member": "a.member / 100 / members.every",
    "promoted_member_share": "coalesce(members.kept, 0) / members.every",
    "gross_profit": "((a.net - a.spent) / 100)::decimal(28, 6)",
    "gross_margin": "(a.net - a.spent) / a.net",
    "week_growth": "coalesce(a.net, 0) / before.net - 1",
    "month_growth": "coalesce(a.net, 0) / before.net - 1",
}


def statements(metrics: Iterable[str], last: date) -> Iterator[tuple[str, str]]:
    """(name, SQL) to run in order; only periods that are over on ``last``."""
    wanted = list(metrics)
    yield "lines", LINES
    yield from _additive()
    yield from _distinct("orders", "order_id", "is_online")
    yield from _distinct("members", "member_id", "is_promoted")
    yield from _skus()
    for cut, keys in CUTS.items():
        for grain in GRAINS:
            yield from _median(cut, keys, grain)
            yield f"hand_{cut}_{grain}", _values(wanted, cut, keys, grain, last)


def _table(name: str, columns: str, source: str, keys: Sequence[str], where: str = "") -> tuple[str, str]:
    """A temporary table of ``columns`` by ``keys``."""
    grouped = f" group by {', '.join(str(number + 1) for number in range(len(keys)))}"
    return name, f"create temp table {name} as select {', '.join(keys)}, {columns} from {source} {where}{grouped}"


def _additive() -> Iterator[tuple[str, str]]:
    sums = ", ".join(f"{call} as {name}" for name, call in SUMS.items())
    merged = ", ".join(f"{ALREADY.get(name, 'sum')}({name}) as {name}" for name in SUMS)
    yield _table("a_store_day", sums, "lines", ["day as period", "store"])
    yield _table("a_region_category_day", sums, "lines", ["day as period", "region", "category"])
    yield _table("a_region_day", merged, "a_region_category_day", ["period", "region"])
    yield _table("a_category_day", merged, "a_region_category_day", ["period", "category"])
    yield _table("a_total_day", merged, "a_region_day", ["period"])
    for cut, keys in CUTS.items():
        for grain in ("week", "month"):
            start = STARTS[grain].replace("day)", "period)") + " as period"
            yield _table(f"a_{cut}_{grain}", merged, f"a_{cut}_day", [start, *keys])


def _distinct(name: str, key: str, test: str) -> Iterator[tuple[str, str]]:
    """Distinct keys of every slice; total, store and region are made of stores and start from fewer rows."""
    once = f"create temp table {name}_by_day as select day, store, region, {key}, bool_or({test}) as kept from lines "
    yield f"{name}_by_day", f"{once} where {key} is not null group by all"
    for cut, keys in CUTS.items():
        source, kept = ("lines", test) if "category" in keys else (f"{name}_by_day", "kept")
        yield from _first_seen(f"{name}_{cut}", key, cut, source, {"every": f"{key} is not null", "kept": kept})


def _first_seen(name: str, key: str, cut: str, source: str, columns: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Distinct keys of one slice: a row counts in each period that began after its key was last seen."""
    keys = "".join(f", {one}" for one in CUTS[cut])
    rows = " union all ".join(
        f"select day{keys}, '{column}' as part, lag(day) over (partition by {key}{keys} order by day) as seen "
        f"from {source} where {key} is not null and {test}"
        for column, test in columns.items()
    )
    counts = ", ".join(
        f"count(*) filter (part = '{column}' and (seen is null or seen < {start})) as {column}_{grain}"
        for grain, start in STARTS.items()
        for column in columns
    )
    yield _table(f"{name}_seen", counts, f"({rows})", ["day", *CUTS[cut]])
    for grain, start in STARTS.items():
        sums = ", ".join(f"nullif(sum({column}_{grain}), 0) as {column}" for column in columns)
        yield _table(f"{name}_{grain}", sums, f"{name}_seen", [f"{start} as period", *CUTS[cut]])


def _skus() -> Iterator[tuple[str, str]]:
    """Distinct products: few enough for a bit each, but by store, where most bits would be empty."""
    yield "last_product", "set variable last_product = (select max(product_id) from products)"
    bits = "bitstring_agg(product_id, 0, getvariable('last_product')) as bits"
    yield _table("skus_masks", bits, "products", ["category"])
    yield from _first_seen("skus_store", "product_id", "store", "lines", {"every": "true"})
    for grain, start in STARTS.items():
        if grain == "day":
            yield _table("skus_bits_region_day", bits, "lines", ["day", "region"])
        else:
            merged = "bit_or(bits) as bits"
            yield _table(f"skus_bits_region_{grain}", merged, "skus_bits_region_day", [f"{start} as day", "region"])
        yield _table(f"skus_bits_total_{grain}", "bit_or(bits) as bits", f"skus_bits_region_{grain}", ["day"])
        for cut, sliced in (("total", "category"), ("region", "region_category")):
            keys, made = ", ".join(["day as period", *CUTS[cut]]), f"skus_bits_{cut}_{grain}"
            counts = "create temp table {} as select {}, bit_count({}) as every from {}"
            yield f"skus_{cut}_{grain}", counts.format(f"skus_{cut}_{grain}", keys, "bits", made)
            both, masked = f"{keys}, masks.category", f"{made} as made, skus_masks as masks"
            name = f"skus_{sliced}_{grain}"
            yield name, counts.format(name, both, "made.bits & masks.bits", masked)


def _median(cut: str, keys: Sequence[str], grain: str) -> Iterator[tuple[str, str]]:
    yield _table(f"median_{cut}_{grain}", "median(paid_cents) as cents", "lines", [f"{STARTS[grain]} as period", *keys])


def _values(metrics: Sequence[str], cut: str, keys: Sequence[str], grain: str, last: date) -> str:
    named = ", ".join("store" if key == "store" else f"{key}_codes.name as {key}" for key in keys)
    columns = ", ".join(f"{VALUES[name]} as {name}" for name in metrics if grain in METRICS[name].get("grains", GRAINS))
    using = ", ".join(["period", *keys])
    span = "interval 1 month" if grain == "month" else "interval 7 day"
    # A store that sold last week and not this one is down by all of it.
    before = f"(select * replace ((period + {span})::date as period) from a_{cut}_{grain})"
    joins = [f"full join {before} as before using ({using})"]
    joins += [
        f"left join {name}_{cut}_{grain} as {name} using ({using})" for name in ("orders", "members", "skus", "median")
    ]
    joins += [f"join {key}_codes using ({key})" for key in keys if key != "store"]
    head = f"create temp table hand_{cut}_{grain} as select period{', ' * bool(named)}{named}, {columns}"
    over = f"period + interval 1 {grain} <= date '{last}' + 1"
    return f"{head} from a_{cut}_{grain} as a {' '.join(joins)} where {over}"


def cumulative(last: date) -> Iterator[tuple[str, str]]:
    """(name, SQL): month to date, 28 days and members of 28 days, each day and slice whose window has rows."""
    yield "lines", LINES
    sums = "sum(paid_cents) as net"
    yield _table("c_store_day", sums, "lines", ["day", "store"])
    yield _table("c_region_category_day", sums, "lines", ["day", "region", "category"])
    yield _table("c_region_day", "sum(net) as net", "c_region_category_day", ["day", "region"])
    yield _table("c_category_day", "sum(net) as net", "c_region_category_day", ["day", "category"])
    yield _table("c_total_day", "sum(net) as net", "c_region_day", ["day"])
    for cut, keys in CUTS.items():
        yield f"c_{cut}_members", _comings_and_goings(keys)
        yield f"hand_{cut}_running", _running(cut, keys, last)


def _comings_and_goings(keys: Sequence[str]) -> str:
    """Members by day they enter the last 28 days, and leave them."""
    by = "".join(f", {one}" for one in keys)
    seen = f"over (partition by member_id{by} order by day)"
    once = f"select distinct day, member_id{by} from lines where member_id is not null"
    days = f"select *, lag(day) {seen} as before, lead(day) {seen} as after from ({once})"
    came = f"select day{by}, 1 as change from neighbours where before is null or day - before >= 28"
    left = f"select day + 28{by}, -1 from neighbours where after is null or after - day >= 28"
    cut = "_".join(keys) or "total"
    return (
        f"create temp table c_{cut}_members as with neighbours as ({days}) "
        f"select day{by}, sum(change) as change from ({came} union all {left}) group by all"
    )


def _running(cut: str, keys: Sequence[str], last: date) -> str:
    using = ", ".join(["day", *keys])
    by = "".join(f", {one}" for one in keys)
    whole = f"partition by {', '.join(keys)} order by day" if keys else "order by day"
    month = f"partition by date_trunc('month', day){by} order by day"
    members = f"from (select distinct {', '.join(keys)} from c_{cut}_day)" if keys else "from (select 1)"
    return f"""
        create temp table hand_{cut}_running as
        with grid as (
            select * {members},
            (select unnest(generate_series(min(day), date '{last}', interval 1 day))::date as day from lines)
        )
        select
            {using},
            sum(net) over ({month}) / 100 as net_sales_to_date,
            sum(net) over ({whole} rows 27 preceding) / 100 as net_sales_28d,
            nullif(sum(change) over ({whole} rows unbounded preceding), 0) as active_members_28d
        from grid left join c_{cut}_day using ({using}) left join c_{cut}_members using ({using})
    """


def differences(
    con: duckdb.DuckDBPyConnection, metrics: Iterable[str], values: str, allowed: Mapping[str, float] | None = None
) -> Iterator[tuple[str, str, int]]:
    """(table, metric, cells) where a table of values does not equal the rows of relation ``values``.

    Values are equal to the last digit but one, as a ratio of doubles may round either way; ``allowed``: metrics that may
    differ more.
    """
    for cut, keys in CUTS.items():
        for grain in GRAINS:
            for metric in (name for name in metrics if grain in METRICS[name].get("grains", GRAINS)):
                using = " and ".join(
                    f"hand.{key}::varchar is not distinct from rows.{key}" for key in ("period", *keys)
                )
                theirs = (
                    f"select * replace (period::varchar as period) from {values} "
                    f"where metric = '{metric}' and grain = '{grain}' and slice = '{','.join(keys)}'"
                )
                most = (allowed or {}).get(metric, 0.0000015)
                unequal = f"abs(hand.{metric} - rows.value) > {most} or (hand.{metric} is null) <> (rows.value is null)"
                query = f"select count(*) from hand_{cut}_{grain} as hand full join ({theirs}) as rows on {using} where {unequal}"
                row = con.execute(query).fetchone()
                if row and row[0]:
                    yield f"{cut}_{grain}", metric, row[0]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--verify", action="store_true", help="compare with the engine's values; exit code 1 if unequal"
    )
    given = parser.parse_args()
    with connect(given.file, "4GB", given.file.parent) as con:
        last = days(con)[1]
        began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        for name, sql in statements(METRICS, last):
            con.execute(sql)
            spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime
            print(f"{name:<32} {spent - began:6.2f} CPU s", flush=True)
            began = spent
        if given.verify:
            engine_rows(con, METRICS, last, "engine")
            wrong = list(differences(con, METRICS, "engine"))
            print(*wrong or ["all values equal the engine's"], sep="\n")
            raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
