"""A point in time is on the day that the company's clocks show, days of 23 and 25 hours included; plain times are as told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.days import day_of
from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.engine.needs import Windows
from metrics_catalog.engine.periods import Span
from metrics_catalog.rules import check_all
from metrics_catalog.semantic import Dimension, SemanticModel, Semantics

ZONE = "America/New_York"
SHORT, LONG = date(2024, 3, 10), date(2024, 11, 3)  # the days on which New York's clocks are changed
WINDOWS: Windows = {
    "day": tuple(Span(day - timedelta(days=2), day + timedelta(days=3)) for day in (SHORT, LONG)),
    "month": (Span(date(2024, 1, 1), date(2025, 1, 1)),),
}
KINDS = {"timestamp with time zone": "", "timestamp": "UTC"}  # and the zone it is declared to be written in
WRITTEN = {"timestamp with time zone": "?::timestamptz", "timestamp": "?::timestamptz at time zone 'UTC'"}


def over_times(semantics: Semantics, kind: str, written_in: str = "", zone: str = ZONE) -> Semantics:
    """The shop's sales by a time instead of a day."""
    sales = semantics.models["sales"]
    model = replace(
        sales,
        dimensions={"sold_on": Dimension("sold_on", "sold_on", True, timezone=written_in)},
        columns={**sales.columns, "sold_on": kind},
    )
    return replace(semantics, models={**semantics.models, "sales": model}, timezone=zone)


@pytest.fixture(scope="module")
def catalog_of(
    semantics: Semantics, catalog_over: Callable[..., Catalog], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Catalog]:
    def make(kind: str, written_in: str = "", zone: str = ZONE) -> Catalog:
        keys = {"agg": "count", "expr": None, "grains": ["day", "month"]}
        distinct = {"agg": "count_distinct", "expr": "member_id", "grains": ["day", "month"]}
        folder = tmp_path_factory.mktemp("times")
        return catalog_over(over_times(semantics, kind, written_in, zone), folder, {"lines": keys, "members": distinct})

    return make


@pytest.fixture(scope="module")
def con(marts: Callable[[], duckdb.DuckDBPyConnection]) -> duckdb.DuckDBPyConnection:
    """Of a session far from the company's zone, which must not matter."""
    con = marts()
    con.execute("set TimeZone = 'Asia/Tokyo'")
    return con


@st.composite
def instants(draw: st.DrawFn) -> list[datetime]:
    """Within two days of a change of clocks, by minutes."""
    start = st.sampled_from([SHORT, LONG])
    minutes = st.integers(-24 * 60, 48 * 60)
    pairs = draw(st.lists(st.tuples(start, minutes), min_size=1, max_size=12))
    return [datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=later) for day, later in pairs]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=instants())
def test_days_are_those_of_the_companys_clocks(
    kind: str,
    times: list[datetime],
    catalog_of: Callable[..., Catalog],
    con: duckdb.DuckDBPyConnection,
    engine_values: Callable[..., Any],
) -> None:
    catalog = catalog_of(kind, KINDS[kind])
    con.execute(
        f"create or replace table marts.fct_sales as from marts.fct_sales select * replace ({WRITTEN[kind]} as sold_on)",
        [None],
    )
    con.execute("truncate marts.fct_sales")
    insert = f"insert into marts.fct_sales (line_id, member_id, sold_on) values (?, ?, {WRITTEN[kind]})"
    con.executemany(insert, [[number, number, time.isoformat()] for number, time in enumerate(times)])
    found = engine_values(con, catalog, WINDOWS)
    local = [time.astimezone(ZoneInfo(ZONE)).date() for time in times]
    expected = {("day", day): count for day, count in Counter(local).items()}
    expected |= {("month", day): count for day, count in Counter(day.replace(day=1) for day in local).items()}
    for metric in ("lines", "members"):
        assert {
            (grain, start): value for (name, grain, start, *_), value in found.items() if name == metric
        } == expected


def test_the_clock_of_a_short_day_shows_23_hours_and_of_a_long_one_25(semantics: Semantics) -> None:
    day = day_of(over_times(semantics, "timestamptz"), "sales", "sold_on").sql("duckdb")
    first, last = "timestamptz '2024-01-01 00:30:00+00'", "timestamptz '2024-12-31 00:30:00+00'"
    hours = f"select unnest(generate_series({first}, {last}, interval 1 hour)) as sold_on"
    count = f"select count(*) from ({hours}) sales where {day} = ?"
    con = duckdb.connect()
    assert [con.execute(count, [one]).fetchone() for one in (SHORT, LONG, date(2024, 6, 1))] == [(23,), (25,), (24,)]


def test_a_plain_time_is_on_the_day_it_says(semantics: Semantics) -> None:
    written = {
        kind: day_of(over_times(semantics, kind), "sales", "sold_on").sql("duckdb") for kind in ("timestamp", "date")
    }
    assert written == {"timestamp": "CAST(sales.sold_on AS DATE)", "date": "sales.sold_on"}


def test_an_expression_over_a_time_means_what_its_author_wrote(semantics: Semantics) -> None:
    over = over_times(semantics, "timestamptz")
    assert day_of(over, "sales", "cast(sold_on as date)").sql() == "CAST(CAST(sales.sold_on AS DATE) AS DATE)"


@pytest.mark.parametrize(
    ("dialect", "written"),
    [("postgres", "CAST(sales.sold_on AT TIME ZONE 'America/New_York' AS DATE)"),
     ("spark", "CAST(CONVERT_TIMEZONE('America/New_York', sales.sold_on) AS DATE)")],
)  # fmt: skip
def test_other_engines_have_their_own_words_for_it(semantics: Semantics, dialect: str, written: str) -> None:
    assert day_of(over_times(semantics, "timestamptz"), "sales", "sold_on").sql(dialect) == written


def test_another_zone_is_another_calculation_only_where_it_decides_days(catalog_of: Callable[..., Catalog]) -> None:
    def prints(kind: str, zone: str) -> str:
        return calculations(catalog_of(kind, zone=zone))["lines"]

    assert prints("timestamptz", ZONE) != prints("timestamptz", "Asia/Shanghai")
    assert prints("timestamp", ZONE) == prints("timestamp", "Asia/Shanghai") == prints("date", ZONE)


@pytest.mark.parametrize(
    ("kind", "zone", "said"),
    [("timestamp", "Mars/Olympus", '"Mars/Olympus" is not a time zone'), ("date", "UTC", "a date needs none"),
     ("timestamptz", "UTC", "a timestamptz needs none")],
)  # fmt: skip
def test_a_zone_that_cannot_be_is_said(catalog_of: Callable[..., Catalog], kind: str, zone: str, said: str) -> None:
    (problem,) = check_all(catalog_of(kind, zone))
    assert f'semantic model "sales": sold_on: timezone: {said}' in problem.message
    assert list(check_all(catalog_of("timestamp", "UTC"))) == []


def test_what_is_valid_for_a_time_changes_at_the_companys_midnight(
    semantics: Semantics, model_of: Callable[..., SemanticModel]
) -> None:
    history = replace(model_of("history", "dim_history", None, {}, {}, {"since": "timestamptz"}))
    over = replace(over_times(semantics, "date"), models={"history": history})
    assert "AT TIME ZONE 'America/New_York'" in day_of(over, "history", "since").sql("duckdb")
