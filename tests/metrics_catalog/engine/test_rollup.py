"""What is stored: as few and as narrow rollups as the slices of all metrics allow, those of a mart in one table."""

from __future__ import annotations

from typing import Any

import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.rollup import rollups

STOCK = {"semi_additive": {"take": "last", "per": ["store"]}}
DISTINCT = {"agg": "count_distinct", "expr": "member_id"}


def stored(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """What each rollup decides beyond its keys, smallest first."""
    return {rollup.name: rollup.decided for rollup in rollups(catalog).every}


def test_a_set_of_dimensions_for_each_that_is_wanted_together(shop: Any) -> None:
    catalog = shop({"a": {"slices": [["store"], ["category"]]}, "b": {"slices": [["category", "country"]]}})
    assert stored(catalog) == {"sales_by_store": (), "sales_by_category_country": ()}


def test_without_slices_there_are_only_days(shop: Any) -> None:
    assert stored(shop({"a": {}, "b": {**DISTINCT, "slices": [["store"]]}})) == {"sales": ()}


def test_what_a_key_decides_is_joined_after_grouping_by_the_key(shop: Any) -> None:
    catalog = shop({"a": {"slices": [["product", "category"], ["country"], ["store"]]}})
    assert stored(catalog) == {"sales_by_product": ("category", "country"), "sales_by_store": ()}


def test_what_an_intermediate_key_decides_is_too(shop: Any) -> None:
    assert stored(shop({"a": {"slices": [["maker"], ["country"]]}})) == {"sales_by_maker": ("country",)}


def test_a_stock_is_stored_by_what_it_is_taken_per(shop: Any) -> None:
    assert stored(shop({"a": {**STOCK, "slices": [["category"]]}})) == {"sales_by_category_store": ()}


@pytest.mark.parametrize(
    ("dimensions", "name"),
    [
        ([], "sales_by_store"),
        (["store"], "sales_by_store"),
        (["country"], "sales_by_category_country"),
        (["store", "country"], None),
    ],
)
def test_the_smallest_that_has_all_dimensions_is_read(dimensions: list[str], name: str | None, shop: Any) -> None:
    every = rollups(shop({"a": {"slices": [["store"], ["category", "country"]]}}))
    found = every.holding("sales", dimensions)
    assert (found and found.name) == name


def test_one_table_for_a_mart(shop: Any) -> None:
    alone = rollups(shop({"a": {"slices": [["store"]]}}))
    assert [rollup.table for rollup in alone.every] == ["sales_by_store_daily"]
    several = rollups(shop({"a": {"slices": [["store"], ["category"]]}}))
    assert [{(rollup.table, rollup.slice) for rollup in table} for table in several.tables] == [
        {("sales_daily", "category"), ("sales_daily", "store")}
    ]


def test_two_names_of_one_column_are_not_told_apart_in_one_table(shop: Any) -> None:
    assert {rollup.table for rollup in rollups(shop({"a": {"slices": [["store"], ["sold_on"]]}})).every} == {
        "sales_by_store_daily",
        "sales_by_sold_on_daily",
    }
