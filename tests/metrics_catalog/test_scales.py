"""Axes: round numbers that hold the data, few days, short words."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from metrics_catalog.scales import date_label, dates, span, tick_label, ticks

finite = st.floats(-1e12, 1e12, allow_nan=False).map(lambda x: round(x, 3))


@given(finite, finite)
def test_ticks_hold_the_range_and_are_few(one: float, other: float) -> None:
    low, high = sorted((one, other))
    at = ticks(low, high)
    slack = max(abs(low), abs(high)) * 1e-6 + 1e-6
    assert at[0] <= low + slack
    assert at[-1] >= high - slack
    assert 2 <= len(at) <= 8
    assert at == sorted(at)


def test_the_axis_begins_at_zero_unless_that_wastes_half_of_it() -> None:
    assert span([20, 100]) == (0.0, 100)
    assert span([80, 100]) == (80, 100)
    assert span([-5, 100]) == (-5, 100)
    assert span([]) == (0.0, 1.0)


def test_days_end_with_the_last_one() -> None:
    days = [date(2017, 1, 1) + timedelta(days=i) for i in range(91)]
    shown = dates(days)
    assert len(shown) <= 6
    assert shown[-1] == days[-1]
    assert dates(days[:3]) == days[:3]


def test_labels_are_as_short_as_they_are_exact() -> None:
    assert [tick_label(one, "usd", "zh") for one in (0, 75_000, 100_000)] == ["$0", "$7.5万", "$10万"]
    assert [tick_label(one, "percent", "en") for one in (0.2, 0.225)] == ["20%", "22.5%"]
    assert tick_label(1_000_000, "usd", "en") == "$1M"
    assert tick_label(100, "number", "en") == "100"
    assert date_label(date(2017, 5, 1), "week", "en") == "1 May"
    assert date_label(date(2017, 5, 1), "month", "zh") == "5月"
    assert date_label(date(2017, 1, 1), "month", "en") == "Jan 2017"
