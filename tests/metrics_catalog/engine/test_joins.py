"""Joins never add rows: many to one along keys, and to the row of a slowly changing model that holds on the day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.fingerprint import dimension_contents
from metrics_catalog.engine.needs import Windows
from metrics_catalog.engine.periods import Span
from metrics_catalog.engine.rollup import rollups
from metrics_catalog.rules import check_all
from metrics_catalog.semantic import Dimension, Entity, SemanticModel, Semantics, Validity

MONTH: Windows = {"month": (Span(date(2024, 1, 1), date(2024, 4, 1)),)}
METRICS: dict[str, dict[str, Any]] = {
    "revenue": {"slices": [["manager"]]},
    "members": {"agg": "count_distinct", "expr": "member_id", "slices": [["manager"]]},
    "stores": {"agg": "count_distinct", "expr": "store_id", "slices": [["manager"]]},
    "of_wang": {"filter": "manager = '王芳'"},
}


@pytest.fixture
def managed(semantics: Semantics) -> Semantics:
    """Who manages a store changes: one row per store and time."""
    history = SemanticModel(
        name="store_managers", node="model.shop.dim_store_managers", schema="marts", table="dim_store_managers",
        path="models/dim_store_managers.yml", time=None,
        entities={"store": Entity("store", "store_id", True)},
        dimensions={
            "manager": Dimension("manager", "manager", False), "since": Dimension("since", "valid_from", True),
            "until": Dimension("until", "valid_to", True),
        },
        columns={"store_id": "varchar", "manager": "varchar", "valid_from": "date", "valid_to": "date"},
        validity=Validity("valid_from", "valid_to"),
    )  # fmt: skip
    return Semantics({**semantics.models, "store_managers": history})


Managed = Callable[[dict[str, dict[str, Any]]], Catalog]


@pytest.fixture
def catalog_of(managed: Semantics, catalog_over: Callable[..., Catalog], tmp_path: Path) -> Managed:
    return lambda metrics: catalog_over(
        managed, tmp_path, {name: {"grains": ["month"], **keys} for name, keys in metrics.items()}
    )


@pytest.fixture
def catalog(catalog_of: Managed) -> Catalog:
    return catalog_of(METRICS)


@pytest.fixture
def con(warehouse: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    warehouse.execute(
        """
        create table marts.dim_store_managers (store_id varchar, manager varchar, valid_from date, valid_to date);
        insert into marts.dim_store_managers values
            ('一店', '王芳', '2024-01-10', '2024-02-15'), ('一店', 'Lee', '2024-02-15', null),
            ('二店', '王芳', '2024-02-15', '2024-03-01');
        insert into marts.fct_sales
        select row_number() over (), 1, store, member, day, amount, 1, false, null
        from (values ('一店', 1, date '2024-01-09', 1), ('一店', 1, date '2024-01-10', 2), ('一店', 2, date '2024-02-14', 4),
            ('一店', 2, date '2024-02-15', 8), ('二店', 2, date '2024-02-15', 16), ('二店', 3, date '2024-03-01', 32))
            sold(store, member, day, amount)
        """
    )
    return warehouse


@pytest.fixture
def found(con: duckdb.DuckDBPyConnection, catalog: Catalog, engine_values: Any) -> dict[tuple[Any, ...], Decimal]:
    """Values by metric, month and manager."""
    every = engine_values(con, catalog, MONTH)
    return {(metric, period.month, *members): value for (metric, _, period, _, members), value in every.items()}


def test_the_row_that_holds_on_the_day_of_the_fact_counts(
    catalog: Catalog, found: dict[tuple[Any, ...], Decimal]
) -> None:
    assert list(check_all(catalog)) == []
    revenue = {key[1:]: value for key, value in found.items() if key[0] == "revenue"}
    assert revenue == {
        (1,): 3, (1, None): 1, (1, "王芳"): 2,
        (2,): 28, (2, "王芳"): 20, (2, "Lee"): 8,
        (3,): 32, (3, None): 32,
    }  # fmt: skip
    assert [found["of_wang", month] for month in (1, 2)] == [2, 20]
    assert ("of_wang", 3) not in found


def test_a_key_does_not_decide_what_changes_with_time(catalog_of: Managed) -> None:
    catalog = catalog_of({"revenue": {"slices": [["store"], ["manager"], ["store", "category"], ["product"]]}})
    assert {rollup.name: rollup.decided for rollup in rollups(catalog).every} == {
        "sales_by_manager": (),
        "sales_by_product": ("category",),
        "sales_by_category_store": (),
    }


def test_distinct_keys_are_counted_under_each_row_that_held(found: dict[tuple[Any, ...], Decimal]) -> None:
    assert (found["members", 2], found["members", 2, "王芳"], found["members", 2, "Lee"]) == (1, 1, 1)
    assert (found["stores", 2, "王芳"], found["stores", 2, "Lee"]) == (2, 1)


def test_a_changed_validity_is_changed_content(con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    before = dimension_contents(con, catalog)["store_managers"]
    con.execute("update marts.dim_store_managers set valid_to = '2024-02-20' where valid_to = '2024-03-01'")
    assert dimension_contents(con, catalog)["store_managers"] != before
