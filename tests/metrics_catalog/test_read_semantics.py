"""What dbt wrote of a project becomes semantic models; what it does not say has its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from metrics_catalog.located import InvalidFiles
from metrics_catalog.read_semantics import read_semantics
from metrics_catalog.semantic import Validity


def test_a_project_never_parsed_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(InvalidFiles, match="metrics check"):
        read_semantics(tmp_path / "manifest.json")


def test_reads_what_dbt_wrote(tmp_path: Path) -> None:
    config = {"incremental_strategy": "changed_days", "meta": {"changed": "week", "following": 7}}
    node = {
        "schema": "marts", "name": "fct", "alias": "fct", "columns": {"Day": {"data_type": "DATE"}},
        "config": config, "depends_on": {"nodes": ["source.shop.clean.lines"]}, "checksum": {"checksum": "c1"},
    }  # fmt: skip
    semantic = {
        "name": "facts", "depends_on": {"nodes": ["model.shop.fct"]}, "original_file_path": "models/fct.yml",
        "defaults": {"agg_time_dimension": "day"},
        "entities": [{"name": "line", "type": "primary", "expr": None}],
        "dimensions": [
            {"name": "day", "type": "time", "expr": None},
            {"name": "since", "type": "time", "expr": "valid_from", "type_params": {"validity_params": {"is_start": True}}},
            {"name": "until", "type": "time", "expr": None, "type_params": {"validity_params": {"is_end": True}}},
        ],
    }  # fmt: skip
    manifest = {
        "nodes": {"model.shop.fct": node},
        "sources": {"source.shop.clean.lines": {}},
        "semantic_models": {"x": semantic},
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest))
    found = read_semantics(path)
    model = found.model("facts")
    assert (model.schema, model.table, model.time, model.columns) == ("marts", "fct", "day", {"day": "date"})
    assert model.validity == Validity("valid_from", "until")
    assert (model.replaced_by, model.following_weeks) == ("week", 7)
    assert found.upstream(model.node) == {"model.shop.fct", "source.shop.clean.lines"}
    assert found.checksums["model.shop.fct"] == "c1"


def test_variables_of_the_project_are_part_of_the_code_that_reads_them(tmp_path: Path) -> None:
    def node(raw: str) -> dict[str, Any]:
        return {
            "resource_type": "model", "raw_code": raw, "language": "sql", "checksum": {"checksum": "x"}, "columns": {},
            "config": {"materialized": "table"}, "depends_on": {"macros": [], "nodes": []},
        }  # fmt: skip

    manifest, project = tmp_path / "manifest.json", tmp_path / "dbt_project.yml"
    nodes = {"model.p.a": node("select {{ var('rate') }} as rate"), "model.p.b": node("select 1 as one")}
    metadata = {"adapter_type": "duckdb"}
    data = {"metadata": metadata, "macros": {}, "nodes": nodes, "sources": {}, "semantic_models": {}}
    manifest.write_text(json.dumps(data), encoding="utf-8")
    found = []
    for text in (
        "name: p",
        "name: p\nvars: {rate: 2, other: 1}",
        "name: p\nvars: {rate: 2, other: 2}",
        "vars: {rate: 3}",
    ):
        project.write_text(text, encoding="utf-8")
        found.append(dict(read_semantics(manifest, project).code))
    assert {one["model.p.b"] for one in found} == {found[0]["model.p.b"]}
    none, two, same, three = (one["model.p.a"] for one in found)
    assert two == same
    assert len({none, two, three}) == 3
