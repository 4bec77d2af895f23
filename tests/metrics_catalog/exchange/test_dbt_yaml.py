"""The catalog as a dbt semantic layer. That MetricFlow gives the same answers is tested in tests/test_dbt_project.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from metrics_catalog.catalog import Catalog
from metrics_catalog.exchange.dbt_yaml import to_dbt

Shop = Callable[[dict[str, dict[str, Any]]], Catalog]


def exported(catalog: Catalog) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    made = to_dbt(catalog)
    measures = {one["name"]: one for model in made.data["semantic_models"] for one in model.get("measures", ())}
    metrics = {one["name"]: one["type_params"] for one in made.data["metrics"]}
    return measures, metrics, dict(made.left_out)


def test_a_condition_on_columns_goes_into_the_measure_one_on_dimensions_becomes_a_template(shop: Shop) -> None:
    measures, metrics, _ = exported(
        shop(
            {"net": {}, "noted": {"filter": "note is not null"}, "fresh": {"filter": "category = '生鲜' and units > 1"}}
        )
    )
    assert metrics["net"] == {"measure": {"name": "sum_amount_usd"}}
    assert measures["noted_measure"]["expr"] == "case when NOT note IS NULL then amount_usd end"
    assert metrics["fresh"]["measure"]["filter"] == "{{ Dimension('product__category') }} = '生鲜'"
    assert measures["fresh_measure"]["expr"] == "case when units > 1 then amount_usd end"


def test_what_is_zero_beside_something_is_a_part_that_dbt_fills(shop: Shop) -> None:
    _, metrics, left_out = exported(
        shop(
            {
                "net": {},
                "promoted": {"filter": "is_promoted"},
                "share": {"type": "ratio", "numerator": "promoted", "denominator": "net"},
                "plain": {"type": "derived", "expr": "net - promoted"},
                "nested": {"type": "ratio", "numerator": "plain", "denominator": "net"},
            }
        )
    )
    assert metrics["share"]["numerator"] == {"name": "promoted_or_zero"}
    assert metrics["promoted_or_zero"]["measure"]["fill_nulls_with"] == 0
    assert metrics["plain"]["metrics"] == [
        {"name": "net_or_zero", "alias": "net"},
        {"name": "promoted_or_zero", "alias": "promoted"},
    ]
    assert list(left_out) == ["nested"]


def test_what_dbt_has_no_words_for_is_named(shop: Shop) -> None:
    _, metrics, left_out = exported(
        shop(
            {
                "repeat": {"agg": "count_distinct", "expr": "member_id", "having": "count(*) > 1"},
                "net": {},
                "repeat_share": {"type": "ratio", "numerator": "repeat", "denominator": "net"},
                "before": {
                    "type": "derived",
                    "expr": "net - last",
                    "inputs": {"last": {"metric": "net", "offset": "previous"}},
                    "grains": ["day", "month"],
                },
            }
        )
    )
    assert set(left_out) == {"repeat", "repeat_share", "before"}
    assert left_out["repeat"] == "having has no equal in dbt's semantic layer"
    assert set(metrics) == {"net"}


def test_governance_is_in_meta(shop: Shop) -> None:
    described = {"en": "Net of tax.", "zh": "不含税。"}
    made = to_dbt(shop({"net": {"slices": [["category"]], "target": {"day": 5}, "description": described}}))
    assert made.data["metrics"][0]["description"] == "Net of tax."
    assert made.data["metrics"][0]["config"]["meta"]["description"] == described
    meta = made.data["metrics"][0]["config"]["meta"]
    assert (meta["owner"], meta["tier"], meta["slices"], meta["label"]["zh"]) == (
        "sales",
        2,
        [["category"]],
        "指标 net",
    )


def test_the_value_of_another_metric_is_asked_where_both_tables_have_the_key(shop: Shop) -> None:
    _, metrics, left_out = exported(
        shop(
            {
                "lines": {"agg": "count", "expr": None},
                "loyal": {"filter": "metric(lines, by=member) >= 5 and is_promoted"},
                "of_makers": {"filter": "metric(lines, by=maker) >= 5"},
                "mixed": {"filter": "metric(lines, by=member) >= 5 or units > 1"},
                "repeat": {"agg": "count_distinct", "expr": "member_id", "having": "count(*) > 1"},
                "of_repeaters": {"filter": "metric(repeat, by=store) > 1"},
            }
        )
    )
    told = metrics["loyal"]["measure"]["filter"]
    assert told == "{{ Metric('lines', group_by=['member']) }} >= 5"
    assert set(metrics) == {"lines", "loyal"}
    assert 'to which "sales" has no key' in left_out["of_makers"]
    assert "is on a column that is no dimension" in left_out["mixed"]
    assert left_out["of_repeaters"] == 'its part "repeat" is left out'
