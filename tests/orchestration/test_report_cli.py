"""`metrics report`: a draft, an issue as it was sent, the list; and what is said when there is no such thing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestration.cli import app

REPORT = """\
label: {en: Daily, zh: 日报}
owner: data
grain: day
audience: {people: [wei]}
sections:
  - {type: headline, metrics: [net_sales]}
"""


@pytest.fixture
def metrics(refreshed: Any) -> Any:
    refreshed.replace("metrics_catalog/policy.yml", "2024-03-05", "2024-03-02")
    refreshed.project.reports.mkdir(parents=True, exist_ok=True)
    (refreshed.project.reports / "daily.yml").write_text(REPORT, encoding="utf-8")

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["--project", str(refreshed.project.root), *arguments])

    return run


def test_drafts_in_every_format(metrics: Any, tmp_path: Path) -> None:
    body = json.loads(metrics("report", "daily", "--for", "wei", "--json").stdout)
    assert (body["language"], body["period"]) == ("zh", "2024-03-02")
    assert json.loads(metrics("report", "daily", "--format", "slack").stdout)["blocks"]
    page, paper = tmp_path / "a.html", tmp_path / "a.pdf"
    assert metrics("report", "daily", "-o", str(page)).stdout == f"wrote {page}\n"
    assert "<h1>Daily</h1>" in page.read_text("utf-8")
    assert metrics("report", "daily", "-o", str(paper)).exit_code == 0
    assert paper.read_bytes().startswith(b"%PDF")


def test_sent_once_listed_and_opened_again_as_it_was(metrics: Any) -> None:
    assert metrics("report", "daily", "--send").stdout.startswith("daily of 2024-03-02: 1 copies made, 1 letters")
    assert "1 had been made" in metrics("report", "daily", "--send").stdout
    listed = json.loads(metrics("report", "list", "--json").stdout)
    assert [(one["report"], one["last_issue"]) for one in listed] == [("daily", "2024-03-02")]
    kept = Path(metrics("report", "daily", "--issue", "2024-03-02", "--for", "wei").stdout.strip())
    assert kept.name == "report.html"
    assert "日报" in kept.read_text("utf-8")
    again = json.loads(metrics("report", "daily", "--issue", "2024-03-02", "--format", "json").stdout)
    assert again["title"] == "日报"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dayly",), 'no report "dayly" (did you mean "daily"?)'),
        (("daily", "--for", "nobody"), '"nobody" is not among the people'),
        (("daily", "--issue", "2024-02-01"), "there are: none"),
        (("daily", "--format", "docx"), '"docx" is not a format'),
        (("daily", "--member", "x"), "has no copies for members"),
        (("daily", "--language", "fr"), "--language is en or zh"),
    ],
)
def test_wrong_usage_is_said(metrics: Any, arguments: tuple[str, ...], said: str) -> None:
    result = metrics("report", *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
