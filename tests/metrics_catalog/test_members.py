"""A dimension that changes costs the days on which its changed members have rows, and no others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import duckdb
import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.reads import joined
from metrics_catalog.members import Members

NEW_YEAR, SECOND, THIRD = date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)
SALES = [
    (1, 1, NEW_YEAR),
    (2, 2, SECOND),
    (3, 3, THIRD),
    (4, 4, THIRD),
]  # line, product, day; product 4 is in no dimension yet


@pytest.fixture
def con(warehouse: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    warehouse.executemany("insert into marts.fct_sales values (?, ?, '店', 1, ?, 10, 1, false, null)", SALES)
    return warehouse


@pytest.fixture
def catalog(shop: Callable[..., Catalog]) -> Catalog:
    return shop({"revenue": {"grains": ["day"], "slices": [["category"], ["country"]]}})


@pytest.fixture
def before(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> dict[str, str]:
    """What the last publish noted."""
    members = Members(con, catalog, {})
    members.keep()
    return members.prints


def moved(con: duckdb.DuckDBPyConnection, catalog: Catalog, before: dict[str, str]) -> set[date] | None:
    members = Members(con, catalog, before)
    members.keep()
    found = [members.days(one.joins) for one in joined(catalog, "revenue")]
    assert found
    return None if None in found else {day for days in found for day in days or ()}


def test_nothing_changed(con: duckdb.DuckDBPyConnection, catalog: Catalog, before: dict[str, str]) -> None:
    assert moved(con, catalog, before) == set()


@pytest.mark.parametrize(
    ("change", "days"),
    [
        ("insert into marts.dim_products values (9, 10, '生鲜')", set()),
        ("insert into marts.dim_products values (4, 10, '生鲜')", {THIRD}),
        ("update marts.dim_products set category = '冷冻' where product_id = 2", {SECOND}),
        ("delete from marts.dim_products where product_id = 1", {NEW_YEAR}),
        ("insert into marts.dim_products values (2, 10, '日用品')", {SECOND}),
        ("update marts.dim_makers set country = 'de' where maker_id = 10", {NEW_YEAR, SECOND}),
    ],
    ids=["nobody sold it", "came after its sale", "changed", "gone", "there twice", "two joins away"],
)
def test_days_on_which_a_changed_member_has_rows(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, before: dict[str, str], change: str, days: set[date]
) -> None:
    con.execute(change)
    assert moved(con, catalog, before) == days


def test_of_another_warehouse_nothing_is_known(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, before: dict[str, str]
) -> None:
    con.execute("drop schema members cascade; delete from marts.dim_products where product_id = 1")
    assert moved(con, catalog, before) is None


def test_of_other_columns_nothing_is_known(
    con: duckdb.DuckDBPyConnection, shop: Callable[..., Catalog], before: dict[str, str]
) -> None:
    fewer = shop({"revenue": {"grains": ["day"], "slices": [["country"]]}})
    assert moved(con, fewer, before) is None


def test_what_no_publish_names_is_dropped(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, before: dict[str, str]
) -> None:
    con.execute("delete from marts.dim_products where product_id = 1")
    middle = Members(con, catalog, before)
    middle.keep()
    con.execute("delete from marts.dim_products where product_id = 2")
    Members(con, catalog, middle.prints).keep()
    kept = con.execute("select table_name from duckdb_tables() where schema_name = 'members'").fetchall()
    assert f"products_{before['products']}" not in {name for (name,) in kept}
    assert len(kept) == 3, "products now and at the last publish, makers"
