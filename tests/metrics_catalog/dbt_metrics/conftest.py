"""A dbt project as a manifest and its YAML, both made by hand so that no test needs dbt."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from metrics_catalog.project import Project

MEASURES: list[dict[str, Any]] = [
    {"name": "amount", "agg": "sum", "expr": "amount"},
    {"name": "buyers", "agg": "count_distinct", "expr": "customer_id"},
    {"name": "orders_placed", "agg": "count", "expr": "order_id"},
    {"name": "gifts", "agg": "sum_boolean", "expr": "is_gift"},
    {"name": "discrete", "agg": "percentile", "expr": "amount", "agg_params": {"percentile": 0.5, "use_discrete_percentile": True}},
    {"name": "shipped", "agg": "sum", "expr": "amount", "agg_time_dimension": "shipped_at"},
]  # fmt: skip


def _orders() -> dict[str, Any]:
    times = [
        {"name": name, "type": "time", "expr": None, "type_params": {"time_granularity": grain}}
        for name, grain in (("ordered_at", "second"), ("shipped_at", "day"))
    ]
    return {
        "name": "orders",
        "depends_on": {"nodes": ["model.tea.orders"]},
        "original_file_path": "models/orders.yml",
        "defaults": {"agg_time_dimension": "ordered_at"},
        "entities": [
            {"name": "order", "type": "primary", "expr": "order_id"},
            {"name": "customer", "type": "foreign", "expr": "customer_id"},
        ],
        "dimensions": [*times, {"name": "size", "type": "categorical", "expr": "case when amount > 9 then 'big' else 'small' end"}],
        "measures": MEASURES,
    }  # fmt: skip


def _customers() -> dict[str, Any]:
    return {
        "name": "customers",
        "depends_on": {"nodes": ["model.tea.customers"]},
        "original_file_path": "models/customers.yml",
        "entities": [{"name": "customer", "type": "primary", "expr": "customer_id"}],
        "dimensions": [{"name": "country", "type": "categorical", "expr": None}],
        "measures": [],
    }


def _use(text: str | dict[str, Any] | None) -> dict[str, Any] | None:
    """A measure or metric as the manifest has it."""
    if text is None:
        return None
    made = {"name": text} if isinstance(text, str) else dict(text)
    return {**made, "filter": _filter(made.get("filter"))}


def _filter(text: str | None) -> dict[str, Any] | None:
    return None if text is None else {"where_filters": [{"where_sql_template": text}]}


def _metric(name: str, keys: dict[str, Any]) -> dict[str, Any]:
    params = dict(keys["type_params"])
    for key in ("measure", "numerator", "denominator"):
        params[key] = _use(params.get(key))
    params["metrics"] = [_use(one) for one in params.get("metrics", ())]
    return {
        "name": name,
        "label": keys.get("label") or name,
        "description": keys.get("description", ""),
        "type": keys["type"],
        "type_params": params,
        "filter": _filter(keys.get("filter")),
        "time_granularity": None,
        "package_name": "tea",
        "original_file_path": "models/orders.yml",
        "config": keys.get("config", {}),
    }


DbtProject = Callable[[dict[str, dict[str, Any]]], Project]


@pytest.fixture
def dbt_project(tmp_path: Path) -> DbtProject:
    """Writes a project with these metrics, in dbt's words; each measure and metric may be a name or have a filter."""

    def write(metrics: dict[str, dict[str, Any]]) -> Project:
        (tmp_path / "models").mkdir(exist_ok=True)
        (tmp_path / "dbt_project.yml").write_text("name: tea\n", "utf-8")
        document = {"metrics": [{"name": name, **keys} for name, keys in metrics.items()]}
        (tmp_path / "models" / "orders.yml").write_text(
            yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8"
        )
        project = Project.at(tmp_path)
        nodes = {
            f"model.tea.{name}": {"schema": "main", "name": name, "columns": {}, "config": {}}
            for name in ("orders", "customers")
        }
        manifest = {
            "metadata": {"project_name": "tea"},
            "nodes": nodes,
            "sources": {},
            "semantic_models": {one["name"]: one for one in (_orders(), _customers())},
            "metrics": {f"metric.tea.{name}": _metric(name, keys) for name, keys in metrics.items()},
        }
        project.manifest.parent.mkdir(parents=True, exist_ok=True)
        project.manifest.write_text(json.dumps(manifest), "utf-8")
        return project

    return write
