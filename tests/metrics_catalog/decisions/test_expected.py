"""What people write of an effect, as data and in words, and when it counts as reached."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from metrics_catalog.decisions.expected import Expected, parse_expected
from metrics_catalog.engine.query import InvalidQuery

SPEC: Any = SimpleNamespace(unit="usd", slices=(("store",), ("region", "brand")), grains=("week", "day"))
RATE: Any = SimpleNamespace(unit="percent", slices=(), grains=("month",))
JAN = date(2018, 1, 31)


@pytest.mark.parametrize(
    ("text", "spec", "expected"),
    [
        ("store=367 +5% by 2018-01-31", SPEC, Expected("relative", Decimal("0.05"), (("store", "367"),), JAN)),
        ("-3% by 2018-01", SPEC, Expected("relative", Decimal("-0.03"), (), JAN)),
        ('brand="Private Label", region=华东 >= 12000', SPEC, Expected("at least", Decimal(12000), (("region", "华东"), ("brand", "Private Label")))),
        ("+500 到 2018-01-31", SPEC, Expected("absolute", Decimal(500), (), JAN)),
        ("-0.5pp by 2018", RATE, Expected("absolute", Decimal("-0.005"), (), date(2018, 12, 31))),
        ("<= 20%", RATE, Expected("at most", Decimal("0.2"))),
        ("store=367", SPEC, Expected(members=(("store", "367"),))),
        ("by 2018-01-31", SPEC, Expected(by=JAN)),
    ],
)  # fmt: skip
def test_an_expectation_is_read(text: str, spec: Any, expected: Expected) -> None:
    assert parse_expected(text, spec) == expected
    assert Expected.read(expected.as_json()) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("five percent", "is not an expected change; write for instance"),
        ("city=Bonn +5%", "the metric is published by store, region × brand"),
        ("+5% by tomorrow", '"tomorrow" is not a day'),
        ("+5pp", "pp is for metrics in percent"),
        ('store="367 +5%', "a quote that is not closed"),
    ],
)
def test_what_cannot_be_read_is_quoted(text: str, said: str) -> None:
    with pytest.raises(InvalidQuery, match=said):
        parse_expected(text, SPEC)


@pytest.mark.parametrize(
    ("expected", "direction", "actual", "met"),
    [
        (Expected("relative", Decimal("0.05")), "up", 105.0, True),
        (Expected("relative", Decimal("0.05")), "up", 104.9, False),
        (Expected("relative", Decimal("-0.05")), "down", 95.0, True),
        (Expected("absolute", Decimal(-10)), "none", 91.0, False),
        (Expected("at least", Decimal(90)), "down", 91.0, True),
        (Expected("at most", Decimal(90)), "up", 91.0, False),
        (Expected("at most", Decimal(0)), "down", 0.0, True),
        (Expected(), "up", 100.1, True),
        (Expected(), "down", 100.1, False),
        (Expected(), "none", 100.1, None),
    ],
)
def test_when_it_is_met_from_a_hundred(expected: Expected, direction: str, actual: float, met: bool | None) -> None:
    assert expected.is_met(100.0, actual, direction) is met


def test_words_in_both_languages() -> None:
    one = Expected("relative", Decimal("0.05"), (("store", "367"),), JAN)
    assert one.words("usd", "en") == "store 367: +5% by 31 Jan 2018"
    assert one.words("usd", "zh") == "store 367: +5%（到2018年1月31日）"
    assert Expected("at least", Decimal(12000)).words("usd", "en") == "≥ $12,000"
    assert Expected("absolute", Decimal("-0.005")).words("percent", "zh") == "-0.5个百分点"
    assert Expected().words("usd", "zh") == "好转"
