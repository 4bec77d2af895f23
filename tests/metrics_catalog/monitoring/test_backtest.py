from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from metrics_catalog.monitoring.backtest import Backtest, backtest, loads


@pytest.fixture
def tested(shop: Any, publish_sales: Any) -> Any:
    """Half a year of calm sales with two dips a week apart, one of two days; backtested with the given keys."""

    def test(days: int = 60, wanted: float | None = None, rules: tuple[Any, ...] = (), **keys: Any) -> Backtest:
        catalog = shop({"sales": {"target": {}, **keys}, "other": {"bounds": {"warn": {"below": 1}}}})
        snapshot = publish_sales(catalog)
        return backtest(catalog, snapshot, "sales", days, rules, wanted)

    return test


def test_days_in_a_row_are_one_incident(tested: Any) -> None:
    made = tested(rules=("anomaly",))
    assert [(one.first, one.last) for one in made.fired] == [
        (date(2024, 5, 30), date(2024, 5, 31)),
        (date(2024, 6, 9), date(2024, 6, 9)),
    ]
    assert made.weekly == pytest.approx(2 * 7 / 60)
    assert made.as_json()["by_rule"] == {"anomaly": 2}


def test_rules_of_the_same_day_are_one_message(tested: Any) -> None:
    made = tested(bounds={"warn": {"below": 500}}, rules=("anomaly", "bounds"))
    assert len(made.fired) == 4
    assert made.as_json()["messages"] == 2


def test_it_suggests_what_keeps_within_what_is_wanted(tested: Any) -> None:
    plenty, none = tested(wanted=50), tested(wanted=0)
    assert plenty.suggested == "high"
    assert none.suggested is None
    assert plenty.by_sensitivity["low"] <= plenty.by_sensitivity["medium"] <= plenty.by_sensitivity["high"]
    assert tested(anomaly={"sensitivity": "off"}).by_sensitivity == {}


def test_only_the_days_asked_for(tested: Any) -> None:
    assert tested(days=7, rules=("anomaly",)).fired == ()


def test_the_load_of_owners(shop: Any, publish_sales: Any) -> None:
    catalog = shop({"sales": {}, "other": {"owner": "wang_fang"}})
    found = loads(catalog, publish_sales(catalog), 60)
    assert found["sales"]["sales"] > 0
    assert found["wang_fang"] == {"other": 0.0}
