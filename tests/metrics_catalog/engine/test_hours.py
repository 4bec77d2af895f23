"""Values by the hour equal brute force over points in time, on days of 23, 24 and 25 hours, in whole and odd zones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.engine.hours import days_read, hours_of, looked_at
from metrics_catalog.engine.needs import Windows
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.rollup import rollups
from metrics_catalog.engine.terms import Shift
from metrics_catalog.rules import check_all
from metrics_catalog.semantic import AT, Dimension, Semantics
from metrics_catalog.spec.time import Offset

# A zone, and days around which its clocks change: by an hour; by half an hour; never, but half an hour off.
ZONES = {
    "America/New_York": (date(2024, 3, 10), date(2024, 11, 3)),
    "Australia/Lord_Howe": (date(2024, 10, 6), date(2024, 4, 7)),
    "Asia/Kolkata": (date(2024, 3, 10), date(2024, 11, 3)),
    "UTC": (date(2024, 2, 29), date(2024, 12, 31)),
}
NEW_YORK = "America/New_York"
KINDS = {"timestamp with time zone": "", "timestamp": "UTC"}  # and the zone it is declared to be written in
WRITTEN = {"timestamp with time zone": "?::timestamptz", "timestamp": "?::timestamptz at time zone 'UTC'"}
METRICS: dict[str, dict[str, Any]] = {
    "lines": {"agg": "count", "expr": None},
    "revenue": {},
    "members": {"agg": "count_distinct", "expr": "member_id"},
    "repeaters": {"agg": "count_distinct", "expr": "member_id", "having": "count(*) >= 2"},
    "middle": {"agg": "median"},
    "per_member": {"type": "ratio", "numerator": "revenue", "denominator": "members"},
    "growth": {"type": "derived", "expr": "lines - before", "inputs": {"before": {"metric": "lines", "offset": "previous"}}},
    "daily": {"type": "derived", "expr": "members - before", "inputs": {"before": {"metric": "members", "offset": "1 day"}}},
}  # fmt: skip
GRAINS = ["hour", "day"]


@dataclass(frozen=True)
class Sale:
    at: datetime  # with time zone
    store: str
    member: int | None
    amount: Decimal


Rows = Sequence[Sale]
Measure = Callable[[Rows], Fraction | None]


def over_times(semantics: Semantics, kind: str, written_in: str, zone: str, grain: str = "second") -> Semantics:
    """The shop's sales by a time instead of a day."""
    sales = semantics.models["sales"]
    time_ = Dimension("sold_on", "sold_on", True, grain, written_in)
    model = replace(sales, dimensions={"sold_on": time_}, columns={**sales.columns, "sold_on": kind})
    return replace(semantics, models={**semantics.models, "sales": model}, timezone=zone)


@pytest.fixture(scope="module")
def catalog_of(
    semantics: Semantics, catalog_over: Callable[..., Catalog], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Catalog]:
    made: dict[tuple[str, ...], Catalog] = {}

    def make(kind: str, written_in: str, zone: str) -> Catalog:
        if (kind, zone) not in made:
            over = over_times(semantics, kind, written_in, zone)
            keys = {name: {"grains": GRAINS, "slices": [["store"]], **one} for name, one in METRICS.items()}
            made[kind, zone] = catalog_over(over, tmp_path_factory.mktemp("hours"), keys)
        return made[kind, zone]

    return make


@pytest.fixture(scope="module")
def con(marts: Callable[[], duckdb.DuckDBPyConnection]) -> duckdb.DuckDBPyConnection:
    """Of a session far from the company's zone, which must not matter."""
    con = marts()
    con.execute("set TimeZone = 'Asia/Tokyo'")
    return con


def labels(zone: str) -> list[datetime]:
    """When each hour near the changes of clocks began, in UTC: read off a clock that is looked at every minute."""
    found = []
    for change in ZONES[zone]:
        start = datetime.combine(change - timedelta(days=4), time(), UTC)
        found += [label(zone, start + timedelta(minutes=15 * number)) for number in range(4 * 24 * 9)]
    return sorted(set(found))


def label(zone: str, at: datetime) -> datetime:
    shown = at.astimezone(ZoneInfo(zone))
    return (at - timedelta(minutes=shown.minute, seconds=shown.second)).astimezone(UTC).replace(tzinfo=None)


def clock(zone: str, hour: datetime) -> datetime:
    return hour.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))


def a_day_before(zone: str, every: Sequence[datetime], hour: datetime) -> datetime | None:
    """The hour a day before at which the clock showed the same; of two, the one as early or late."""
    shown = clock(zone, hour)
    same = [
        one
        for one in every
        if (seen := clock(zone, one)).date() == shown.date() - timedelta(days=1) and seen.hour == shown.hour
        and seen.minute == shown.minute
    ]  # fmt: skip
    return next(iter(same[::-1] if shown.fold else same), None)


