"""Which periods are official, and which are computed again."""

from __future__ import annotations

from datetime import date

from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.windows import Coverage, windows

YEAR = Span(date(2017, 1, 1), date(2018, 1, 1))
CALENDAR = Calendar()


def test_only_periods_that_are_over_are_official() -> None:
    found = windows(CALENDAR, ["day", "month", "year"], YEAR, date(2017, 3, 30), [])
    assert found["day"] == (Span(date(2017, 1, 1), date(2017, 3, 31)),)
    assert found["month"] == (Span(date(2017, 1, 1), date(2017, 3, 1)),)
    assert "year" not in found


def test_a_missing_day_holds_back_every_period_it_is_in() -> None:
    coverage = Coverage(date(2017, 1, 1), frozenset({date(2017, 2, 14)}))
    found = windows(CALENDAR, ["day", "month", "quarter"], YEAR, date(2017, 6, 30), [coverage])
    assert found["day"] == (Span(date(2017, 1, 1), date(2017, 2, 14)), Span(date(2017, 2, 15), date(2017, 7, 1)))
    assert found["month"] == (Span(date(2017, 1, 1), date(2017, 2, 1)), Span(date(2017, 3, 1), date(2017, 7, 1)))
    assert found["quarter"] == (Span(date(2017, 4, 1), date(2017, 7, 1)),)


def test_a_week_that_began_before_the_data_is_never_official() -> None:
    found = windows(CALENDAR, ["week"], YEAR, date(2017, 12, 31), [Coverage(date(2017, 1, 1))])
    assert found["week"][0].start == date(2017, 1, 2)


def test_changed_days_touch_only_their_own_periods() -> None:
    found = windows(CALENDAR, ["day", "week", "month", "year"], [date(2017, 12, 31)], date(2017, 12, 31), [])
    assert found == {
        "day": (Span(date(2017, 12, 31), date(2018, 1, 1)),),
        "week": (Span(date(2017, 12, 25), date(2018, 1, 1)),),
        "month": (Span(date(2017, 12, 1), date(2018, 1, 1)),),
        "year": (YEAR,),
    }
