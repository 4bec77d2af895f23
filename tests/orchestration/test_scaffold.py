"""`metrics init`: what a new project has, and that it works before anything is written into it and as its README says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from orchestration.check import check_project
from orchestration.commands import run
from orchestration.faults import USAGE, exit_code, message
from orchestration.scaffold import NotEmpty, create, project_name
from orchestration.settings import Settings, read_settings

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({}, project=create(tmp_path / "新 shop"))


def test_a_new_project_is_without_fault_and_its_refresh_is_an_empty_one(settings: Settings) -> None:
    checked = check_project(settings)
    assert checked.problems == ()
    assert checked.counts == {"sources": 0, "suites": 0, "metrics": 0, "errors": 0, "warnings": 0}
    summary = run(settings, quiet=True)
    assert (summary.sources, summary.checks, summary.metrics, summary.version) == ((), 0, 0, None)
    assert run(settings, quiet=True).models_built == 0


def test_its_readme_is_right(settings: Settings) -> None:
    from metrics_catalog.engine.query import Query
    from metrics_catalog.published.answer import answer
    from metrics_catalog.published.reader import Published
    from orchestration.declared import read_declared
    from orchestration.generate import write

    root, project = settings.project, settings.locate()
    readme = (root / "README.md").read_text(encoding="utf-8")
    files = re.findall(r"```\w+\n(?:#|--) (\S+)\n(.*?)```", readme, re.DOTALL)
    assert len(files) == 6
    for path, text in files:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    delivery = project.landing / "orders" / "orders_2024-01-01.csv"
    delivery.parent.mkdir()
    delivery.write_text("order_id,ordered_at,amount\n1,2024-01-01 09:00:00,2.50\n2,2024-01-01 10:00:00,4\n", "utf-8")
    write(read_declared(settings).catalog)
    assert check_project(settings).problems == ()
    run(settings, quiet=True)
    found: Any = answer(Query(("order_value",), "day"), read_declared(settings).catalog, Published(project.published))
    assert [(str(row["period"]), float(row["order_value"])) for row in found.table.to_pylist()] == [("2024-01-01", 6.5)]


def test_editors_find_the_schemas_its_files_name(settings: Settings) -> None:
    named = {}
    for path in settings.project.rglob("*.yml"):
        match = re.match(r"# yaml-language-server: \$schema=(\S+)", path.read_text(encoding="utf-8"))
        if match:
            named[path.name] = (path.parent / match[1]).is_file()
    assert named == {"people.yml": True, "policy.yml": True}
    schemas = {path.stem for path in (settings.project / "metrics_catalog" / "schema").iterdir()}
    assert schemas == {"metric", "people", "policy", "report", "source", "suite"}


def test_settings_are_explained_there_too(settings: Settings) -> None:
    ours = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    theirs = (settings.project / ".env.example").read_text(encoding="utf-8")
    assert theirs == ours, "copy .env.example to orchestration/template/env.example"


def test_what_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(NotEmpty) as refused:
        create(tmp_path)
    assert exit_code(refused.value) == USAGE
    assert message(refused.value) == f"{tmp_path} is not empty; name a new folder"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("folder", "name"),
    [("my-company", "my_company"), ("礼品店 online", "online"), ("2024", "project_2024"), ("指标", "project")],
)
def test_dbt_gets_a_name_it_accepts(folder: str, name: str) -> None:
    assert project_name(Path(folder)) == name
