"""Daily marts: replacing changed days gives the very tables a full build gives, on a small chain made for the test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

PROJECT = Path(__file__).parents[2] / "dbt_project"
BUILT = ("intermediate", "marts", "metrics")
CLEAN = """
CREATE SCHEMA clean;
CREATE TABLE clean.products (
    product_id BIGINT, manufacturer_id BIGINT, department VARCHAR, brand VARCHAR, product_category VARCHAR,
    product_type VARCHAR, package_size VARCHAR
);
INSERT INTO clean.products VALUES
    (1, 7, 'GROCERY', 'National', '饮料', 'TEA', NULL), (2, 7, 'GROCERY', 'Private', NULL, NULL, '50 OZ'),
    (3, 8, 'MISCELLANEOUS', 'National', 'COUPON/MISC ITEMS', 'GASOLINE-REG UNLEADED', NULL);
CREATE TABLE clean.demographics AS SELECT * FROM (VALUES (1::BIGINT, '19-24', '15-24K', NULL::VARCHAR, NULL::VARCHAR, '1', '独居', '0'))
    t(household_id, age, income, home_ownership, marital_status, household_size, household_comp, kids_count);
CREATE TABLE clean.campaigns AS
    SELECT 1::BIGINT campaign_id, 'Type A' campaign_type, DATE '2017-01-01' start_date, DATE '2017-02-01' end_date;
CREATE TABLE clean.campaign_households AS SELECT 1::BIGINT campaign_id, unnest([1, 2, 9])::BIGINT household_id;
CREATE TABLE clean.coupons AS SELECT 5::BIGINT coupon_upc, 1::BIGINT product_id, 1::BIGINT campaign_id;
CREATE TABLE clean.coupon_redemptions AS
    SELECT 2::BIGINT household_id, 5::BIGINT coupon_upc, 1::BIGINT campaign_id, DATE '2017-01-09' redemption_date;
CREATE TABLE clean.promotions (
    product_id BIGINT, store_id BIGINT, display_location VARCHAR, mailer_location VARCHAR, week BIGINT
);
INSERT INTO clean.promotions VALUES
    (1, 10, '3', '0', 2), (1, 10, '0', 'A', 2), (2, 10, '0', 'A', 12), (2, 11, '5', '0', 3);
CREATE TABLE clean.transactions (
    household_id BIGINT, store_id BIGINT, basket_id BIGINT, product_id BIGINT, quantity BIGINT, sales_value DECIMAL(18, 2),
    retail_disc DECIMAL(18, 2), coupon_disc DECIMAL(18, 2), coupon_match_disc DECIMAL(18, 2), week BIGINT,
    transaction_timestamp TIMESTAMP
);
"""
Dbt = Callable[..., Any]
SALE = "INSERT INTO clean.transactions VALUES ({household}, {store}, {basket}, {product}, 2, 3.00, 0.50, 1.00, 0.25, {week}, '{at}')"


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dbt]:
    """Runs dbt on the warehouse file given, parsed once for all runs; by default what depends on the receipts."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    target = tmp_path_factory.mktemp("target")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METRICS_WAREHOUSE", str(target / "warehouse.duckdb"))
        common = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(target)]
        common += ["--log-path", str(target), "--quiet"]
        manifest: Any = dbtRunner().invoke(["parse", *common]).result

        def run(
            warehouse: Path, *options: str, command: str = "run", select: str = "source:clean.transactions+"
        ) -> Any:
            patch.setenv("METRICS_WAREHOUSE", str(warehouse))
            try:
                return dbtRunner(manifest=manifest).invoke(
                    [command, "--select", select, "--exclude", "stg_platform_events+", *options, *common]
                )
            finally:
                DuckDBConnectionManager.close_all_connections()

        yield run


@pytest.fixture(scope="module")
def built(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("仓库") / "warehouse.duckdb"
    _run(path, CLEAN)
    sell(path, 100, "2017-01-03 10:00:00", product=1, week=2)
    sell(path, 101, "2017-01-03 11:00:00", product=2, store=11, week=2)
    sell(path, 102, "2017-01-09 03:00:00", product=3, week=2)
    sell(path, 103, "2017-03-20 10:00:00", product=2, week=13, household=2)
    assert dbt(path, select="*").success
    return path


@pytest.fixture
def warehouse(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built, tmp_path / "warehouse.duckdb"))


def sell(path: Path, basket: int, at: str, *, product: int, week: int, store: int = 10, household: int = 1) -> None:
    _run(path, SALE.format(household=household, store=store, basket=basket, product=product, week=week, at=at))


def late_line(path: Path) -> list[str]:
    sell(path, 100, "2017-01-03 10:00:00", product=2, week=2)
    return ["2017-01-03"]


def new_days(path: Path) -> list[str]:
    sell(path, 104, "2017-03-21 10:00:00", product=1, week=13)
    sell(path, 105, "2017-05-08 10:00:00", product=2, week=20, store=12)
    return ["2017-03-21", "2017-05-08"]


