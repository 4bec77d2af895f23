"""dbt's profile for a project of its own: its target's name, schema and extensions, our warehouse."""

from __future__ import annotations

from pathlib import Path

import yaml

from metrics_catalog.project import Project
from orchestration.transform.profile import write_profile


def written(root: Path, profiles: str | None) -> dict[str, object]:
    (root / "dbt_project.yml").write_text("name: tea\nprofile: tea\n", "utf-8")
    if profiles is not None:
        (root / "profiles.yml").write_text(profiles, "utf-8")
    project = Project.at(root)
    write_profile(project)
    assert (project.state / ".gitignore").read_text("utf-8") == "*\n"
    return yaml.safe_load((project.profiles / "profiles.yml").read_text("utf-8"))["metric_center"]


def test_without_a_profile(tmp_path: Path) -> None:
    assert written(tmp_path, None) == {
        "target": "dev",
        "outputs": {
            "dev": {"schema": "main", "type": "duckdb", "threads": 1, "path": "{{ env_var('METRICS_WAREHOUSE') }}"}
        },
    }


def test_a_duckdb_profile_keeps_what_it_loads_but_not_where_it_writes(tmp_path: Path) -> None:
    own = "tea:\n  target: prod\n  outputs:\n    prod: {type: duckdb, path: own.duckdb, schema: tea, extensions: [icu], threads: 8}\n"
    made = written(tmp_path, own)
    assert made["target"] == "prod"
    assert made["outputs"] == {
        "prod": {"schema": "tea", "extensions": ["icu"], "type": "duckdb", "threads": 1, "path": "{{ env_var('METRICS_WAREHOUSE') }}"}
    }  # fmt: skip


def test_of_another_database_only_the_schema(tmp_path: Path) -> None:
    own = "tea:\n  target: dev\n  outputs:\n    dev: {type: postgres, host: db, schema: tea, attach: [x]}\n"
    outputs = written(tmp_path, own)["outputs"]
    assert isinstance(outputs, dict)
    assert outputs["dev"]["type"] == "duckdb"
    assert outputs["dev"]["schema"] == "tea"
    assert "attach" not in outputs["dev"]
