"""Reading a folder of metric files: names, places, and every problem at once."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from metrics_catalog.catalog import examine, load_catalog
from metrics_catalog.located import InvalidFiles
from metrics_catalog.project import Project

METRIC = """
label: {en: Sales, zh: 销售额}
description: x
owner: data
tier: 1
unit: usd
direction: up
type: simple
model: lines
agg: sum
expr: amount
grains: [day]
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    files = {
        "metrics_catalog/people.yml": "departments: {data: {en: Data, zh: 数据}}\npeople: {li: {name: 李, email: li@example.com}}\nteams: {data: {label: {en: D, zh: 数}, department: data, members: [li]}}\n",
        "metrics_catalog/policy.yml": "timezone: Asia/Shanghai\n",
        "metrics_catalog/metrics/sales/sales.yml": METRIC,
    }
    for name, text in files.items():
        write(tmp_path / name, text)
    node = {
        "schema": "marts",
        "name": "lines",
        "columns": {"amount": {"data_type": "bigint"}, "day": {"data_type": "date"}},
        "config": {},
    }
    semantic = {
        "name": "lines", "depends_on": {"nodes": ["model.p.lines"]}, "original_file_path": "models/lines.yml",
        "defaults": {"agg_time_dimension": "day"}, "entities": [], "dimensions": [{"name": "day", "type": "time", "expr": None}],
    }  # fmt: skip
    manifest = {"nodes": {"model.p.lines": node}, "sources": {}, "semantic_models": {"lines": semantic}}
    write(tmp_path / "dbt_project/target/manifest.json", json.dumps(manifest))
    return Project.at(tmp_path)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")


def problems(project: Project) -> list[str]:
    with pytest.raises(InvalidFiles) as caught:
        load_catalog(project)
    return [str(problem) for problem in caught.value.problems]


def test_a_metric_is_named_by_its_file(project: Project) -> None:
    catalog = load_catalog(project)
    assert [(entry.name, entry.domain) for entry in catalog.metrics.values()] == [("sales", "sales")]
    assert catalog.models("sales") == ("lines",)


def test_every_problem_of_every_file_at_once(project: Project) -> None:
    write(project.root / "metrics_catalog/policy.yml", "timezone: Asia/Shanghia\n")
    write(project.metrics / "sales/returns.yml", METRIC.replace("owner: data", "owner: data\nownr: x"))
    write(project.metrics / "sales/typo.yml", METRIC.replace("agg: sum", "agg: summ"))
    write(project.metrics / "sales/broken.yml", "label: [\n")
    found = problems(project)
    assert len(found) == 4, found
    assert any("policy.yml:1" in one and "Asia/Shanghia" in one for one in found)
    assert any("returns.yml:5" in one and 'did you mean "owner"' in one for one in found)
    assert any("typo.yml:10" in one and "summ" in one for one in found)
    assert any("broken.yml" in one and "not valid YAML" in one for one in found)


@pytest.mark.parametrize(
    "name", ["sales/Net Sales.yml", "sales/净额.yml", "stray.yml", "a/b/deep.yml", "sales/other.yaml"]
)
def test_a_file_in_the_wrong_place_or_with_a_wrong_name_is_said(project: Project, name: str) -> None:
    write(project.metrics / name, METRIC.replace("Sales", "Other").replace("销售额", "其他"))
    assert any(name in one for one in problems(project))


def test_the_same_name_in_two_domains_is_refused(project: Project) -> None:
    write(project.metrics / "finance/sales.yml", METRIC)
    assert any('there is already a metric "sales"' in one for one in problems(project))


def test_an_unknown_type_says_which_there_are(project: Project) -> None:
    write(project.metrics / "sales/x.yml", METRIC.replace("type: simple", "type: sum"))
    assert any("type must be one of simple, ratio, derived" in one for one in problems(project))


@pytest.mark.parametrize(
    ("description", "said"),
    [
        ("description: {en: Sold}", "sales.yml:3 error description.zh: is required"),
        ("description: {en: Sold, zh: }", "sales.yml:3 error description.zh: Input should be a valid string, got None"),
        ("description: {en: Sold, zh: 售出, de: x}", "sales.yml:3 error description.de: is not a known key"),
        ("description: 3", "sales.yml:3 error description: Input should be a valid string, got 3"),
        ("description: ' '", "sales.yml:3 error description: String should have at least 1 character, got ' '"),
    ],
)
def test_a_description_is_a_text_or_one_in_both_languages(project: Project, description: str, said: str) -> None:
    write(project.metrics / "sales/sales.yml", METRIC.replace("description: x", description))
    [found] = problems(project)
    assert found.startswith(f"metrics_catalog/metrics/sales/{said}")


def test_without_people_there_is_no_catalog(project: Project) -> None:
    project.people.unlink()
    catalog, found = examine(project)
    assert catalog is None
    assert [str(one) for one in found] == ["metrics_catalog/people.yml:1 error file does not exist"]
