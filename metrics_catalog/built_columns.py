"""Columns of a dbt project's tables as last built, for models whose YAML does not declare them.

A dbt project need not say its columns. Until it was built once, any column is taken on trust; then a name is checked
against what the table has, for as long as no SQL above the table has changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from metrics_catalog.project import Project
from metrics_catalog.semantic import SemanticModel, Semantics

Tables = Mapping[tuple[str, str], Mapping[str, str]]


def with_built_columns(semantics: Semantics, project: Project) -> Semantics:
    """The semantic models with the columns their tables have, or open to any."""
    known = json.loads(project.columns.read_text("utf-8")) if project.columns.is_file() else {}
    models = {name: _filled(semantics, model, known.get(model.node, {})) for name, model in semantics.models.items()}
    return replace(semantics, models=models)


def keep_built_columns(semantics: Semantics, project: Project, tables: Tables) -> None:
    """Remember the columns of the tables behind the semantic models; ``tables``: (schema, name) -> column -> type."""
    found = {
        model.node: {"of": _code(semantics, model), "columns": dict(tables[model.schema, model.table])}
        for model in semantics.models.values()
        if (model.schema, model.table) in tables
    }
    project.columns.parent.mkdir(parents=True, exist_ok=True)
    project.columns.write_text(json.dumps(found, indent=1, ensure_ascii=False), "utf-8")


def _filled(semantics: Semantics, model: SemanticModel, built: Mapping[str, object]) -> SemanticModel:
    columns = built.get("columns")
    if not isinstance(columns, dict) or built.get("of") != _code(semantics, model):
        return replace(model, is_open=True)
    return replace(model, columns={name.lower(): kind.lower() for name, kind in columns.items()})


def _code(semantics: Semantics, model: SemanticModel) -> str:
    """Changes with the SQL of the table and of all above it."""
    nodes = sorted(semantics.upstream(model.node))
    return sha256("\0".join(f"{node} {semantics.checksums.get(node, '')}" for node in nodes).encode()).hexdigest()[:16]
