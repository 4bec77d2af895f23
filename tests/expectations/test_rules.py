"""References and unique rows stay right while loads come, are replaced and go."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

COLUMNS = "id BIGINT, product VARCHAR, basket BIGINT"


@pytest.fixture
def known(warehouse: Any) -> Any:
    return warehouse.suite(
        warehouse.spec("product_exists", "references", column="product", source="products", field="name")
    )


@pytest.fixture
def once(warehouse: Any) -> Any:
    return warehouse.suite(warehouse.spec("once", "unique_rows", columns=["product", "basket"]))


def products(warehouse: Any, *names: str | None) -> None:
    warehouse.load("products", "name VARCHAR", [(name,) for name in names])


def test_a_product_that_comes_late_releases_its_lines(warehouse: Any, known: Any) -> None:
    products(warehouse, "茶", None)
    warehouse.load("sales", COLUMNS, [(1, "茶", 1), (2, "咖啡", 1), (3, None, 1)], "a.csv")
    warehouse.clean(known)
    assert warehouse.bad() == {2: ["product_exists"]}
    products(warehouse, "茶", "咖啡")
    result = warehouse.clean(known)
    assert (result.skipped, result.outcomes[0].element_count) == (False, 3)
    assert (warehouse.bad(), warehouse.shown()) == ({}, {1, 2, 3})
    assert warehouse.clean(known).skipped


def test_a_product_that_is_gone_takes_its_accepted_lines_out(warehouse: Any, known: Any) -> None:
    products(warehouse, "茶", "咖啡")
    warehouse.load("sales", COLUMNS, [(1, "茶", 1), (2, "咖啡", 1)], "a.csv")
    warehouse.clean(known)
    products(warehouse, "茶")
    result = warehouse.clean(known)
    assert (result.share, warehouse.bad()) == (0.5, {2: ["product_exists"]})


def test_above_tolerance_of_the_whole_source_it_blocks(warehouse: Any, known: Any) -> None:
    products(warehouse, "茶", "咖啡")
    warehouse.load("sales", COLUMNS, [(1, "茶", 1), (2, "咖啡", 1)], "a.csv")
    suite = warehouse.suite(*known.expectations, tolerance=0.1)
    warehouse.clean(suite)
    products(warehouse, "茶")
    warehouse.load("sales", COLUMNS, [(3, "茶", 1)], "b.csv")
    result = warehouse.clean(suite)
    assert (result.blocked, result.batch_rows, result.quarantined_rows) == (True, 3, 1)
    assert (warehouse.bad(), warehouse.shown()) == ({}, {1, 2})
    products(warehouse, "茶", "咖啡")
    assert not warehouse.clean(suite).blocked
    assert warehouse.shown() == {1, 2, 3}


def test_an_increment_is_judged_against_all_products(warehouse: Any, known: Any) -> None:
    products(warehouse, "茶")
    warehouse.load("sales", COLUMNS, [(1, "茶", 1), (2, "咖啡", 1)], "a.csv")
    warehouse.clean(known)
    warehouse.load("sales", COLUMNS, [(3, "茶", 1), (4, "水", 1)], "b.csv")
    (outcome,) = warehouse.clean(known).outcomes
    assert (outcome.unexpected_count, outcome.element_count) == (1, 2)
    assert set(warehouse.bad()) == {2, 4}


def test_other_reasons_stand_when_only_products_changed(warehouse: Any, known: Any) -> None:
    between = warehouse.spec("sold", "expect_column_values_to_be_between", column="basket", min_value=1)
    suite = warehouse.suite(between, *known.expectations)
    products(warehouse, "茶")
    warehouse.load("sales", COLUMNS, [(1, "茶", 0), (2, "咖啡", 0), (3, "咖啡", 1)], "a.csv")
    warehouse.clean(suite)
    assert warehouse.bad() == {1: ["sold"], 2: ["sold", "product_exists"], 3: ["product_exists"]}
    products(warehouse, "茶", "咖啡")
    result = warehouse.clean(suite)
    assert warehouse.bad() == {1: ["sold"], 2: ["sold"]}
    assert [outcome.unexpected_count for outcome in result.outcomes] == [2, 0]


def test_the_first_of_equal_rows_is_good(warehouse: Any, once: Any) -> None:
    rows = [(1, "茶", 1), (2, "茶", 1), (3, "茶", 2), (4, None, 1), (5, None, 1), (6, "茶", 1)]
    warehouse.load("sales", COLUMNS, rows)
    warehouse.clean(once)
    assert set(warehouse.bad()) == {2, 5, 6}


def test_new_rows_are_compared_with_old_ones(warehouse: Any, once: Any) -> None:
    warehouse.load("sales", COLUMNS, [(1, "茶", 1), (2, "茶", 2)], "a.csv")
    warehouse.clean(once)
    warehouse.load("sales", COLUMNS, [(3, "茶", 1), (4, "水", 1), (5, "水", 1)], "b.csv")
    (outcome,) = warehouse.clean(once).outcomes
    assert (outcome.unexpected_count, outcome.element_count) == (2, 3)
    assert set(warehouse.bad()) == {3, 5}


def test_when_the_first_is_removed_the_next_is_good(warehouse: Any, once: Any) -> None:
    warehouse.load("sales", COLUMNS, [(1, "茶", 1)], "a.csv")
    warehouse.load("sales", COLUMNS, [(2, "茶", 1)], "b.csv")
    warehouse.load("sales", COLUMNS, [(3, "茶", 1)], "c.csv")
    warehouse.clean(once)
    assert set(warehouse.bad()) == {2, 3}
    warehouse.load("sales", COLUMNS, [], "a.csv")
    warehouse.clean(once)
    assert (set(warehouse.bad()), warehouse.shown()) == ({3}, {2})


def test_random_loads_end_as_judging_everything_at_once(warehouse: Any, known: Any, once: Any) -> None:
    """Increments of many loads leave the same quarantine as one look at the result."""
    suite = warehouse.suite(*known.expectations, *once.expectations)
    state = 7
    for step in range(25):
        state = (state * 1103515245 + 12345) % 2**31
        rows = [(step * 10 + n, f"商品{(state >> n) % 5}", (state >> (2 * n)) % 3) for n in range(state % 9)]
        warehouse.load("sales", COLUMNS, rows, f"{state % 6}.csv")
        if step % 3 == 0:
            products(warehouse, *(f"商品{n}" for n in range(5) if state >> n & 1))
        warehouse.clean(suite)
    increments = warehouse.bad()
    warehouse.con.execute("DELETE FROM ingest.bookmarks; DROP TABLE quarantine.sales")
    warehouse.clean(suite)
    assert len(increments) > 5
    assert warehouse.bad() == increments


def test_they_do_not_import_great_expectations() -> None:
    code = "import sys, expectations.rules, expectations.judging; print('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
