"""Which periods are official, and which are computed again."""

from __future__ import annotations

from datetime import date

import pytest

from metrics_catalog.engine.components import Component, Conversion
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.terms import Reach, Shift, Term
from metrics_catalog.engine.windows import Coverage, windows
from metrics_catalog.spec.base import Grain
from metrics_catalog.spec.time import Duration, Offset

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


def term(reach: Reach | None = None, *offsets: str, conversion_days: int = 0) -> Term:
    event = Component("event", "sales", "count")
    conversion = Conversion(event, (), conversion_days) if conversion_days else None
    component = Component("x", "sales", "sum", conversion=conversion)
    return Term(component, reach, tuple(Shift(Offset.model_validate(one)) for one in offsets))


def test_a_day_changes_every_later_window_it_is_in() -> None:
    rolling = term(Reach(window=Duration.model_validate("7 days")))
    found = windows(CALENDAR, ["day"], [date(2017, 3, 1)], date(2017, 3, 4), [], [rolling])
    assert found["day"] == (Span(date(2017, 3, 1), date(2017, 3, 5)),), "closed days only"
    found = windows(CALENDAR, ["day"], [date(2017, 3, 1)], date(2017, 12, 31), [], [rolling])
    assert found["day"] == (Span(date(2017, 3, 1), date(2017, 3, 8)),)


def test_a_day_changes_the_periods_that_look_back_at_it() -> None:
    found = windows(CALENDAR, ["day"], [date(2017, 1, 31)], date(2017, 12, 31), [], [term(None, "1 month")])
    assert found["day"] == (Span(date(2017, 1, 31), date(2017, 2, 1)),), "February has no 31st"
    found = windows(CALENDAR, ["day"], [date(2017, 2, 28)], date(2017, 12, 31), [], [term(None, "1 month")])
    assert found["day"] == (Span(date(2017, 2, 28), date(2017, 3, 1)), Span(date(2017, 3, 28), date(2017, 4, 1)))


def test_a_period_is_official_when_all_it_looks_at_is() -> None:
    coverage = Coverage(date(2017, 1, 1), frozenset({date(2017, 1, 10)}))
    found = windows(CALENDAR, ["month"], YEAR, date(2017, 5, 30), [coverage], [term(None, "previous")])
    assert found["month"] == (Span(date(2017, 3, 1), date(2017, 5, 1)),), "February looks at January"
    to_date = term(Reach(to_date="year"))
    assert windows(CALENDAR, ["month"], YEAR, date(2017, 5, 30), [coverage], [to_date]) == {}
    ever = windows(CALENDAR, ["month"], YEAR, date(2017, 5, 30), [Coverage(date(2017, 1, 1))], [term(Reach())])
    assert ever["month"] == (Span(date(2017, 1, 1), date(2017, 5, 1)),)


def test_conversions_wait_for_what_may_still_follow() -> None:
    converting = term(conversion_days=30)
    found = windows(CALENDAR, ["month"], YEAR, date(2017, 3, 30), [], [converting])
    assert found["month"] == (Span(date(2017, 1, 1), date(2017, 3, 1)),)
    found = windows(CALENDAR, ["month"], [date(2017, 3, 30)], date(2017, 3, 30), [], [converting])
    assert found["month"] == (Span(date(2017, 2, 1), date(2017, 3, 1)),), "the day that settles February"


@pytest.mark.parametrize(
    ("offset", "grain", "start", "expected"),
    [
        ("1 year", "day", date(2024, 2, 29), date(2023, 2, 28)),
        ("1 month", "day", date(2024, 3, 31), date(2024, 2, 29)),
        ("1 year", "week", date(2024, 3, 4), date(2023, 3, 6)),
        ("1 quarter", "week", date(2024, 4, 1), date(2024, 1, 1)),
        ("previous", "quarter", date(2024, 1, 1), date(2023, 10, 1)),
        ("12 months", "quarter", date(2024, 1, 1), date(2023, 1, 1)),
        ("start of year", "month", date(2024, 5, 1), date(2024, 1, 1)),
    ],
)
def test_the_period_an_offset_leads_to(offset: str, grain: Grain, start: date, expected: date) -> None:
    assert Offset.model_validate(offset).sees(grain)
    assert term(None, offset).period(CALENDAR, grain, start).start == expected