def members(rows: Rows, times: int = 1) -> Fraction | None:
    seen: dict[int, int] = defaultdict(int)
    for row in rows:
        if row.member is not None:
            seen[row.member] += 1
    return Fraction(sum(count >= times for count in seen.values())) or None


def revenue(rows: Rows) -> Fraction | None:
    return Fraction(sum((row.amount for row in rows), Decimal(0))) if rows else None


def lines(rows: Rows) -> Fraction | None:
    return Fraction(len(rows)) if rows else None


def per_member(rows: Rows) -> Fraction | None:
    total, over = revenue(rows), members(rows)
    return None if total is None or not over else total / over


MEASURES: dict[str, Measure] = {
    "lines": lines, "revenue": revenue, "members": members, "repeaters": lambda rows: members(rows, 2),
    "middle": lambda rows: median([Fraction(row.amount) for row in rows]) if rows else None, "per_member": per_member,
}  # fmt: skip


def expected(zone: str, sales: Rows, windows: Sequence[Span]) -> dict[tuple[Any, ...], Fraction]:
    """(metric, day, slice, hour and member) -> value."""
    by: dict[tuple[tuple[str, ...], datetime], list[Sale]] = defaultdict(list)
    for sale in sales:
        for store in ((), (sale.store,)):
            by[store, label(zone, sale.at)].append(sale)
    every, found = labels(zone), dict[tuple[Any, ...], Fraction]()
    for store in dict.fromkeys(store for store, _ in by):
        for number, hour in enumerate(every):
            day = clock(zone, hour).date()
            if not any(day in span for span in windows):
                continue
            rows = by.get((store, hour), [])
            key = day, ("at", *(["store"] if store else [])), (str(hour), *store)
            values = {metric: measure(rows) for metric, measure in MEASURES.items()}
            for metric, of, other in (
                ("growth", lines, every[number - 1]), ("daily", members, a_day_before(zone, every, hour)),
            ):  # fmt: skip
                before = of(by.get((store, other), [])) if other is not None else None
                now = of(rows)
                values[metric] = None if now is None and before is None else (now or 0) - (before or Fraction(0))
            found |= {(metric, *key): value for metric, value in values.items() if value is not None}
    return found


@st.composite
def shops(draw: st.DrawFn, zone: str) -> list[Sale]:
    """Within two days of a change of clocks, by minutes."""
    sale = st.tuples(
        st.sampled_from(ZONES[zone]), st.integers(-24 * 60, 48 * 60), st.sampled_from(["上海店", "B"]),
        st.none() | st.integers(1, 3), st.integers(1, 900),
    )  # fmt: skip
    return [
        Sale(datetime.combine(day, time(), UTC) + timedelta(minutes=later), store, member, Decimal(cents) / 100)
        for day, later, store, member, cents in draw(st.lists(sale, min_size=1, max_size=14))
    ]


def fill(con: duckdb.DuckDBPyConnection, kind: str, sales: Rows) -> None:
    con.execute(
        f"create or replace table marts.fct_sales as from marts.fct_sales select * replace ({WRITTEN[kind]} as sold_on)",
        [None],
    )
    con.execute("truncate marts.fct_sales")
    rows = [[row.store, row.member, row.amount, row.at.isoformat()] for row in sales]
    columns = "store_id, member_id, amount_usd, sold_on"
    con.executemany(f"insert into marts.fct_sales ({columns}) values (?, ?, ?, {WRITTEN[kind]})", rows)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_hours_equal_brute_force(
    kind: str,
    zone: str,
    data: st.DataObject,
    catalog_of: Callable[..., Catalog],
    con: duckdb.DuckDBPyConnection,
    engine_values: Callable[..., Any],
) -> None:
    sales = data.draw(shops(zone))
    catalog, spans = (
        catalog_of(kind, KINDS[kind], zone),
        [Span(day - timedelta(days=2), day + timedelta(days=3)) for day in ZONES[zone]],
    )
    fill(con, kind, sales)
    windows: Windows = {"hour": tuple(sorted(spans)), "day": tuple(sorted(spans))}
    values = engine_values(con, catalog, windows)
    hours = {
        (metric, day, cut, found): value
        for (metric, grain, day, cut, found), value in values.items()
        if grain == "hour"
    }
    wanted = expected(zone, sales, spans)
    assert {key: Fraction(value).limit_denominator(10**6) for key, value in hours.items()} == {
        key: Fraction(round(value, 6)).limit_denominator(10**6) for key, value in wanted.items()
    }
    for metric in ("lines", "revenue"):  # hours add up to their day
        days = {
            day: value
            for (name, grain, day, cut, _), value in values.items()
            if (name, grain, cut) == (metric, "day", ())
        }
        sums: dict[date, Any] = defaultdict(Decimal)
        for (name, day, cut, _), value in hours.items():
            if (name, cut) == (metric, (AT,)):
                sums[day] += value
        assert sums == days


