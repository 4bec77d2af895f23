from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from metrics_catalog.monitoring.watched import Terms
from metrics_catalog.spec.metric import Metric
from metrics_catalog.spec.monitoring import Monitoring


def metric(**keys: Any) -> Any:
    common = {
        "label": {"en": "m", "zh": "m"}, "description": "m", "owner": "o", "tier": 2, "unit": "usd", "direction": "up",
        "grains": ["day", "week"], "type": "simple", "model": "m", "agg": "sum", "expr": "x", "slices": [["store"], ["region", "store"]],
    }  # fmt: skip
    return TypeAdapter(Metric).validate_python(common | keys)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"watch": [["city"]]}, '"city" is watched, and not in slices'),
        ({"watch": [["store"], ["store"]]}, "given twice"),
        ({"bounds": {"warn": {"below": 1}, "slices": [["city"]]}}, "not in slices"),
        ({"change": {"warn": {"below": -0.1}, "slices": [["city"]]}}, "not in slices"),
        ({"change": {}}, "needs warn, critical, or both"),
        ({"change": {"grain": "month", "warn": {"below": 0}}}, 'grain "month", which is not in grains'),
        ({"change": {"grain": "week", "against": "10 days", "warn": {"below": 0}}}, 'no single period "10 days"'),
        ({"anomaly": {"grain": "month"}}, 'grain "month", which is not in grains'),
        ({"anomaly": {"sensitivity": "extreme"}}, "off"),
        ({"anomaly": {"minimum": -1}}, "greater than or equal to 0"),
    ],
)
def test_what_a_metric_file_says_wrong(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        metric(**keys)


def terms(policy: dict[str, Any] | None = None, **keys: Any) -> Terms:
    return Terms("m", metric(**keys), Monitoring.model_validate(policy or {}), adds_up=True)


def test_the_file_says_more_than_the_policy() -> None:
    assert terms({"sensitivity": "high"}).sensitivity == "high"
    assert terms({"sensitivity": "high"}, anomaly={"sensitivity": "off"}).sensitivity == "off"
    assert terms({"minimum": 0.2}).minimum == 0.2
    assert terms({"minimum": 0.2}, anomaly={"minimum": 0.1}).minimum == 0.1


def test_which_slices_are_watched() -> None:
    assert list(terms().cuts("day")) == [()]
    assert list(terms({"watch": "slices"}).cuts("day")) == [(), ("store",), ("region", "store")]
    assert list(terms({"watch": "slices"}, watch=[["store"]]).cuts("day")) == [(), ("store",)]
    assert list(terms({"watch": "slices"}).cuts("week")) == [()]
    bounds = {"grain": "week", "warn": {"below": 1}, "slices": [["store"]]}
    assert list(terms(bounds=bounds).cuts("week")) == [(), ("store",)]


def test_at_which_grains_something_is_judged() -> None:
    assert terms().grains == ("day",)
    assert terms(anomaly={"grain": "week"}, target={"week": 5}).grains == ("day", "week")  # the day, for its course
    assert terms(anomaly={"sensitivity": "off"}).grains == ()


def test_what_says_another_metric_s_anomaly_again_is_silent_unless_it_asks() -> None:
    cumulative = {
        "label": {"en": "m", "zh": "m"}, "description": "m", "owner": "o", "tier": 2, "unit": "usd", "direction": "up",
        "grains": ["day"], "type": "cumulative", "metric": "sales", "to_date": "month",
    }  # fmt: skip
    read = TypeAdapter(Metric).validate_python
    assert Terms("m", read(cumulative), Monitoring()).anomaly_grain is None
    assert Terms("m", read(cumulative | {"anomaly": {}}), Monitoring()).anomaly_grain == "day"
    growth = cumulative | {
        "type": "derived",
        "expr": "sales - before",
        "inputs": {"before": {"metric": "sales", "offset": "7 days"}},
    }
    for key in ("metric", "to_date"):
        growth.pop(key)
    assert Terms("m", read(growth), Monitoring()).anomaly_grain is None
