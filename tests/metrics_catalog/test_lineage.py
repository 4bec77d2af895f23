"""From source columns to metrics and their people, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from metrics_catalog.lineage import Impact, impact
from metrics_catalog.semantic import UnknownName

MODELS = {
    "stg_lines": "select id as line_id, pid as product_id, sid as store_id, member as member_id, day as sold_on, 金额 as amount_usd, n as units, promo as is_promoted, note from {{ source('clean', 'lines') }} where cancelled = 0",
    "fct_sales": "select * from {{ ref('stg_lines') }}",
    "fct_visits": "select {% for c in ['visit_id', 'store_id'] %}{{ c }}, {% endfor %} visited_on from {{ source('clean', 'visits') }}",
    "dim_products": "select id as product_id, maker as maker_id, kind as category from {{ source('clean', 'products') }}",
    "dim_makers": "select id as maker_id, country, city from {{ source('clean', 'makers') }}",
}
PARENTS = {"fct_sales": "model.shop.stg_lines", "stg_lines": "source.shop.clean.lines", "fct_visits": "source.shop.clean.visits",
           "dim_products": "source.shop.clean.products", "dim_makers": "source.shop.clean.makers"}  # fmt: skip
METRICS: dict[str, dict[str, Any]] = {
    "net_sales": {"slices": [["country"]]},
    "promoted": {"expr": None, "agg": "count", "filter": "is_promoted"},
    "visits": {"model": "visits", "agg": "count", "expr": None, "owner": "wang_fang"},
    "per_visit": {"type": "ratio", "numerator": "net_sales", "denominator": "visits"},
    "per_visit_twice": {"type": "derived", "expr": "per_visit * 2"},
}


@pytest.fixture
def ask(asking):
    return asking(METRICS)


@pytest.fixture
def asking(shop):
    return lambda metrics: _asking(shop(metrics))


def _asking(catalog):
    nodes = {
        f"model.shop.{name}": {
            "resource_type": "model", "name": name, "raw_code": sql, "columns": {}, "depends_on": {"nodes": [PARENTS[name]]},
        }
        for name, sql in reversed(MODELS.items())
    }  # fmt: skip
    sources = {
        key: {"resource_type": "source", "source_name": "clean", "name": key.split(".")[-1], "columns": {}}
        for key in PARENTS.values()
        if key.startswith("source")
    }
    manifest = {"metadata": {"adapter_type": "duckdb"}, "nodes": nodes, "sources": sources}
    catalog.project.manifest.parent.mkdir(parents=True)
    catalog.project.manifest.write_text(json.dumps(manifest, ensure_ascii=False), "utf-8")
    return lambda name: impact(catalog, name)


def touched(found: Impact) -> dict[str, str]:
    return {one.metric: one.how for one in found.metrics}


def test_a_source_column_down_to_the_metrics_computed_from_it(ask) -> None:
    found = ask("clean.lines.金额")
    assert touched(found) == {"net_sales": "value", "per_visit": "value", "per_visit_twice": "value"}
    assert {one.metric: one.through for one in found.metrics} == {
        "net_sales": (),
        "per_visit": ("net_sales",),
        "per_visit_twice": ("per_visit",),
    }
    assert found.models == ("fct_sales", "stg_lines")
    assert (found.kind, found.people, found.untraced) == ("column", ("wang_fang",), ())


def test_what_decides_rows(ask) -> None:
    everything_of_sales = {"net_sales", "promoted", "per_visit", "per_visit_twice"}
    assert touched(ask("clean.lines.cancelled")) == dict.fromkeys(everything_of_sales, "rows")
    assert touched(ask("stg_lines.is_promoted")) == {"promoted": "rows"}
    assert touched(ask("fct_sales.sold_on")) == dict.fromkeys(everything_of_sales, "rows")


def test_dimensions_reach_the_metrics_sliced_by_them(ask) -> None:
    assert touched(ask("clean.makers.country")) == dict.fromkeys(("net_sales",), "rows")
    assert touched(ask("dim_makers.city")) == {}
    assert touched(ask("dim_products.maker_id")) == dict.fromkeys(("net_sales",), "rows")
    assert touched(ask("dim_products.category")) == {}


def test_a_whole_model_or_source(ask) -> None:
    assert touched(ask("clean.lines")).keys() == {"net_sales", "promoted", "per_visit", "per_visit_twice"}
    assert touched(ask("fct_visits")).keys() == {"visits", "per_visit", "per_visit_twice"}
    assert ask("clean.lines").kind == "table"
    assert ask("fct_sales").made_of["sources"] == ("clean.lines",)


def test_a_model_that_cannot_be_followed_counts_whole_and_is_named(ask) -> None:
    found = ask("clean.visits.anything")
    assert touched(found).keys() == {"visits", "per_visit", "per_visit_twice"}
    assert found.untraced == ("fct_visits",)


def test_a_metric_both_ways(ask) -> None:
    found = ask("net_sales")
    assert touched(found) == {"per_visit": "value", "per_visit_twice": "value"}
    made_of = found.made_of
    assert made_of["columns"] == ("clean.lines.金额", "fct_sales.amount_usd", "stg_lines.amount_usd")
    assert made_of["sources"] == ("clean.lines", "clean.makers", "clean.products")
    assert set(made_of["row_columns"]) >= {"clean.lines.cancelled", "clean.makers.country", "fct_sales.product_id"}
    assert "stg_lines.note" not in made_of["row_columns"]
    assert ask("per_visit_twice").made_of["metrics"] == ("net_sales", "per_visit", "visits")
    assert ask("per_visit_twice").metrics == ()


@pytest.mark.parametrize(
    ("name", "meant"),
    [("net_sale", "net_sales"), ("fct_sale", "fct_sales"), ("clean.line", "clean.lines"), ("fct_sales.unit", "units")],
)
def test_an_unknown_name_and_what_was_meant(ask, name, meant) -> None:
    with pytest.raises(UnknownName, match=meant):
        ask(name)


def test_what_the_values_of_entities_come_from_decides_which_rows_count(asking) -> None:
    picking = {"busy": {"agg": "count", "expr": "units", "filter": "metric(per_visit, by=store) > 2 and is_promoted"}}
    ask = asking(METRICS | picking)
    busy = ask("busy")
    assert busy.made_of["metrics"] == ("net_sales", "per_visit", "visits")
    assert {"fct_sales", "fct_visits"} <= set(busy.made_of["models"])
    assert "clean.lines.n" in busy.made_of["columns"]
    assert {"clean.lines.金额", "clean.lines.sid"} <= set(busy.made_of["row_columns"])
    assert {one.metric: one.through for one in ask("visits").metrics}["busy"] == ("per_visit",)
    assert touched(ask("clean.lines.金额"))["busy"] == "rows"
    assert touched(ask("clean.visits"))["busy"] == "rows"
