"""A change rule that compares with a period there is none of would never fire: it is refused where it is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from metrics_catalog.monitoring.comparable import check
from metrics_catalog.own_grains import OwnGrain, Spine
from metrics_catalog.spec.base import Label

MONTHS = [date(2023, 1, 29) + timedelta(weeks=number) for number in (0, 4, 8, 13, 17, 21, 26, 30, 34, 39, 43, 47, 52)]
SPINE = Spine("model.shop.days", "marts", "days", "day", "models/days.yml")


def own(name: str, starts: list[date]) -> OwnGrain:
    until = date(2024, 2, 25) if starts else None
    return OwnGrain(name, name, SPINE, Label(en=name, zh="财年"), tuple(starts), tuple(map(str, starts)), until)


def problems(shop: Any, grain: str, against: str, months: list[date] | None = None) -> list[str]:
    starts = MONTHS if months is None else months
    grains = {"fiscal_month": own("fiscal_month", starts), "fiscal_year": own("fiscal_year", starts[::12])}
    rule = {"grain": grain, "against": against, "warn": {"below": -0.1}}
    catalog = shop({"sales": {"grains": ["day", "week", "month", "fiscal_month"], "change": rule}})
    return [str(one) for one in check(replace(catalog, semantics=replace(catalog.semantics, own_grains=grains)))]


@pytest.mark.parametrize(
    ("grain", "against"),
    [("fiscal_month", "1 week"), ("month", "1 fiscal_year"), ("week", "1 fiscal_month"), ("fiscal_month", "1 day")],
)
def test_a_period_that_none_of_its_grain_has(grain: str, against: str, shop: Any) -> None:
    (said,) = problems(shop, grain, against)
    place, _, message = said.partition(" error ")
    assert message == f'change.against: the time spine does not say which {grain} is "{against}" before another'
    file, line = place.split(":")
    assert file == "metrics_catalog/metrics/sales/sales.yml"
    assert int(line) > 1


@pytest.mark.parametrize(
    ("grain", "against"),
    [
        *(("fiscal_month", offset) for offset in ("previous", "1 year", "1 fiscal_year", "start of fiscal_year")),
        *(("day", offset) for offset in ("1 fiscal_month", "1 year", "7 days")),
        ("month", "1 year"),
    ],
)
def test_a_period_that_each_of_its_grain_has(grain: str, against: str, shop: Any) -> None:
    assert problems(shop, grain, against) == []


def test_nothing_is_said_of_a_time_spine_that_was_never_built(shop: Any) -> None:
    assert problems(shop, "fiscal_month", "1 week", months=[]) == []
