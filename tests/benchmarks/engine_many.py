"""Many metrics: what planning 300 of them, and loading a catalog of 12,000 files, takes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from engine_metrics import METRICS, SEMANTICS, Keys, catalog, metric_file
from engine_runs import all_windows, day_windows, metric_plan

from metrics_catalog.catalog import load_catalog
from metrics_catalog.engine.plan import Plan
from metrics_catalog.engine.text import rendered
from metrics_catalog.project import Project
from metrics_catalog.semantic import SemanticModel
from orchestration.collector import seldom

DOMAINS = 40
PEOPLE = {
    "departments": {"finance": {"en": "Finance", "zh": "财务部"}},
    "people": {"wang_fang": {"name": "王芳", "email": "wang.fang@example.com"}},
    "teams": {"finance": {"label": {"en": "Finance", "zh": "财务"}, "department": "finance", "members": ["wang_fang"]}},
}


def plan_many(count: int) -> Iterator[str]:
    """Plan and write the SQL of ``count`` metrics, by day, week and month, each slice; then of other periods of them.

    Memory is looked through as seldom as in `metrics run`: at Python's own thresholds that takes half as long again.
    """
    cat = catalog(many(count))
    over, day = all_windows(date(2024, 12, 31)), day_windows(date(2025, 1, 1))
    with seldom():
        yield ""
        made = metric_plan(cat, over)
        yield "plan"
        _write_sql(made)
        yield "SQL"
        _write_sql(metric_plan(cat, day))
        yield "one day more"


def _write_sql(made: Plan) -> None:
    for step in made.steps:
        rendered(step.query, "duckdb")
    for values in made.values:
        values.sql("duckdb")


def load_many(count: int, folder: Path) -> Iterator[str]:
    """Load a project of ``count`` metric files."""
    shutil.rmtree(folder / "project", ignore_errors=True)  # of a run before, where folders are kept
    project = write_project(folder / "project", count)
    yield ""
    if len(load_catalog(project).metrics) != count:
        raise AssertionError("metrics are missing")
    yield "load"


def many(count: int) -> dict[str, Keys]:
    """As many metrics, by giving the filters of the benchmark's ones other numbers."""
    found: dict[str, Keys] = {}
    base = METRICS
    for number in range(-(-count // len(base))):
        for name, keys in base.items():
            found[f"{name}_{number}"] = _numbered(keys, number)
    return dict(list(found.items())[:count])


def _numbered(keys: Keys, number: int) -> Keys:
    """The same metric, of lines above a quantity, and over metrics of the same number."""
    if keys["type"] == "simple":
        test = f"quantity > {number % 6}"
        return {**keys, "filter": f"({keys['filter']}) and {test}" if "filter" in keys else test}
    if keys["type"] == "ratio":
        return {**keys, **{role: f"{keys[role]}_{number}" for role in ("numerator", "denominator")}}
    inputs = {name: {**one, "metric": f"{one['metric']}_{number}"} for name, one in keys["inputs"].items()}
    return {**keys, "inputs": inputs}


def write_project(root: Path, count: int) -> Project:
    """A project of ``count`` metric files and the benchmark's semantic models, as dbt says them."""
    project = Project.at(root)
    for number, (name, keys) in enumerate(many(count).items()):
        path = project.metrics / f"domain_{number % DOMAINS:02}" / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, metric_file(name, keys))
    _write(project.people, PEOPLE)
    _write(project.policy, {"week_start": "monday"})
    project.manifest.parent.mkdir(parents=True, exist_ok=True)
    project.manifest.write_text(json.dumps(_manifest()), encoding="utf-8")
    return project


def _write(path: Path, data: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(data), allow_unicode=True, sort_keys=False), encoding="utf-8")


def _manifest() -> dict[str, Any]:
    return {
        "nodes": {model.node: _node(model) for model in SEMANTICS.models.values()},
        "sources": {},
        "semantic_models": {name: _semantic_model(model) for name, model in SEMANTICS.models.items()},
    }


def _node(model: SemanticModel) -> dict[str, Any]:
    columns = {name: {"data_type": kind} for name, kind in model.columns.items()}
    return {"schema": model.schema, "name": model.table, "columns": columns, "config": {}}


def _semantic_model(model: SemanticModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "original_file_path": model.path,
        "depends_on": {"nodes": [model.node]},
        "defaults": {"agg_time_dimension": model.time},
        "entities": [
            {"name": one.name, "expr": one.expr, "type": "primary" if one.unique else "foreign"}
            for one in model.entities.values()
        ],
        "dimensions": [
            {"name": one.name, "expr": one.expr, "type": "time" if one.is_time else "categorical"}
            for one in model.dimensions.values()
        ],
    }
