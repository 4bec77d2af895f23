"""Which metric models there are: as few and as narrow as the slices of all metrics allow."""

from __future__ import annotations

from typing import Any

import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.rollup import rollups

STOCK = {"semi_additive": {"take": "last", "per": ["store"]}}
DISTINCT = {"agg": "count_distinct", "expr": "member_id"}


def stored(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """What each table decides beyond its keys, smallest first."""
    return {rollup.table: rollup.decided for rollup in rollups(catalog).every}


def test_a_set_of_dimensions_for_each_that_is_wanted_together(shop: Any) -> None:
    catalog = shop({"a": {"slices": [["store"], ["category"]]}, "b": {"slices": [["category", "country"]]}})
    assert stored(catalog) == {"sales_by_store_daily": (), "sales_by_category_country_daily": ()}


def test_without_slices_there_are_only_days(shop: Any) -> None:
    assert stored(shop({"a": {}, "b": {**DISTINCT, "slices": [["store"]]}})) == {"sales_daily": ()}


def test_what_a_key_decides_is_joined_after_grouping_by_the_key(shop: Any) -> None:
    catalog = shop({"a": {"slices": [["product", "category"], ["country"], ["store"]]}})
    assert stored(catalog) == {"sales_by_product_daily": ("category", "country"), "sales_by_store_daily": ()}


def test_what_an_intermediate_key_decides_is_too(shop: Any) -> None:
    assert stored(shop({"a": {"slices": [["maker"], ["country"]]}})) == {"sales_by_maker_daily": ("country",)}


def test_a_stock_is_stored_by_what_it_is_taken_per(shop: Any) -> None:
    assert stored(shop({"a": {**STOCK, "slices": [["category"]]}})) == {"sales_by_category_store_daily": ()}


@pytest.mark.parametrize(
    ("dimensions", "table"),
    [
        ([], "sales_by_store_daily"),
        (["store"], "sales_by_store_daily"),
        (["country"], "sales_by_category_country_daily"),
        (["store", "country"], None),
    ],
)
def test_the_smallest_that_has_all_dimensions_is_read(dimensions: list[str], table: str | None, shop: Any) -> None:
    every = rollups(shop({"a": {"slices": [["store"], ["category", "country"]]}}))
    found = every.holding("sales", dimensions)
    assert (found and found.table) == table
