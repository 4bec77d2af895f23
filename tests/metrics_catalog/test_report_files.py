"""Report files: what is wrong is said with its line, all at once, and stops nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.project import Project
from metrics_catalog.report_files import check_reports, naming, read_reports
from metrics_catalog.spec.people import People
from metrics_catalog.spec.report import CORE, filled, holes

ROOT = Path(__file__).parents[2]


@pytest.fixture
def catalog(shop: Callable[[dict[str, dict[str, Any]]], Catalog], people: People) -> Catalog:
    made = shop(
        {
            "net_sales": {"grains": ["day", "week"], "slices": [["store"], ["category"]]},
            "receipts": {"grains": ["month"], "label": {"en": "r", "zh": "r"}},
        }
    )
    known = people.people["wang_fang"].model_copy(update={"channels": {"slack": "U1"}})
    more = {"wang_fang": known, "ann": known.model_copy(update={"channels": {}})}
    return replace(made, people=people.model_copy(update={"people": more}))


def checked(folder: Path, catalog: Catalog, text: str, **retired: str) -> list[str]:
    path = folder / "metrics_catalog" / "reports" / "weekly.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
    found, problems = read_reports(Project.at(folder))
    problems += check_reports(found.values(), catalog, retired)
    return [str(one).removeprefix("metrics_catalog/reports/weekly.yml:") for one in problems]


GOOD = """\
    label: {en: Weekly, zh: 周报}
    owner: sales
    audience: {people: [wang_fang]}
    sections:
      - {type: headline, metrics: [net_sales]}
      - {type: ranking, metric: net_sales, by: store}
    """


def test_a_good_report_has_no_problem(tmp_path: Path, catalog: Catalog) -> None:
    assert checked(tmp_path, catalog, GOOD) == []
    found, _ = read_reports(Project.at(tmp_path))
    assert naming(found.values(), ["receipts", "net_sales"]) == ("weekly",)
    assert naming(found.values(), ["receipts"]) == ()


def test_what_it_is_for_is_said_in_one_language_or_in_both(tmp_path: Path, catalog: Catalog) -> None:
    both = GOOD.replace("owner:", "description: {en: How it went., zh: 经营情况。}\n    owner:", 1)
    assert checked(tmp_path, catalog, both) == []
    said = "description: is in one language, and the label in two; write {en: ..., zh: ...}"
    one = GOOD.replace("owner:", "description: How it went.\n    owner:", 1)
    assert checked(tmp_path, catalog, one) == [f"2 warning {said}"]
    assert checked(tmp_path, catalog, one.replace("周报", "Weekly")) == []


def test_names_that_do_not_fit_the_catalog(tmp_path: Path, catalog: Catalog) -> None:
    text = """\
        label: {en: Weekly, zh: 周报}
        owner: salse
        audience: {people: [wang_feng, ann], teams: [nobody], per: stor}
        sections:
          - {type: headline, metrics: [net_sale, old_sales]}
          - {type: trend, metrics: [receipts]}
          - {type: breakdown, metric: net_sales, by: brand}
          - {type: text, text: {en: "{profit.change}", zh: "无"}}
        """
    assert checked(tmp_path, catalog, text, old_sales="net_sales") == [
        '2 error owner "salse" is not in people.yml (did you mean "sales"?)',
        '3 error audience.per: "stor" is not a dimension of any metric (did you mean "store"?)',
        '3 warning audience: "ann" has no channels in people.yml, so nothing can be sent there',
        '3 error audience: "nobody" is not among the teams of people.yml',
        '3 error audience: "wang_feng" is not among the people of people.yml (did you mean "wang_fang"?)',
        '5 error metric "old_sales" is retired; use "net_sales"',
        '5 error there is no metric "net_sale" (did you mean "net_sales"?)',
        "6 error receipts is not published by stor, and a copy for each stor needs it",
        "6 error receipts is not published by week; it is by month",
        "7 error by: net_sales is not published by brand, stor; it is by store; category",
        "7 error net_sales is not published by stor, and a copy for each stor needs it",
        '8 error there is no metric "profit"',
    ]


def test_a_copy_for_one_member_is_not_split_by_that_member(tmp_path: Path, catalog: Catalog) -> None:
    text = GOOD.replace("{people: [wang_fang]}", "{per: store}").replace("type: ranking", "type: breakdown")
    assert checked(tmp_path, catalog, text) == [
        "6 error by: a copy for one store cannot be split by store; a ranking shows its place"
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("owner: sales", "owner: sales\n    schedule: every Monday", '3 error schedule: "every Monday" is not a cron'),
        ("{people: [wang_fang]}", "{}", "3 error audience: names nobody"),
        ("type: ranking", "type: pie", "6 error sections.1: type must be one of headline, trend,"),
        (
            "owner: sales",
            "owner: sales\n    on_late: never",
            "3 error on_late: Input should be 'send', 'wait' or 'hold'",
        ),
        ("metrics: [net_sales]", "metrics: []", "5 error sections.0.metrics: "),
        ("- {type: ranking,", "- {type: ranking, size: 3,", "6 error sections.1.size: is not a known key"),
    ],
)
def test_what_a_file_cannot_say(tmp_path: Path, catalog: Catalog, old: str, new: str, said: str) -> None:
    (only,) = checked(tmp_path, catalog, GOOD.replace(old, new))
    assert only.startswith(said)


def test_more_metrics_than_a_reader_can_keep_in_mind(tmp_path: Path, shop: Any, people: People) -> None:
    names = [f"m{n}" for n in range(CORE + 1)]
    catalog = shop({name: {"grains": ["week"], "label": {"en": name, "zh": name}} for name in names})
    text = GOOD.replace("[net_sales]", f"[{', '.join(names)}]").split("      - {type: ranking")[0]
    found = checked(tmp_path, catalog, text.replace("people: [wang_fang]", "teams: [sales]"))
    assert "5 warning shows 9 metrics; nobody keeps more than 8 in mind" in found


def test_texts_are_filled_with_facts_and_nothing_else() -> None:
    assert holes("{period}: {net_sales.change}") == ["period", "net_sales.change"]
    assert filled("{a} {a}", {"a": "{b}"}) == "{b} {b}", "a fact is not looked into again"


def test_the_reports_of_the_demo_can_be_read() -> None:
    found, problems = read_reports(Project.at(ROOT))
    assert problems == []
    assert {"weekly_board", "store_weekly"} <= set(found)
    assert all(len(one.spec.metrics) <= CORE for one in found.values())
