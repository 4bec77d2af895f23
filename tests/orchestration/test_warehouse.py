"""The warehouse: made on first use, the same for everyone, one process at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from metrics_catalog.project import Project
from orchestration.warehouse import SCHEMAS, connect


def test_a_new_project_gets_its_schemas_and_books(tmp_path: Path) -> None:
    project = Project.at(tmp_path / "项目")
    connect(project).close()
    con = connect(project)
    schemas = {name for (name,) in con.execute("SELECT schema_name FROM duckdb_schemas()").fetchall()}
    books = con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'ingest'").fetchall()
    settings = con.execute("SELECT current_setting('memory_limit'), current_setting('TimeZone')").fetchall()
    con.close()
    assert set(SCHEMAS) <= schemas
    assert {name for (name,) in books} == {"loads", "files", "rejects", "changes", "sources", "bookmarks"}
    assert settings == [("953.6 MiB", "UTC")]


def test_two_connections_of_one_process_see_one_warehouse(tmp_path: Path) -> None:
    project = Project.at(tmp_path)
    with connect(project) as first, connect(project) as second:
        first.execute("CREATE TABLE marts.x AS SELECT 1 AS n")
        assert second.execute("FROM marts.x").fetchall() == [(1,)]


def test_another_process_is_kept_out(tmp_path: Path) -> None:
    project = Project.at(tmp_path)
    code = (
        "import sys, pathlib\nfrom metrics_catalog.project import Project\nfrom orchestration.warehouse import connect\n"
        "con = connect(Project.at(pathlib.Path(sys.argv[1])))\nprint('open', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(duckdb.IOException, match="lock"):
            connect(project)
        other.communicate("")
    connect(project).close()
