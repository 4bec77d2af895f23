"""Conditions on a joined model become flags where that changes nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from metrics_catalog.engine.flags import flagged
from metrics_catalog.engine.metric_models import stored_query
from metrics_catalog.engine.rollup import rollups

FLAGGED = {
    "category = '生鲜'": 10,
    "category <> '生鲜' or country = 'CN'": 12,  # reads two models: no flag
    "not category in ('生鲜', '酒')": 2,
    "category = '生鲜' and units > 1": 8,
    "category like '%鲜' and country = 'CN'": 10,
    "category is null": 21,
    "coalesce(category, 'none') = 'none'": 21,
    "category = '生鲜' or category is null": 31,
    "country is null and category is null": 21,
}


@pytest.mark.parametrize(("test", "amount"), FLAGGED.items())
def test_what_counts_is_the_same(test: str, amount: int, shop: Any) -> None:
    catalog = shop({"m": {"filter": test}})
    with duckdb.connect() as con:
        con.execute(
            """
            create schema marts;
            create table marts.dim_makers as from (values (1, 'cn')) makers(maker_id, country);
            create table marts.dim_products as
            from (values (1, 1, '生鲜'), (2, null, null), (4, null, '粮')) products(product_id, maker_id, category);
            create table marts.fct_sales as
            select line, product as product_id, 'a' as store_id, date '2024-01-01' as sold_on, amount as amount_usd, units
            from (values (1, 1, 2, 1), (2, 1, 8, 2), (3, 2, 16, 1), (4, 3, 5, 1), (5, 4, 2, 1)) sales(line, product, amount, units)
            """
        )
        rows = con.execute(stored_query(catalog, rollups(catalog).every).sql("duckdb")).fetchall()
    assert [(day, value or 0) for day, value in rows] == [(date(2024, 1, 1), amount)]


def test_a_condition_is_asked_of_each_member_once(shop: Any) -> None:
    tests = {
        "a": "category = '生鲜'",
        "b": "category = '生鲜' and units > 1",
        "c": "is_promoted",
        "d": "category is null",
    }
    [rollup] = rollups(shop({name: {"filter": test} for name, test in tests.items()})).every
    found = flagged(rollup.components)
    assert {model: list(named) for model, named in found.tests.items()} == {"products": ["a__test0"]}
    assert {one.name: one.filter and one.filter.sql("duckdb") for one in found.components} == {
        "a": "products.a__test0",
        "b": "products.a__test0 AND sales.units > 1",
        "c": "sales.is_promoted",
        "d": "products.category IS NULL",
    }
