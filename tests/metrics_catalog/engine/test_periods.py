"""Python and SQL agree on every period."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_catalog.engine.periods import Calendar, Span, WeekStart, merged
from metrics_catalog.engine.tree import column
from metrics_catalog.spec.base import GRAINS, Grain

DAYS = st.dates(date(1999, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize("week_start", ["monday", "sunday"])
def test_sql_starts_equal_python_starts(week_start: WeekStart) -> None:
    calendar = Calendar(week_start)
    con = duckdb.connect()
    con.execute(
        "create table days as select unnest(generate_series(date '2015-12-20', date '2021-01-10', interval 1 day))::date as day"
    )
    for grain in GRAINS:
        sql = calendar.start_sql(grain, column("day")).sql("duckdb")
        for day, start in con.execute(f"select day, {sql} from days").fetchall():
            assert start == calendar.start(grain, day), (grain, day)


@given(day=DAYS, grain=st.sampled_from(GRAINS), week_start=st.sampled_from(["monday", "sunday"]))
def test_a_day_is_in_its_own_span_and_spans_tile(day: date, grain: Grain, week_start: WeekStart) -> None:
    calendar = Calendar(week_start)
    span = calendar.span(grain, day)
    assert day in span
    assert calendar.start(grain, span.end) == span.end
    assert calendar.span(grain, span.end - timedelta(days=1)) == span


def test_weeks_begin_where_policy_says() -> None:
    assert Calendar("monday").start("week", date(2017, 1, 1)) == date(2016, 12, 26)
    assert Calendar("sunday").start("week", date(2017, 1, 1)) == date(2017, 1, 1)


def test_every_period_with_a_day_in_the_range() -> None:
    spans = list(Calendar().spans("quarter", date(2017, 2, 1), date(2017, 7, 1)))
    assert spans == [Span(date(2017, 1, 1), date(2017, 4, 1)), Span(date(2017, 4, 1), date(2017, 7, 1))]


@given(st.lists(st.tuples(DAYS, st.integers(1, 40))))
def test_merged_spans_hold_the_same_days(pairs: list[tuple[date, int]]) -> None:
    spans = [Span(day, day + timedelta(days=length)) for day, length in pairs]
    together = merged(spans)
    days = {day.start + timedelta(days=n) for day in spans for n in range((day.end - day.start).days)}
    assert sum((span.end - span.start).days for span in together) == len(days)
    assert all(any(day in span for span in together) for day in days)
