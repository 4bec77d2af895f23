"""Values by the hour from a mart of points in time to a query: as published, late, sliced from rollups, every one ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.changes import Inputs
from metrics_catalog.engine.compute import build_rollups
from metrics_catalog.engine.query import Filter, InvalidQuery, Query, Result
from metrics_catalog.engine.windows import Coverage
from metrics_catalog.outcome import PublishOutcome
from metrics_catalog.published.answer import answer
from metrics_catalog.published.explain import explain
from metrics_catalog.published.formats import as_bytes
from metrics_catalog.published.reader import Published
from metrics_catalog.published.value_history import value_history
from metrics_catalog.query_text import one_period
from metrics_catalog.refresh import publish
from metrics_catalog.semantic import Dimension, Semantics

LONG, NEXT = date(2024, 11, 3), date(2024, 11, 4)  # New York's clocks show 1:00 twice on the first
METRICS: dict[str, dict[str, Any]] = {
    "lines": {"agg": "count", "expr": None, "grains": ["hour", "day"], "slices": [["store"], ["category", "store"]]},
    "members": {"agg": "count_distinct", "expr": "member_id", "grains": ["hour", "day"], "slices": [["store"]]},
    "daily": {"grains": ["day"]},
}


class Shop:
    """Sales at points in time, published as the company in New York sees them."""

    def __init__(self, con: duckdb.DuckDBPyConnection, catalog_over: Callable[..., Catalog], over: Semantics) -> None:
        self.con, self.load_id, self.changed = con, 0, dict[date, int]()
        con.execute(
            "create or replace table marts.fct_sales as from marts.fct_sales select * replace (null::timestamptz as sold_on)"
        )
        self.make = lambda folder: catalog_over(over, folder, METRICS)

    def sell(self, *sales: tuple[str, str, int], day: date) -> None:
        """Sales as (time, store, member)."""
        self.load_id += 1
        self.changed[day] = self.load_id
        self.con.execute("set TimeZone = 'America/New_York'")
        self.con.execute("delete from marts.fct_sales where sold_on::date = ?", [day])
        rows = [
            [number, 1, store, member, f"{at[:16]}:00{at[16:]}", 10] for number, (at, store, member) in enumerate(sales)
        ]
        columns = "line_id, product_id, store_id, member_id, sold_on, amount_usd"
        self.con.executemany(f"insert into marts.fct_sales ({columns}) values (?, ?, ?, ?, ?::timestamptz, ?)", rows)
        self.con.execute("set TimeZone = 'Asia/Tokyo'")

    def publish(self, catalog: Catalog) -> PublishOutcome:
        build_rollups(self.con, catalog)
        inputs = Inputs(
            loads={"lines": self.load_id},
            coverages={"lines": Coverage(LONG)},
            changed_since=lambda source, load: frozenset(day for day, at in self.changed.items() if at > load),
        )
        now = datetime(2024, 11, 5, self.load_id, tzinfo=UTC)
        return publish(self.con, catalog, inputs, f"run-{self.load_id}", now)


@pytest.fixture
def catalog(shop: Shop, tmp_path: Any) -> Catalog:
    made = shop.make(tmp_path)
    return replace(made, policy=made.policy.model_copy(update={"business_date": NEXT}))


@pytest.fixture
def shop(semantics: Semantics, catalog_over: Callable[..., Catalog], warehouse: duckdb.DuckDBPyConnection) -> Shop:
    sales = semantics.models["sales"]
    times = {"sold_on": Dimension("sold_on", "sold_on", True, "second")}
    columns = {**sales.columns, "sold_on": "timestamptz"}
    model = replace(sales, dimensions=times, columns=columns, replaced_by="day")
    parents = {"model.shop.fct_sales": ("source.shop.clean.lines",)}
    over = replace(semantics, models={**semantics.models, "sales": model}, parents=parents, timezone="America/New_York")
    made = Shop(warehouse, catalog_over, over)
    made.sell(
        ("2024-11-03 05:10+00", "上海店", 1),
        ("2024-11-03 06:10+00", "上海店", 1),
        ("2024-11-03 06:20+00", "B", 2),
        day=LONG,
    )
    made.sell(("2024-11-04 06:10+00", "B", 1), ("2024-11-05 04:59+00", "B", 2), day=NEXT)
    return made


def asked(catalog: Catalog, *metrics: str, **keys: Any) -> Result:
    return answer(Query(metrics, "hour", **keys), catalog, Published(catalog.project.published))


def rows(result: Result) -> list[tuple[str, ...]]:
    return [tuple(map(str, row.values())) for row in result.table.to_pylist()]


def test_an_hour_that_comes_twice_is_two_and_hours_add_up(shop: Shop, catalog: Catalog) -> None:
    assert {one.state for one in shop.publish(catalog).metrics.values()} == {"published"}
    assert rows(asked(catalog, "lines", "members")) == [
        ("2024-11-03 01:00:00-04:00", "1.000000", "1.000000"),
        ("2024-11-03 01:00:00-05:00", "2.000000", "2.000000"),
        ("2024-11-04 01:00:00-05:00", "1.000000", "1.000000"),
        ("2024-11-04 23:00:00-05:00", "1.000000", "1.000000"),
    ]
    assert rows(asked(catalog, "lines", by=("store",), start=LONG, end=NEXT)) == [
        ("2024-11-03 01:00:00-04:00", "上海店", "1.000000"),
        ("2024-11-03 01:00:00-05:00", "B", "1.000000"),
        ("2024-11-03 01:00:00-05:00", "上海店", "1.000000"),
    ]
    written = as_bytes(asked(catalog, "lines", start=LONG, end=NEXT).table, "csv").decode()
    assert written.splitlines()[1] == "2024-11-03 01:00:00-04:00,1.000000"


def test_late_rows_restate_the_hours_of_their_day_only(shop: Shop, catalog: Catalog) -> None:
    shop.publish(catalog)
    shop.sell(("2024-11-03 05:10+00", "B", 7), day=LONG)
    published = {name: one.periods for name, one in shop.publish(catalog).metrics.items()}
    assert published == {"lines": 2, "members": 2, "daily": 1}  # its hours count as the day they are of
    assert rows(asked(catalog, "lines")) == [
        ("2024-11-03 01:00:00-04:00", "1.000000"),
        ("2024-11-04 01:00:00-05:00", "1.000000"),
        ("2024-11-04 23:00:00-05:00", "1.000000"),
    ]


def test_slices_nobody_published_come_from_stored_hours(shop: Shop, catalog: Catalog) -> None:
    shop.publish(catalog)
    other = asked(catalog, "lines", where=(Filter("store", "!=", ("B",)),), by=("category",))
    assert rows(other) == [
        ("2024-11-03 01:00:00-04:00", "生鲜", "1.000000"),
        ("2024-11-03 01:00:00-05:00", "生鲜", "1.000000"),
    ]
    with pytest.raises(InvalidQuery, match="counts distinct things"):
        asked(catalog, "members", by=("category",))
    with pytest.raises(InvalidQuery, match="daily is not published by hour; published are day by total"):
        asked(catalog, "daily")
    with pytest.raises(InvalidQuery, match="a tree shows one period of days"):
        explain(catalog, Published(catalog.project.published), "lines", "hour")


def test_every_value_ever_published_for_an_hour(shop: Shop, catalog: Catalog) -> None:
    def history(period: str, *by: str) -> list[Decimal | None]:
        one = one_period("lines", period, None, by, catalog)
        assert (one.grain, one.start) == ("hour", LONG)
        found = value_history(catalog.project.published, "lines", one.grain, one.start, one.members)
        return [None if each.row is None else each.row.value for each in found]

    shop.publish(catalog)
    shop.sell(("2024-11-03 05:10+00", "B", 7), ("2024-11-03 05:11+00", "上海店", 7), day=LONG)
    shop.publish(catalog)
    assert history("2024-11-03T01") == history("2024-11-03T05:30+00:00") == [Decimal(1), Decimal(2)]
    assert history("2024-11-03T01:59-05:00") == [Decimal(2), None]
    assert history("2024-11-03T01", "store=B") == [Decimal(1)]


@pytest.mark.parametrize(
    ("period", "grain", "said"),
    [("2024-11-03T25", None, "is not an hour"), ("2024-11-03T01", "day", '"2024-11-03T01" by day: an hour'),
     ("2024-11-03", "hour", '"2024-11-03" by hour: an hour, and only an hour')],
)  # fmt: skip
def test_what_is_no_hour_is_said(catalog: Catalog, period: str, grain: str | None, said: str) -> None:
    with pytest.raises(InvalidQuery, match=said):
        one_period("lines", period, grain, (), catalog)
