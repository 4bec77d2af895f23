"""MetricFlow's answer to a query, as rows, over a DuckDB file: what tests compare with where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb


class _Renders:
    """The half of MetricFlow's SQL client that writing SQL needs."""

    def __init__(self) -> None:
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer

        self.sql_engine_type = SqlEngine.DUCKDB
        self.sql_plan_renderer = DuckDbSqlPlanRenderer()


@cache
def _engine(semantic_manifest: Path) -> Any:
    from metricflow.engine.metricflow_engine import MetricFlowEngine
    from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
    from metricflow_semantic_interfaces.transformations.semantic_manifest_transformer import (
        PydanticSemanticManifestTransformer,
    )
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    manifest = PydanticSemanticManifest.parse_raw(semantic_manifest.read_text("utf-8"))
    lookup = SemanticManifestLookup(PydanticSemanticManifestTransformer.transform(manifest))
    return MetricFlowEngine(lookup, _Renders())  # pyright: ignore[reportArgumentType]


def sql(semantic_manifest: Path, metrics: Sequence[str], group_by: Sequence[str]) -> str:
    """The SQL MetricFlow would run; columns in the order of ``group_by``, then ``metrics``."""
    from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

    request = MetricFlowQueryRequest.create(metric_names=list(metrics), group_by_names=list(group_by))
    written = _engine(semantic_manifest).explain(request).sql_statement.sql
    columns = ", ".join(f'"{name}"' for name in (*(one.lower() for one in group_by), *metrics))
    return f"select {columns} from ({written})"


def answer(
    con: duckdb.DuckDBPyConnection, semantic_manifest: Path, metric: str, grain: str, by: Sequence[str] = ()
) -> dict[tuple[Any, ...], float]:
    """(period, members…) -> value, without periods that have none; hours as times, others as days."""
    shown = 19 if grain == "hour" else 10
    rows = con.execute(sql(semantic_manifest, [metric], [f"metric_time__{grain}", *by])).fetchall()
    return {
        (str(row[0])[:shown], *row[1:-1]): float(row[-1]) for row in rows if row[-1] is not None and row[0] is not None
    }
