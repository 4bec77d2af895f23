"""The open interchange format: keys of core spec 0.2.0.dev0, expressions others can run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.exchange.osi import to_osi

Catalogs = Callable[[Path, dict[str, dict[str, Any]]], Catalog]
ALLOWED = {
    "model": {"name", "description", "ai_context", "datasets", "relationships", "metrics", "custom_extensions"},
    "dataset": {"name", "source", "primary_key", "unique_keys", "description", "ai_context", "fields", "metrics", "custom_extensions"},
    "field": {"name", "expression", "dimension", "label", "description", "datatype", "ai_context", "custom_extensions"},
    "metric": {"name", "expression", "description", "datatype", "ai_context", "custom_extensions"},
}  # fmt: skip


@pytest.fixture
def made(shop: Callable[[dict[str, dict[str, Any]]], Catalog]) -> Any:
    return to_osi(
        shop(
            {
                "net": {"synonyms": ["sales"], "description": {"en": "Sold.", "zh": "售出。"}},
                "fresh": {"filter": "category = '生鲜'"},
                "fresh_share": {"type": "ratio", "numerator": "fresh", "denominator": "net"},
                "buyers": {"agg": "count_distinct", "expr": "member_id"},
                "rolling": {"type": "cumulative", "metric": "net", "window": "7 days"},
                "loyal": {"filter": "metric(buyers, by=store) > 1"},
                "repeat": {"agg": "count_distinct", "expr": "member_id", "having": "count(*) > 1"},
            }
        )
    )


def expressions(made: Any) -> dict[str, str]:
    [model] = made.data["semantic_model"]
    return {one["name"]: one["expression"]["dialects"][0]["expression"] for one in model["metrics"]}


def test_keys_are_the_specs(made: Any) -> None:
    assert made.data["version"] == "0.2.0.dev0"
    assert set(made.data) == {"version", "semantic_model"}
    [model] = made.data["semantic_model"]
    assert set(model) <= ALLOWED["model"]
    assert all(set(one) <= ALLOWED["dataset"] for one in model["datasets"])
    assert all(set(field) <= ALLOWED["field"] for one in model["datasets"] for field in one["fields"])
    assert all(set(one) <= ALLOWED["metric"] for one in model["metrics"])
    assert {(one["from"], one["to"]) for one in model["relationships"]} >= {
        ("sales", "products"),
        ("products", "makers"),
    }


def test_a_description_is_english_and_both_are_kept(made: Any) -> None:
    net = made.data["semantic_model"][0]["metrics"][0]
    assert net["description"] == "Sold."
    assert '"description": {"en": "Sold.", "zh": "售出。"}' in net["custom_extensions"][0]["data"]


def test_expressions(made: Any) -> None:
    found = expressions(made)
    assert found["net"] == "SUM(sales.amount_usd)"
    assert found["fresh"] == "SUM(CASE WHEN products.category = '生鲜' THEN sales.amount_usd END)"
    assert found["buyers"] == "COUNT(DISTINCT sales.member_id)"
    assert "NULLIF(CAST(SUM(sales.amount_usd) AS DOUBLE PRECISION), 0)" in found["fresh_share"]


def test_what_has_no_expression_is_named(made: Any) -> None:
    assert set(made.left_out) == {"rolling", "repeat", "loyal"}


def test_every_column_of_an_expression_is_a_field(made: Any) -> None:
    [model] = made.data["semantic_model"]
    fields = {f"{one['name']}.{field['name']}" for one in model["datasets"] for field in one["fields"]}
    assert {"sales.amount_usd", "sales.member_id", "products.category"} <= fields
