"""Periods of own grains in SQL: 5M rows by period and one of 500 stores, beside calendar months and a join."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import accumulate, pairwise
from time import process_time

import duckdb

from metrics_catalog.engine.periods import Calendar
from metrics_catalog.engine.stretches import stretches, stretches_sql
from metrics_catalog.engine.tree import column

FIRST, DAYS, ROWS = date(2016, 1, 3), 3640, 5_000_000
CALENDARS = {"520 retail weeks": [7] * 520, "120 months of 4, 4, 5 weeks": [28, 28, 35] * 40}


def seconds(con: duckdb.DuckDBPyConnection, query: str) -> float:
    """CPU seconds of the second run."""
    con.execute(query).fetchall()
    begun = process_time()
    con.execute(query).fetchall()
    return process_time() - begun


def main() -> None:
    """Print CPU seconds of each way."""
    con = duckdb.connect()
    con.execute(
        f"create table rows as select date '{FIRST}' + (i * 7919 % {DAYS})::int as day, i % 500 as store, i as amount"
        f" from range({ROWS}) r(i)"
    )
    grouped = "select {} as period, store, sum(amount) from rows group by 1, 2"
    usual = Calendar().start_sql("month", column("day")).sql("duckdb")
    print(f"calendar months: {seconds(con, grouped.format(usual)):.2f}")
    for name, lengths in CALENDARS.items():
        starts = [FIRST + timedelta(days=days) for days in accumulate(lengths, initial=0)]
        own = stretches_sql(starts, column("day")).sql("duckdb")
        flat = " ".join(f"when day < date '{after}' then date '{start}'" for start, after in pairwise(starts))
        con.execute(f"create or replace table spine as select distinct day, {own} as period from rows")
        joined = "select period, store, sum(amount) from rows join spine using (day) group by 1, 2"
        print(
            f"{name}, {len(stretches(starts))} branches: {seconds(con, grouped.format(own)):.2f}; "
            f"a branch for each: {seconds(con, grouped.format(f'case {flat} end')):.2f}; joined: {seconds(con, joined):.2f}"
        )


if __name__ == "__main__":
    main()
