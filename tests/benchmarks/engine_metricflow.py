"""The benchmark's metrics as MetricFlow has them, and the SQL it writes: one query for each grain and slice.

The YAML is a dbt project's semantic models and metrics; MetricFlow's own parser reads it from a temporary folder, so no
dbt run is needed. MetricFlow is a development dependency and is imported only here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from engine_metrics import GRAINS, Keys

NAMES = {"store": "store", "region": "store__region", "category": "product__category"}
_ROWS = {
    "is_promoted": "{{ Dimension('line__is_promoted') }}",
    "is_private_label": "{{ Dimension('line__is_private_label') }}",
    "channel = 'online'": "{{ Dimension('line__channel') }} = 'online'",
    "member_id is not null": "{{ Entity('member') }} is not null",
    "category = 'category_03'": "{{ Dimension('product__category') }} = 'category_03'",
    "quantity >= 5": "{{ Dimension('line__units_sold') }} >= 5",
}


def queries(
    metrics: Mapping[str, Keys], cuts: Sequence[tuple[str, ...]], grains: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """(table name, SQL) for each grain and slice, as compiled."""
    engine, request = _engine(metrics)
    for cut in cuts:
        for grain in grains:
            wanted = [name for name, keys in metrics.items() if grain in keys.get("grains", GRAINS)]
            if wanted:
                asked = request(
                    metric_names=wanted,
                    group_by_names=[f"metric_time__{grain}", *(NAMES[name] for name in cut)],
                )
                yield f"{'_'.join(cut) or 'total'}_{grain}", engine.explain(asked).sql_statement.sql


def _engine(metrics: Mapping[str, Keys]) -> tuple[Any, Any]:
    from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
    from metricflow_semantic_interfaces.parsing.dir_to_model import (
        parse_directory_of_yaml_files_to_semantic_manifest,
    )
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    with tempfile.TemporaryDirectory() as folder:
        text = yaml.safe_dump_all(_documents(metrics), sort_keys=False)
        Path(folder, "retail.yml").write_text(text, encoding="utf-8")
        manifest = parse_directory_of_yaml_files_to_semantic_manifest(folder).semantic_manifest
    return MetricFlowEngine(SemanticManifestLookup(manifest), _client()), MetricFlowQueryRequest.create


def _client() -> Any:
    """A client that renders DuckDB's SQL and runs nothing."""
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer

    class Client:
        sql_engine_type = SqlEngine.DUCKDB
        sql_plan_renderer = DuckDbSqlPlanRenderer()

    return Client()


def _documents(metrics: Mapping[str, Keys]) -> Iterator[dict[str, Any]]:
    yield {
        "project_configuration": {
            "time_spines": [
                {
                    "node_relation": _relation("time_spine"),
                    "primary_column": {"name": "day", "time_granularity": "day"},
                }
            ]
        }
    }
    yield from ({"semantic_model": model} for model in (_lines(metrics), *_dimension_models()))
    yield from ({"metric": _metric(name, keys)} for name, keys in metrics.items())


def _lines(metrics: Mapping[str, Keys]) -> dict[str, Any]:
    return {
        "name": "lines",
        "node_relation": _relation("fct_order_lines"),
        "defaults": {"agg_time_dimension": "ordered_on"},
        "entities": [
            {"name": "line", "type": "primary", "expr": "line_id"},
            *({"name": one, "type": "foreign", "expr": f"{one}_id"} for one in ("order", "store", "product", "member")),
        ],
        "dimensions": [
            {"name": "ordered_on", "type": "time", "type_params": {"time_granularity": "day"}},
            *({"name": one, "type": "categorical"} for one in ("is_promoted", "is_private_label", "channel")),
            {"name": "units_sold", "type": "categorical", "expr": "quantity"},
        ],
        "measures": [_measure(name, keys) for name, keys in metrics.items() if keys["type"] == "simple"],
    }


def _measure(name: str, keys: Keys) -> dict[str, Any]:
    return {"name": f"{name}_measure", "agg": keys["agg"], "expr": keys.get("expr", "line_id")}


def _dimension_models() -> Iterator[dict[str, Any]]:
    for table, entity, names in (
        ("dim_stores", "store", ("region", "city", "format")),
        ("dim_products", "product", ("category", "brand")),
        ("dim_members", "member", ("tier",)),
    ):
        yield {
            "name": table.removeprefix("dim_"),
            "node_relation": _relation(table),
            "entities": [{"name": entity, "type": "primary", "expr": f"{entity}_id"}],
            "dimensions": [{"name": one, "type": "categorical"} for one in names],
        }


def _relation(table: str) -> dict[str, str]:
    return {"alias": table, "schema_name": "marts"}


def _metric(name: str, keys: Keys) -> dict[str, Any]:
    made = {"name": name, "type": keys["type"], "type_params": _KINDS[keys["type"]](name, keys)}
    return made | ({"filter": _ROWS[keys["filter"]]} if "filter" in keys else {})


def _simple(name: str, keys: Keys) -> dict[str, Any]:
    return {"measure": {"name": f"{name}_measure"}}


def _ratio(name: str, keys: Keys) -> dict[str, Any]:
    return {role: {"name": keys[role]} for role in ("numerator", "denominator")}


def _derived(name: str, keys: Keys) -> dict[str, Any]:
    inputs = []
    for alias, one in keys["inputs"].items():
        offset = one.get("offset")
        window = {} if offset is None else {"offset_window": offset}
        inputs.append({"name": one["metric"], "alias": alias} | window)
    return {"expr": keys["expr"], "metrics": inputs}


def _cumulative(name: str, keys: Keys) -> dict[str, Any]:
    over = {"grain_to_date": keys["to_date"]} if "to_date" in keys else {"window": keys["window"]}
    return {"measure": {"name": f"{keys['metric']}_measure"}, "cumulative_type_params": over}


_KINDS = {"simple": _simple, "ratio": _ratio, "derived": _derived, "cumulative": _cumulative}
