from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from metrics_catalog.governance.preview import Change
from metrics_catalog.monitoring.what_if import alerts

FIRST, COUNT = date(2024, 1, 1), 330
LAST = FIRST + timedelta(days=COUNT - 1)


@pytest.fixture
def sold(warehouse: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """1,000 a day, a tenth of it promoted; 900 on the last Monday and Tuesday but two, none promoted on one day."""
    for number in range(COUNT):
        day, amount = FIRST + timedelta(days=number), 900 if number not in (300, 301, 310) else 800
        warehouse.execute(
            "insert into marts.fct_sales (line_id, sold_on, amount_usd, units, is_promoted) "
            "values ($1, $2, $3, 1, false), ($1 + 10000, $2, 100, 1, true)",
            [number, day, amount + number % 5],
        )
    return warehouse


def test_old_and_new_rules_on_the_same_values(shop: Any, sold: duckdb.DuckDBPyConnection) -> None:
    before = shop({"sales": {"bounds": {"warn": {"below": 500}}, "anomaly": {"sensitivity": "off"}}})
    after = shop({"sales": {"bounds": {"warn": {"below": 950}}, "anomaly": {"sensitivity": "medium"}}})
    found = alerts(sold, Change("sales", before, replace(before, metrics=after.metrics)), LAST)
    assert (found["days"], found["old"]) == (180, {})
    assert found["new"]["bounds"] == 2  # two days in a row are one
    assert found["new"]["anomaly"] == 2


def test_old_and_new_calculation(shop: Any, sold: duckdb.DuckDBPyConnection) -> None:
    keys = {"bounds": {"warn": {"below": 850}}, "anomaly": {"sensitivity": "off"}}
    before, after = shop({"sales": keys}), shop({"sales": keys | {"filter": "not is_promoted"}})
    found = alerts(sold, Change("sales", before, replace(before, metrics=after.metrics)), LAST)
    assert (found["old"], found["new"]) == ({}, {"bounds": 2})


def test_a_metric_that_is_new_or_ends_has_only_one_side(shop: Any, sold: duckdb.DuckDBPyConnection) -> None:
    one = shop({"sales": {"bounds": {"warn": {"below": 950}}, "anomaly": {"sensitivity": "off"}}})
    none = replace(one, metrics={})
    assert alerts(sold, Change("sales", none, one), LAST)["old"] == {}
    assert alerts(sold, Change("sales", one, none), LAST)["new"] == {}
