from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from metrics_catalog import wording
from metrics_catalog.spec.base import Grain


@pytest.mark.parametrize(
    ("value", "unit", "short", "english", "chinese"),
    [
        (None, "usd", False, "–", "–"),
        (1234.5, "usd", False, "$1,234", "$1,234"),
        (12.5, "usd", False, "$12.50", "$12.50"),
        (-12.5, "cny", False, "-¥12.50", "-¥12.50"),
        (Decimal("0.1234"), "percent", False, "12.3%", "12.3%"),
        (1204, "count", False, "1,204", "1,204"),
        (1_230_000, "usd", True, "$1.23M", "$123万"),
        (45_600, "count", True, "45.6K", "4.56万"),
        (9_999, "count", True, "9,999", "9,999"),
        (2_500_000_000, "cny", True, "¥2.50B", "¥25亿"),
        (38_000, "usd", True, "$38K", "$3.80万"),
        (0, "usd", True, "$0", "$0"),
    ],
)
def test_a_number_as_people_read_it(value: float | None, unit: str, short: bool, english: str, chinese: str) -> None:
    assert wording.number(value, unit, "en", short) == english
    assert wording.number(value, unit, "zh", short) == chinese


@pytest.mark.parametrize(
    ("values", "unit", "english", "chinese"),
    [
        (
            [16_138.2, -5_242, None, 4.89],
            "usd",
            ["$16,138", "-$5,242", "–", "$4.89"],
            ["$16,138", "-$5,242", "–", "$4.89"],
        ),
        ([1_640_000, 240_000, 90_000], "usd", ["$1.64M", "$0.24M", "$90K"], ["$164万", "$24万", "$9万"]),
        ([0.5, 0.25], "percent", ["50.0%", "25.0%"], ["50.0%", "25.0%"]),
        ([], "usd", [], []),
    ],
)
def test_numbers_that_stand_together_are_written_alike(
    values: list[float | None], unit: str, english: list[str], chinese: list[str]
) -> None:
    assert [wording.alike(values, unit, "en")(one) for one in values] == english
    assert [wording.alike(values, unit, "zh")(one) for one in values] == chinese


def test_points_in_both_languages() -> None:
    assert wording.change(0.25, 0.2, "percent", "zh") == "+5.0个百分点"


@pytest.mark.parametrize(
    ("new", "old", "unit", "said"),
    [
        (110, 100, "usd", "+10.0%"),
        (90, 100, "count", "-10.0%"),
        (-50, -100, "usd", "+50.0%"),
        (0.25, 0.2, "percent", "+5.0 pp"),
        (5, 0, "usd", "–"),
        (None, 1, "usd", "–"),
    ],
)
def test_a_change(new: float | None, old: float | None, unit: str, said: str) -> None:
    assert wording.change(new, old, unit, "en") == said


@pytest.mark.parametrize(
    ("grain", "english", "chinese"),
    [
        ("day", "1 May 2017", "2017年5月1日"),
        ("week", "week of 1 May 2017", "2017年5月1日至5月7日"),
        ("month", "May 2017", "2017年5月"),
        ("quarter", "Q2 2017", "2017年第2季度"),
        ("year", "2017", "2017年"),
    ],
)
def test_a_period(grain: Grain, english: str, chinese: str) -> None:
    assert wording.period(grain, date(2017, 5, 1), "en") == english
    assert wording.period(grain, date(2017, 5, 1), "zh") == chinese


def test_members_of_a_slice() -> None:
    assert wording.members((), "en") == "total"
    assert wording.members((), "zh") == "总计"
    assert wording.members((("store", "367"), ("brand", None)), "en") == "store 367, brand (none)"
    assert wording.members((("store", "367"), ("brand", None)), "zh") == "store 367、brand （空）"


def test_periods_of_own_grains() -> None:
    assert wording.period("fiscal_month", date(2017, 1, 29), "en") == "fiscal month of 29 Jan 2017"
    assert wording.period("fiscal_month", date(2017, 1, 29), "zh") == "2017年1月29日起的 fiscal month"
