"""Columns a dbt project does not declare: trusted until built, checked after, trusted again when SQL above changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from metrics_catalog.built_columns import keep_built_columns, with_built_columns
from metrics_catalog.project import Project
from metrics_catalog.semantic import SemanticModel, Semantics

MODEL = SemanticModel("sales", "model.x.sales", "main", "sales", "sales.yml", None, {}, {}, {"day": ""})
SEMANTICS = Semantics({"sales": MODEL}, {"model.x.sales": ("seed.x.raw",)}, {"model.x.sales": "a", "seed.x.raw": "b"})


def test_columns_as_built(tmp_path: Path) -> None:
    project = Project.at(tmp_path)
    assert with_built_columns(SEMANTICS, project).models["sales"].is_open
    keep_built_columns(
        SEMANTICS, project, {("main", "sales"): {"Day": "DATE", "amount": "DOUBLE"}, ("main", "other"): {}}
    )
    known = with_built_columns(SEMANTICS, project).models["sales"]
    assert (known.is_open, known.columns) == (False, {"day": "date", "amount": "double"})
    changed = replace(SEMANTICS, checksums={"model.x.sales": "a", "seed.x.raw": "c"})
    assert with_built_columns(changed, project).models["sales"].is_open
