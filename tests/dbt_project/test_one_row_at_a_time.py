"""The test of slowly changing dimensions as dbt runs it: it fails for rows valid at the same time and names them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

MACRO = Path(__file__).parents[2] / "dbt_project" / "macros" / "one_row_at_a_time.sql"
KEYS = {"key": "store_id", "valid_from": "since", "valid_to": "until"}
HISTORIES = {
    "apart": "(1, '2024-01-01', '2024-02-01'), (1, '2024-02-01', null), (2, '2024-01-01', null), (null, '2024-01-01', null),"
    " (null, '2024-01-01', null), (1, '2024-01-15', '2024-01-15')",
    "a_day_twice": "(1, '2024-01-01', '2024-02-02'), (1, '2024-02-01', null), (2, '2024-01-01', null)",
    "two_to_this_day": "(1, '2024-03-01', null), (1, '2024-01-01', null), (2, '2024-01-01', null), (2, '2024-01-01', null)",
    "within": "(1, '2024-01-01', '2024-12-01'), (1, '2024-02-01', '2024-03-01')",
}
FAILURES = {"apart": 0, "a_day_twice": 1, "two_to_this_day": 2, "within": 1}


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """How many rows dbt's test of each history found."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    root = tmp_path_factory.mktemp("历史")
    _write(root)
    places = ["--project-dir", str(root), "--profiles-dir", str(root), "--log-path", str(root / "logs"), "--quiet"]
    try:
        result: Any = dbtRunner().invoke(["build", *places]).result
    finally:
        DuckDBConnectionManager.close_all_connections()
    assert {one.status.value for one in result.results} <= {"success", "pass", "fail"}, result.results
    tests = [one for one in result.results if one.node.resource_type == "test"]
    return {one.node.attached_node.split(".")[-1]: one.failures for one in tests}


def _write(root: Path) -> None:
    project = {"name": "p", "version": "1.0", "profile": "p", "flags": {"send_anonymous_usage_stats": False}}
    output = {"type": "duckdb", "path": str(root / "w.duckdb"), "threads": 1}
    tested = [{"name": name, "data_tests": [{"one_row_at_a_time": {"arguments": KEYS}}]} for name in HISTORIES]
    texts = {
        "dbt_project.yml": yaml.safe_dump(project),
        "profiles.yml": yaml.safe_dump({"p": {"target": "t", "outputs": {"t": output}}}),
        "macros/one_row_at_a_time.sql": MACRO.read_text(encoding="utf-8"),
        "models/histories.yml": yaml.safe_dump({"models": tested}),
    }
    select = (
        "select store_id, since::date as since, until::date as until from (values {rows}) t(store_id, since, until)"
    )
    texts |= {f"models/{name}.sql": select.format(rows=rows) for name, rows in HISTORIES.items()}
    for name, text in texts.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", HISTORIES)
def test_rows_valid_at_the_same_time_are_failures(failures: dict[str, Any], name: str) -> None:
    assert failures[name] == FAILURES[name]