@pytest.mark.parametrize("zone", ZONES)
def test_the_hours_of_a_day_are_those_its_clock_shows(zone: str) -> None:
    for change in ZONES[zone]:
        for day in (change - timedelta(days=1), change, change + timedelta(days=1)):
            assert hours_of(zone, day) == [one for one in labels(zone) if clock(zone, one).date() == day]


def test_a_day_has_as_many_hours_as_its_clock_lets_pass() -> None:
    short, long = ZONES[NEW_YORK]
    assert [len(hours_of(NEW_YORK, day)) for day in (short, long, date(2024, 6, 1))] == [23, 25, 24]
    assert hours_of("America/Sao_Paulo", date(2017, 10, 15))[0] == datetime(
        2017, 10, 15, 3
    )  # its midnight was left out


CALENDAR = Calendar(timezone=NEW_YORK)


@pytest.mark.parametrize(
    ("offset", "at", "other"),
    [("previous", "2024-11-03 06:00", "2024-11-03 05:00"),  # 1:00 again after 1:00
     ("previous", "2024-03-10 07:00", "2024-03-10 06:00"),  # 3:00 after 1:00
     ("1 day", "2024-11-04 06:00", "2024-11-03 05:00"),  # of 1:00 twice the first
     ("1 day", "2024-11-03 06:00", "2024-11-02 05:00"),
     ("1 day", "2024-03-11 06:00", None),  # 2:00 was left out
     ("52 weeks", "2024-11-03 06:00", "2023-11-05 06:00"),  # the second 1:00 of both
     ("1 year", "2024-02-29 05:00", "2023-02-28 05:00"),
     ("start of month", "2024-11-20 17:00", "2024-11-01 04:00")],
)  # fmt: skip
def test_an_hour_looks_back_at(offset: str, at: str, other: str | None) -> None:
    shift = Shift(Offset.model_validate(offset))
    found = looked_at(CALENDAR, [shift], datetime.fromisoformat(at))
    assert found == (None if other is None else datetime.fromisoformat(other))


def test_hours_read_the_days_they_look_at() -> None:
    previous, weeks = (Shift(Offset.model_validate(one)) for one in ("previous", "1 week"))
    day = date(2024, 11, 3)
    assert days_read(CALENDAR, [previous], day) == Span(day - timedelta(days=1), day + timedelta(days=1))
    assert days_read(CALENDAR, [weeks], day) == Span(day - timedelta(days=7), day - timedelta(days=6))
    assert days_read(CALENDAR, [weeks, previous], day) == Span(day - timedelta(days=8), day - timedelta(days=6))


def test_days_are_not_put_together_from_hours(catalog_of: Callable[..., Catalog]) -> None:
    every = rollups(catalog_of("timestamp", "UTC", NEW_YORK))
    total, by_hour = every.holding("sales", ()), every.holding("sales", (AT,))
    assert total is not None
    assert by_hour is not None
    assert (total.keys, by_hour.keys) == (("store",), (AT, "store"))


def test_the_zone_decides_hours_of_plain_times_too(
    semantics: Semantics, catalog_over: Callable[..., Catalog], tmp_path: Any
) -> None:
    def prints(zone: str, grains: list[str]) -> str:
        over = over_times(semantics, "timestamp", "", zone)
        return calculations(catalog_over(over, tmp_path, {"lines": {**METRICS["lines"], "grains": grains}}))["lines"]

    assert prints(NEW_YORK, GRAINS) != prints("Asia/Shanghai", GRAINS)
    assert prints(NEW_YORK, ["day"]) == prints("Asia/Shanghai", ["day"])


@pytest.mark.parametrize(
    ("kind", "grain", "keys", "said"),
    [("date", "day", {}, "sales has a date, sold_on, for its time"),
     ("timestamp", "day", {}, 'the time of sales, sold_on, has time_granularity "day"; it should be hour'),
     ("timestamp", "hour", {"semi_additive": {}}, "sales is a stock, which is known by the day"),
     ("timestamp", "hour", {}, None)],
)  # fmt: skip
def test_what_has_no_hours_is_said(
    semantics: Semantics,
    catalog_over: Callable[..., Catalog],
    tmp_path: Any,
    kind: str,
    grain: str,
    keys: Any,
    said: str,
) -> None:
    over = over_times(semantics, kind, "", "UTC", grain)
    found = list(check_all(catalog_over(over, tmp_path, {"sales": {"grains": GRAINS, **keys}})))
    assert [one.message for one in found] == ([f"grains: no hours: {said}"] if said else [])
