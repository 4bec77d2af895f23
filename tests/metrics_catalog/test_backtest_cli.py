"""`metrics backtest` on a small shop that somebody just published."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from metrics_catalog import backtest_cli
from metrics_catalog.governance.begun import Definitions


@pytest.fixture
def command(shop: Any, publish_sales: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    catalog = shop({"sales": {"bounds": {"warn": {"below": 500}}}})
    publish_sales(catalog)
    monkeypatch.setattr(backtest_cli, "definitions_of", lambda project: Definitions(catalog, catalog))
    context: Any = SimpleNamespace(find_root=lambda: SimpleNamespace(obj=catalog.project))

    def run(metric: str | None = "sales", rule: list[str] | None = None, as_json: bool = False) -> str:
        backtest_cli.backtest(context, metric, rule, 60, None, as_json)
        return capsys.readouterr().out

    return run


def test_it_says_when_how_often_and_what_for(command: Any) -> None:
    shown = command(rule=["bounds", "anomaly"])
    assert "sales: would have fired 4 times in 60 days up to 2024-06-28" in shown
    assert "30 May 2024 to 31 May 2024" in shown
    assert "0.2 messages a week; with all its metrics sales gets 0.2 (room: 30-50)" in shown
    assert "for at most 50.0 a week: sensitivity high" in shown


def test_as_json(command: Any) -> None:
    found = json.loads(command(as_json=True, rule=["bounds"]))
    assert found["by_rule"] == {"bounds": 2}
    assert found["fired"][0]["first"] == "2024-05-30"


def test_of_all_metrics_the_load_by_owner(command: Any) -> None:
    assert json.loads(command(metric=None, as_json=True))["sales"]["sales"] > 0
    assert "room 30-50" in command(metric=None)


def test_it_says_where_nothing_can_be_seen(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not looked for" not in command()
    monkeypatch.setattr("metrics_catalog.monitoring.detectors.anomaly.NOISY", 0.0)
    assert "anomalies are not looked for in 1 of 1 series: a day is usually off by more than 0%" in command()
    found = json.loads(command(as_json=True))
    assert (found["watched_series"], list(found["too_little_data"].values())) == (1, [1])


def test_an_unknown_rule_names_the_nearest(command: Any) -> None:
    with pytest.raises(typer.BadParameter, match=r'there is no rule "anomally".*"anomaly"'):
        command(rule=["anomally"])


def test_an_unknown_metric_names_the_nearest(command: Any) -> None:
    with pytest.raises(typer.BadParameter, match='there is no metric "salse"'):
        command(metric="salse")
