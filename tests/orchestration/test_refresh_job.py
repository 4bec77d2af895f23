"""The job from delivered files to published values, on the shop."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from metrics_catalog.engine.query import Query
from orchestration.definitions import build
from orchestration.resources import Listener

Rows = Callable[[str], list[tuple[object, ...]]]
SOLD = "select cast(sold_on as varchar), sum(amount_usd) from marts.fct_sales group by 1 order by 1"


def refresh(shop: Any, instance: dg.DagsterInstance | None = None, **how: Any) -> tuple[dg.ExecuteInProcessResult, Any]:
    listener = Listener()
    job = build(shop.declared(), listener).resolve_job_def("refresh")
    with instance or dg.DagsterInstance.ephemeral() as used:
        return job.execute_in_process(instance=used, raise_on_error=False, **how), listener.report


def published(shop: Any) -> dict[str, Decimal]:
    """Net sales by day, as everybody reads them."""
    from metrics_catalog.published.answer import answer
    from metrics_catalog.published.reader import Published

    found = answer(Query(("net_sales",), "day"), shop.declared().catalog, Published(shop.project.published))
    return {str(row["period"]): row["net_sales"] for row in found.table.to_pylist() if row["net_sales"] is not None}


def checks(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str]]:
    found = result.get_asset_check_evaluations()
    return {f"{one.asset_key.to_user_string()}:{one.check_name}": (one.passed, one.severity.value) for one in found}


def failures(result: dg.ExecuteInProcessResult) -> list[str]:
    data = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return [str(one.user_failure_data.description) for one in data if one.user_failure_data]


def test_every_asset_and_check_is_loaded(shop: Any) -> None:
    graph = build(shop.declared()).resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == {
        *("source/receipts", "source/products", "clean/receipts", "clean/products"),
        *(
            "staging/stg_receipts",
            "marts/fct_sales",
            "marts/dim_products",
            "marts/dim_dates",
            "metrics/sales_by_store_daily",
        ),
        *("metric/sales/net_sales", "metric/sales/receipts", "alerts"),
    }
    assert {f"{key.asset_key.to_user_string()}:{key.name}" for key in graph.asset_check_keys} == {
        *("source/receipts:no_rejects", "source/receipts:fresh", "source/products:no_rejects"),
        *("clean/receipts:within_tolerance", "clean/receipts:quantity_positive", "clean/receipts:product_exists"),
        *("clean/receipts:receipt_known", "clean/products:within_tolerance"),
        *("marts/dim_products:unique_dim_products_product_id", "marts/dim_products:not_null_dim_products_product_id"),
        *(
            "marts/fct_sales:not_null_fct_sales_receipt_id",
            "metrics/sales_by_store_daily:not_null_sales_by_store_daily_day",
        ),
        *(f"metric/sales/{name}:{check}" for name in ("net_sales", "receipts") for check in METRIC_CHECKS),
        "metric/sales/net_sales:slices_add_up",  # receipts are counted distinct: their slices need not add up
    }


METRIC_CHECKS = ("complete", "no_unapproved_restatement", "values_valid")


def test_assets_say_who_what_and_from_where(shop: Any) -> None:
    graph = build(shop.declared()).resolve_asset_graph()
    net_sales = graph.get(dg.AssetKey(["metric", "sales", "net_sales"]))
    assert net_sales.owners == ["team:data"]
    assert net_sales.kinds == {"metric", "delta"}
    assert net_sales.group_name == "sales"
    assert "净销售额" in (net_sales.description or "")
    assert {key.to_user_string() for key in net_sales.parent_keys} == {
        "marts/fct_sales",
        "metrics/sales_by_store_daily",
    }
    products = graph.get(dg.AssetKey(["source", "products"]))
    assert products.owners == ["wei@example.com"]
    columns = [column.name for column in products.metadata["dagster/column_schema"].columns]
    assert columns == ["product_id", "name", "department"]
    judged = graph.get(dg.AssetKey(["clean", "receipts"]))
    assert {key.to_user_string() for key in judged.parent_keys} == {"source/receipts", "source/products"}
    assert graph.get(dg.AssetKey(["marts", "fct_sales"])).group_name == "sales"
    landed = graph.get(dg.AssetKey(["source", "receipts"]))
    assert landed.partitions_def is not None
    assert landed.partitions_def.get_partition_keys() == [f"2024-03-0{day}" for day in range(1, 6)]
    assert landed.freshness_policy is not None


def test_heavy_tools_are_not_imported_to_load_the_definitions(shop: Any) -> None:
    import subprocess

    code = (
        "import sys, time; from orchestration.definitions import project; project();"
        "print(time.process_time(), *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    shop.declared()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"METRICS_PROJECT": str(shop.project.root)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, *modules = done.stdout.split()
    assert not {"great_expectations", "pandas", "dbt", "dagster_dbt", "dlt", "deltalake"} & set(modules)
    assert float(seconds) < 4


def test_from_files_to_published_values(shop: Any, rows: Rows) -> None:
    result, report = refresh(shop)
    assert result.success, report.errors
    assert published(shop) == {"2024-03-01": Decimal("9.5"), "2024-03-02": Decimal("12.5")}
    assert checks(result)["clean/receipts:quantity_positive"] == (False, "WARN")
    assert checks(result)["clean/receipts:receipt_known"][0]
    assert checks(result)["metric/sales/net_sales:complete"] == (False, "WARN")
    assert rows("select quantity, _reasons from quarantine.receipts") == [(0, ["quantity_positive"])]
    events = {
        event.materialization.asset_key.to_user_string(): event for event in result.get_asset_materialization_events()
    }
    mart = events["marts/fct_sales"].materialization.metadata
    assert mart["dagster/row_count"].value == 5
    lineage = mart["dagster/column_lineage"].value
    assert isinstance(lineage, dg.TableColumnLineage)
    assert [dep.column_name for dep in lineage.deps_by_column["amount_usd"]] == ["amount_usd"]
    days = [event.partition for event in result.get_asset_materialization_events() if event.partition]
    assert days == ["2024-03-01", "2024-03-02"]


def test_nothing_new_touches_nothing_but_is_said(shop: Any) -> None:
    first, _ = refresh(shop)
    result, report = refresh(shop)
    assert result.success
    assert all(not load.changed for load in report.loads.values())
    assert all(clean.skipped for clean in report.cleans.values())
    assert report.transformed.mode == "skipped"
    assert {one.state for one in report.published.metrics.values()} == {"unchanged"}
    assert checks(result) == checks(first)
    assert len(result.get_asset_materialization_events()) == len(first.get_asset_materialization_events()) - 2


def test_one_more_day_rebuilds_only_that_day(refreshed: Any, rows: Rows) -> None:
    refreshed.deliver("2024-03-03", [("r5", 1, 1, "7.25")])
    result, report = refresh(refreshed)
    assert result.success, report.errors
    assert report.transformed.mode == "days"
    assert not any("dim_products" in node for node in report.transformed.built)
    assert rows(SOLD)[-1] == ("2024-03-03", Decimal("7.25"))
    assert published(refreshed)["2024-03-03"] == Decimal("7.25")


def test_a_corrected_day_replaces_the_old_one_and_an_emptied_day_goes(refreshed: Any, rows: Rows) -> None:
    refreshed.deliver("2024-03-01", [("r1", 1, 1, "1.00")])
    refreshed.deliver("2024-03-02", [])
    result, report = refresh(refreshed)
    assert result.success, report.errors
    assert rows(SOLD) == [("2024-03-01", Decimal("1.00"))]
    assert published(refreshed) == {"2024-03-01": Decimal("1")}


def test_changed_code_rebuilds_the_model_and_what_stands_on_it(refreshed: Any) -> None:
    refreshed.replace(
        "dbt_project/models/marts/sales/fct_sales.sql", "store, sold_on", "upper(store) as store, sold_on"
    )
    result, report = refresh(refreshed)
    assert result.success, report.errors
    assert report.transformed.mode == "whole"
    built = {node.split(".")[2] for node in report.transformed.built if node.startswith("model.")}
    assert built == {"fct_sales", "sales_by_store_daily"}


def test_a_new_product_lets_its_lines_out_of_quarantine(shop: Any) -> None:
    shop.deliver("2024-03-03", [("r5", 3, 1, "7.00"), ("r5", 1, 1, "1.00")])
    refresh(shop)
    assert published(shop)["2024-03-03"] == Decimal("1")
    shop.deliver_products("米", "茶", "盐")
    result, report = refresh(shop)
    assert result.success, report.errors
    assert published(shop)["2024-03-03"] == Decimal("8")


def test_a_model_that_does_not_compile_fails_with_its_place_and_the_next_run_catches_up(refreshed: Any) -> None:
    before = published(refreshed)
    path = "dbt_project/models/marts/sales/fct_sales.sql"
    refreshed.replace(path, "quantity, amount_usd", "quantity, amount_used as amount_usd")
    refreshed.deliver("2024-03-03", [("r5", 1, 1, "7.25")])
    result, report = refresh(refreshed)
    assert not result.success
    [problem] = report.transformed.failures
    assert problem.path == path
    assert "amount_used" in problem.message
    assert any(path in text and "amount_used" in text for text in failures(result))
    assert published(refreshed) == before
    refreshed.replace(path, "amount_used as amount_usd", "amount_usd")
    result, report = refresh(refreshed)
    assert result.success, report.errors
    assert published(refreshed)["2024-03-03"] == Decimal("7.25")
    assert published(refreshed)["2024-03-01"] == before["2024-03-01"]


def test_a_failing_dbt_test_is_a_failed_check_and_stops_the_metrics(shop: Any) -> None:
    shop.write("dbt_project/tests/no_tea.sql", "select * from {{ ref('fct_sales') }} where product_id = 2")
    result, report = refresh(shop)
    assert not result.success
    assert checks(result)["marts/fct_sales:no_tea"] == (False, "ERROR")
    assert report.published is None
    [problem] = report.transformed.failures
    assert problem.path == "dbt_project/tests/no_tea.sql"


def test_too_many_bad_rows_stop_everything_after_them(refreshed: Any, rows: Rows) -> None:
    before = published(refreshed)
    refreshed.deliver("2024-03-03", [("r5", 1, 0, "1.00"), ("r6", 1, 0, "1.00"), ("r7", 1, 1, "1.00")])
    result, report = refresh(refreshed)
    assert not result.success
    assert checks(result)["clean/receipts:within_tolerance"] == (False, "ERROR")
    assert any("2 of 3 rows are bad" in text for text in failures(result))
    assert report.transformed is None
    assert published(refreshed) == before
    assert rows("select count(*) from clean.receipts") == [(5,)]
    refreshed.deliver("2024-03-03", [("r5", 1, 1, "1.00"), ("r6", 1, 1, "1.00"), ("r7", 1, 1, "1.00")])
    result, report = refresh(refreshed)
    assert result.success, report.errors
    assert published(refreshed)["2024-03-03"] == Decimal("3")


def test_an_unreadable_file_fails_its_source_with_file_and_line(refreshed: Any) -> None:
    file = refreshed.deliver("2024-03-03", [("r5", 1, "two", "7.25")])
    result, _ = refresh(refreshed)
    assert not result.success
    assert any(f"{file.name}:2" in text and "two" in text for text in failures(result))


@pytest.mark.parametrize("range_tags", [True, False])
def test_a_backfill_loads_the_asked_days_again(refreshed: Any, rows: Rows, range_tags: bool) -> None:
    before = rows("select max(load_id) from ingest.loads")[0][0]
    declared = refreshed.declared()
    landed = build(declared).resolve_implicit_global_asset_job_def()
    tags = {"dagster/asset_partition_range_start": "2024-03-01", "dagster/asset_partition_range_end": "2024-03-02"}
    with dg.DagsterInstance.ephemeral() as instance:
        how: dict[str, Any] = {"tags": tags} if range_tags else {"partition_key": "2024-03-02"}
        selected = [dg.AssetKey(["source", "receipts"])]
        result = landed.execute_in_process(instance=instance, asset_selection=selected, **how)
        partitions = instance.get_materialized_partitions(dg.AssetKey(["source", "receipts"]))
    assert result.success
    assert partitions == ({"2024-03-01", "2024-03-02"} if range_tags else {"2024-03-02"})
    [(rows_read,)] = rows(f"select sum(rows_read) from ingest.loads where load_id > {before}")
    assert rows_read == (6 if range_tags else 3)
    result, report = refresh(refreshed)
    assert result.success, report.errors
    assert rows("select count(*) from source.receipts") == [(6,)]


def test_a_selection_rebuilds_only_what_is_asked(refreshed: Any) -> None:
    result, report = refresh(refreshed, asset_selection=[dg.AssetKey(["marts", "dim_products"])])
    assert result.success, report.errors
    assert report.transformed.built == {
        *("model.shop.dim_products", "test.shop.unique_dim_products_product_id.ef7b2a9985"),
        "test.shop.not_null_dim_products_product_id.c8aba288d1",
    }
    assert not report.loads


def test_rows_landed_while_only_a_model_was_rebuilt_are_not_lost(refreshed: Any) -> None:
    refreshed.deliver("2024-03-03", [("r5", 1, 1, "7.25")])
    refresh(refreshed, asset_selection=[dg.AssetKey(["source", "receipts"]), dg.AssetKey(["clean", "receipts"])])
    refresh(refreshed, asset_selection=[dg.AssetKey(["metric", "sales", "net_sales"])])
    assert "2024-03-03" not in published(refreshed)
    result, report = refresh(refreshed)
    assert result.success, report.errors
    assert published(refreshed)["2024-03-03"] == Decimal("7.25")


def test_dbt_by_its_command_line_does_the_same(shop: Any) -> None:
    from dataclasses import replace

    slow = replace(shop, settings=shop.settings.model_copy(update={"dbt": "cli"}))
    result, report = refresh(slow)
    assert result.success, report.errors
    assert published(shop) == {"2024-03-01": Decimal("9.5"), "2024-03-02": Decimal("12.5")}
    assert refresh(shop)[1].transformed.mode == "skipped"
