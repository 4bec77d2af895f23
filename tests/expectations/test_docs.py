from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from expectations.docs import render_docs
from expectations.suite import ExpectationSpec, Suite, Wording

COLUMNS = "id BIGINT, quantity BIGINT"


def pages(warehouse: Any, folder: Path) -> dict[str, str]:
    note = Wording(en="A line sells <b>units</b>.", zh="每行至少售出一件")
    suite = Suite(
        "sales",
        1.0,
        (
            ExpectationSpec(
                name="sold", type="expect_column_values_to_be_between", kwargs={"column": "quantity", "min_value": 1}, note=note
            ),
            warehouse.spec("lots", "expect_table_row_count_to_be_between", min_value=2),
            warehouse.spec("broken", "unique_rows", "info", columns=["<script>"]),
        ),
    )  # fmt: skip
    warehouse.load("sales", COLUMNS, [(1, 0)], "a.csv")
    warehouse.clean(suite)
    warehouse.load("sales", COLUMNS, [(2, 1), (3, 1)], "b.csv")
    warehouse.clean(suite)
    index = render_docs(warehouse.con, [suite, Suite.empty("顾客")], folder)
    assert index == folder / "index.html"
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_pages_in_both_languages(warehouse: Any, tmp_path: Path) -> None:
    written = pages(warehouse, tmp_path / "docs")
    assert set(written) == {
        "index.html", "index.zh.html", "sales.html", "sales.zh.html", "顾客.html", "顾客.zh.html",
    }  # fmt: skip
    assert "每行至少售出一件" in written["sales.zh.html"]
    assert "数据源" in written["index.zh.html"]
    assert "Nothing is expected of this source" in written["顾客.html"]
    assert 'href="sales.zh.html"' in written["sales.html"]


def test_results_and_their_history(warehouse: Any, tmp_path: Path) -> None:
    text = pages(warehouse, tmp_path)["sales.html"]
    history = re.findall(r'<td class="(\w+)">(.+?)</td>', text.split('class="history"')[1])
    assert history == [("pass", "0"), ("warn", "1"), ("pass", "✓"), ("warn", "✗"), ("warn", "!"), ("warn", "!")]
    assert "Observed: 3" in text
    assert "2026-01-05 08:00" in text


def test_what_users_write_is_escaped_and_nothing_is_fetched(warehouse: Any, tmp_path: Path) -> None:
    for text in pages(warehouse, tmp_path).values():
        assert "<script>" not in text
        assert "<b>units" not in text
        assert not re.search(r"https?://|src=|@import|url\(", text)


def test_links_lead_to_pages(warehouse: Any, tmp_path: Path) -> None:
    for text in pages(warehouse, tmp_path).values():
        for target in re.findall(r'href="([^"]+)"', text):
            assert (tmp_path / target).exists(), target


def test_every_language_has_every_word() -> None:
    words = yaml.safe_load(Path("expectations/templates/words.yml").read_text(encoding="utf-8"))
    assert words["en"].keys() == words["zh"].keys()


def test_before_the_first_run(warehouse: Any, tmp_path: Path) -> None:
    render_docs(warehouse.con, [warehouse.suite(warehouse.spec("all", "unique_rows"))], tmp_path)
    assert "Not judged yet" in (tmp_path / "sales.html").read_text(encoding="utf-8")
