"""Any list of periods as SQL says what halving it in Python says."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, timedelta
from itertools import accumulate

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics_catalog.engine.stretches import Stretch, stretches, stretches_sql
from metrics_catalog.engine.tree import column

FIRST = date(2023, 1, 29)


def starts_of(lengths: list[int]) -> list[date]:
    return [FIRST + timedelta(days=days) for days in accumulate(lengths, initial=0)]


def test_many_periods_of_one_length_are_one_stretch() -> None:
    starts = starts_of([7] * 52 + [28, 28, 35])
    assert stretches(starts) == [Stretch(FIRST, 7), *(Stretch(start, 0) for start in starts[-4:])]


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 12)), min_size=1, max_size=8))
def test_sql_finds_the_start_that_halving_finds(lengths: list[tuple[int, int]]) -> None:
    starts = starts_of([days for days, count in lengths for _ in range(count)])
    sql = stretches_sql(starts, column("day")).sql("duckdb")
    last = starts[-1] + timedelta(days=5)
    days = f"select date '{FIRST}' - 3 + i::int as day from range({(last - FIRST).days + 3}) r(i)"
    for day, found in duckdb.execute(f"select day, {sql} from ({days})").fetchall():
        place = bisect_right(starts, day) - 1
        assert found == (None if place < 0 else starts[place]), day


def test_nothing_known_is_null() -> None:
    assert stretches_sql([], column("day")).sql("duckdb") == "CAST(NULL AS DATE)"
