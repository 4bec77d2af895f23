"""Grains nobody declares are refused where they are written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from metrics_catalog.own_grains import OwnGrain, Spine
from metrics_catalog.rules.grains import check
from metrics_catalog.spec.base import Label

SPINE = Spine("model.shop.days", "marts", "days", "day", "models/days.yml")
OWN = {"fiscal_month": OwnGrain("fiscal_month", "fm", SPINE, Label(en="fiscal month", zh="财月"))}
BEFORE = {"type": "derived", "expr": "old"}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"grains": ["day", "fiscal_mnth"]}, 'grains: there is no grain "fiscal_mnth" (did you mean "fiscal_month"?)'),
        (
            {"grains": ["decades"]},
            'grains: there is no grain "decades"; use hour, day, week, month, quarter, year, fiscal_month',
        ),
        ({**BEFORE, "inputs": {"old": {"metric": "s", "offset": "2 fortnights"}}}, 'there is no grain "fortnights"'),
        (
            {**BEFORE, "inputs": {"old": {"metric": "s", "offset": "start of fy"}}},
            'inputs.old.offset: there is no grain "fy"',
        ),
        ({"type": "cumulative", "metric": "s", "to_date": "fiscal_yaer"}, 'to_date: there is no grain "fiscal_yaer"'),
        ({"type": "cumulative", "metric": "s", "window": "3 moons"}, 'window: there is no grain "moons"'),
    ],
)
def test_grains_nobody_declares(keys: dict[str, Any], message: str, shop: Any) -> None:
    catalog = shop({"s": {}, "m": keys})
    [problem] = check(replace(catalog, semantics=replace(catalog.semantics, own_grains=OWN)))
    assert message in str(problem)


def test_own_grains_are_grains(shop: Any) -> None:
    made = {
        "s": {"grains": ["day", "fiscal_month"], "target": {"fiscal_month": 3}, "bounds": {"grain": "fiscal_month", "warn": {"below": 1}}},
        "m": {**BEFORE, "inputs": {"old": {"metric": "s", "offset": "1 fiscal_month"}}, "grains": ["fiscal_month"]},
        "t": {"type": "cumulative", "metric": "s", "to_date": "fiscal_month"},
    }  # fmt: skip
    catalog = shop(made)
    assert list(check(replace(catalog, semantics=replace(catalog.semantics, own_grains=OWN)))) == []
