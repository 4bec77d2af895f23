from __future__ import annotations

import shutil
from typing import Any

import pytest

from metrics_catalog.located import InvalidFiles
from metrics_catalog.read_semantics import read_semantics
from orchestration.transform import runner

MODEL = "dbt_project/models/marts/product/dim_products.sql"


def problems(shop: Any) -> list[str]:
    with pytest.raises(InvalidFiles) as caught:
        runner.ensure_parsed(shop.project)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (MODEL, "select {{ ref('dim_product') }}", f"{MODEL}:1 error"),
        (MODEL, "select 1\n{% if %}", f"{MODEL}:2 error"),
        ("dbt_project/models/a.yml", "models:\n  - name: m1\n   columns: 3\n", "dbt_project/models/a.yml:3 error"),
        ("dbt_project/models/a.yml", "models: 3\n", "dbt_project/models/a.yml:1 error"),
        ("dbt_project/dbt_project.yml", "name: [\n", "dbt_project/dbt_project.yml:"),
    ],
)
def test_what_does_not_parse_is_said_with_its_place(shop: Any, path: str, text: str, said: str) -> None:
    shop.write(path, text)
    assert any(problem.startswith(said) for problem in problems(shop)), problems(shop)


def test_a_missing_project_is_said(shop: Any) -> None:
    (shop.project.dbt / "dbt_project.yml").unlink()
    assert problems(shop) == ["dbt_project/dbt_project.yml:1 error file does not exist"]


def test_dbt_parses_only_when_a_file_changed(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = runner._parse
    monkeypatch.setattr(runner, "_parse", lambda project, stamp: parsed.append(stamp) or parse(project, stamp))
    runner.ensure_parsed(shop.project)
    assert parsed == []
    shop.write(MODEL, "select 1 as product_id, 'a' as product_name, 'b' as department")
    runner.ensure_parsed(shop.project)
    runner.ensure_parsed(shop.project)
    assert len(parsed) == 1


def test_a_yaml_file_put_back_with_its_old_date_is_read_again(shop: Any) -> None:
    path = shop.project.root / "dbt_project/models/marts/sales/fct_sales.yml"
    kept = shutil.copy2(path, path.with_name("kept.txt"))
    shop.replace("dbt_project/models/marts/sales/fct_sales.yml", "{name: store, type: cat", "{name: shop, type: cat")
    assert "shop" in read_semantics(runner.ensure_parsed(shop.project)).model("sales").dimensions
    shutil.copy2(kept, path)
    assert "shop" not in read_semantics(runner.ensure_parsed(shop.project)).model("sales").dimensions


def test_what_another_process_parsed_is_parsed_again(shop: Any) -> None:
    shop.write(MODEL, "select 1 as product_id, 'a' as product_name, 'c' as department")
    before = read_semantics(runner.ensure_parsed(shop.project))
    note = shop.project.manifest.with_name(runner.NOTE)
    note.write_text("of files as they are no more", "utf-8")
    shop.project.manifest.write_text("{}", "utf-8")
    assert read_semantics(runner.ensure_parsed(shop.project)) == before


def test_the_environment_is_as_before(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("DO_NOT_TRACK", "0")
    monkeypatch.delenv("METRICS_WAREHOUSE", raising=False)
    shop.write(MODEL, "select {{")
    problems(shop)
    assert os.environ["DO_NOT_TRACK"] == "0"
    assert "METRICS_WAREHOUSE" not in os.environ