def lost_day(path: Path) -> list[str]:
    _run(path, "DELETE FROM clean.transactions WHERE basket_id = 103")
    return ["2017-03-20"]


def moved_day(path: Path) -> list[str]:
    _run(
        path,
        "UPDATE clean.transactions SET transaction_timestamp = '2017-01-16 10:00:00', week = 4 WHERE basket_id = 102",
    )
    return ["2017-01-09", "2017-01-16"]


def nothing(path: Path) -> list[str]:
    return []


@pytest.mark.parametrize("change", [late_line, new_days, lost_day, moved_day, nothing])
def test_changed_days_give_what_a_full_build_gives(
    dbt: Dbt, warehouse: Path, change: Callable[[Path], list[str]]
) -> None:
    before = _tables(warehouse)
    days = change(warehouse)
    assert dbt(warehouse, "--vars", f"{{changed_days: {days}}}").success
    incremental = _tables(warehouse)
    assert dbt(warehouse).success
    assert incremental == _tables(warehouse)
    assert (incremental == before) == (change is nothing)


def test_only_the_days_named_are_replaced(dbt: Dbt, warehouse: Path) -> None:
    _run(warehouse, "UPDATE clean.transactions SET sales_value = 9")
    assert dbt(warehouse, "--vars", "{changed_days: [2017-01-03]}").success
    sales = _query(warehouse, "SELECT receipt_id, net_sales_usd FROM marts.fct_receipts ORDER BY 1")
    assert [(receipt, float(value)) for receipt, value in sales] == [(100, 9), (101, 9), (102, 3), (103, 3)]


def test_a_day_that_is_no_date_stops_before_anything_changes(dbt: Dbt, warehouse: Path) -> None:
    before = _tables(warehouse)
    assert not dbt(warehouse, "--vars", '{changed_days: ["2017-01-03\') or 1=1 --"]}').success
    assert _tables(warehouse) == before


def test_a_receipt_of_two_stores_is_found(dbt: Dbt, warehouse: Path) -> None:
    sell(warehouse, 100, "2017-01-03 10:00:00", product=3, week=2, store=11)
    results = dbt(warehouse, command="build", select="fct_order_lines").result
    failed = {item.node.name for item in results if item.status == "fail"}
    assert len(failed) == 1
    assert failed.pop().startswith("one_value_per_fct_order_lines")


def test_a_receipt_of_two_days_is_found_where_only_the_new_day_is_looked_at(dbt: Dbt, warehouse: Path) -> None:
    sell(warehouse, 100, "2017-03-20 10:00:00", product=3, week=13)
    options = ("--vars", "{changed_days: [2017-03-20]}")
    results = dbt(warehouse, *options, command="build", select="fct_order_lines").result
    failed = [item.node.name for item in results if item.status == "fail"]
    assert len(failed) == 1
    assert failed[0].startswith("one_value_per_fct_order_lines")


def test_a_wrong_sum_of_a_new_day_is_found(dbt: Dbt, warehouse: Path) -> None:
    _run(warehouse, "UPDATE clean.transactions SET retail_disc = -5 WHERE basket_id = 103")
    options = ("--vars", "{changed_days: [2017-03-20]}")
    results = dbt(warehouse, *options, command="build", select="fct_order_lines").result
    failed = [item.node.name for item in results if item.status == "fail"]
    assert len(failed) == 1
    assert failed[0].startswith("expression_is_true_fct_order_lines")


def test_what_the_marts_say(warehouse: Path) -> None:
    line = _query(
        warehouse,
        "SELECT gross_sales_usd, discount_usd, is_on_display, is_in_mailer, sold_on::VARCHAR FROM marts.fct_order_lines"
        " WHERE basket_id = 100",
    )
    assert [tuple(map(str, row)) for row in line] == [("3.75", "0.75", "True", "True", "2017-01-03")]
    assert _query(warehouse, "SELECT units FROM marts.fct_receipts WHERE receipt_id = 102") == [(0,)]
    listed = _query(
        warehouse,
        "SELECT week_start::VARCHAR, list(product_id ORDER BY product_id), count(*) FILTER (is_sold)"
        " FROM marts.fct_assortment_weeks GROUP BY 1 ORDER BY 1",
    )
    assert listed == [("2017-01-02", [1, 2], 2), ("2017-01-09", [1, 2, 3], 1), ("2017-03-20", [2], 1)]
    households = _query(
        warehouse, "SELECT household_id, age_band, first_purchase_on IS NULL FROM marts.dim_households ORDER BY 1"
    )
    assert households == [(1, "19-24", False), (2, "Unknown", False), (9, "Unknown", True)]


def _run(path: Path, sql: str) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute(sql)


def _query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path)) as con:
        return con.execute(sql).fetchall()


def _tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    names = _query(
        path, f"SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN {BUILT}"
    )
    return {f"{schema}.{name}": _query(path, f"SELECT * FROM {schema}.{name} ORDER BY ALL") for schema, name in names}
