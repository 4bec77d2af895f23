from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metrics_catalog.monitoring.backtest import Backtest, backtest, loads
from metrics_catalog.published.reader import Published


@pytest.fixture
def tested(shop: Any, publish_sales: Any) -> Any:
    """Half a year of calm sales with two dips a week apart, one of two days; backtested with the given keys."""

    def test(days: int = 60, wanted: float | None = None, rules: tuple[Any, ...] = (), **keys: Any) -> Backtest:
        catalog = shop({"sales": {"target": {}, **keys}, "other": {"bounds": {"warn": {"below": 1}}}})
        snapshot = publish_sales(catalog)
        return backtest(catalog, snapshot, "sales", days, rules, wanted)

    return test


@pytest.fixture
def publish_sales(tmp_path: Path) -> Any:
    from datetime import UTC, datetime
    from decimal import Decimal

    import pyarrow as pa

    from metrics_catalog.published.model import AuditRules, PublishInfo, Scope
    from metrics_catalog.published.publisher import Publisher

    random = np.random.default_rng(0)
    values = 1000 * (1 + 0.3 * np.sin(np.arange(180) * 2 * np.pi / 7)) * random.lognormal(0, 0.03, 180)
    values[[150, 151, 160]] *= 0.4
    first = date(2024, 1, 1)
    days = [first + timedelta(days=number) for number in range(180)]

    def publish(catalog: Any) -> Any:
        nothing = pa.nulls(180, pa.decimal128(28, 6))
        rows = {
            "metric": pa.array(["sales"] * 180),
            "grain": pa.array(["day"] * 180),
            "period": pa.array(days, pa.date32()),
            "slice": pa.array([""] * 180),
            "value": pa.array([Decimal(f"{value:.2f}") for value in values], pa.decimal128(28, 6)),
            "numerator": nothing,
            "denominator": nothing,
            "definition": pa.array(["d"] * 180),
        }
        info = PublishInfo("run-1", datetime(2024, 7, 1, tzinfo=UTC), days[-1])
        with Publisher(catalog.project.published).open(info) as draft:
            draft.add(pa.table(rows))
            draft.replaces([Scope("sales", "day", days[0], days[-1] + timedelta(days=1))])
            draft.audit(AuditRules())
            draft.commit()
        return Published(catalog.project.published).at()

    return publish


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
