from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from metrics_catalog.monitoring.calendar import known_days
from metrics_catalog.monitoring.finding import Series
from metrics_catalog.spec.monitoring import Event, Monitoring
from metrics_catalog.spec.policy import Policy

TOTAL = Series("net_sales", "day")


def policy(**monitoring: object) -> Policy:
    return Policy.model_validate({"monitoring": monitoring, "closed_days": ["2017-12-25"]})


def test_holidays_and_the_days_beside_them() -> None:
    known = known_days(policy(country="US"), date(2017, 11, 1), date(2017, 12, 31))
    days = [date(2017, 11, day) for day in (21, 22, 23, 24, 25)]
    assert known.nearness("day", days).tolist() == [0, 1, 2, 1, 0]
    assert known.nearness("week", days).tolist() == [0] * 5
    assert known.event(TOTAL, date(2017, 11, 23)) == {"en": "Thanksgiving Day", "zh": "感恩节"}
    assert known.event(TOTAL, date(2017, 11, 22)) == {"en": "the day before Thanksgiving Day", "zh": "感恩节前一天"}
    assert known.event(TOTAL, date(2017, 11, 24)) == {"en": "the day after Thanksgiving Day", "zh": "感恩节后一天"}
    assert known.event(TOTAL, date(2017, 11, 21)) is None
    assert known.event(Series("net_sales", "week"), date(2017, 11, 20)) == {"en": "Thanksgiving Day", "zh": "感恩节"}


def test_chinese_holidays_have_both_names() -> None:
    known = known_days(policy(country="CN"), date(2017, 1, 1), date(2017, 12, 31))
    assert known.event(TOTAL, date(2017, 1, 28)) == {"en": "Chinese New Year (Spring Festival)", "zh": "春节"}


def test_without_a_country_no_day_is_special() -> None:
    known = known_days(policy(), date(2017, 11, 1), date(2017, 12, 31))
    assert known.event(TOTAL, date(2017, 11, 23)) is None


def test_own_events_concern_whom_they_say() -> None:
    sale = {"label": {"en": "Summer sale", "zh": "夏季促销"}, "start": "2017-07-10", "end": "2017-07-12"}
    known = known_days(
        policy(events=[sale | {"metrics": ["net_sales"], "members": {"store": ["367", "406"]}}]),
        date(2017, 7, 1),
        date(2017, 7, 31),
    )
    mine = Series("net_sales", "day", (("store", "367"),))
    assert known.event(mine, date(2017, 7, 11)) == {"en": "Summer sale", "zh": "夏季促销"}
    assert known.event(mine, date(2017, 7, 13)) is None
    assert known.event(Series("net_sales", "month", (("store", "367"),)), date(2017, 7, 1)) is not None
    assert known.event(Series("net_sales", "quarter", (("store", "367"),)), date(2017, 7, 1)) is None
    assert known.event(TOTAL, date(2017, 7, 11)) is None
    assert known.event(Series("receipts", "day", (("store", "367"),)), date(2017, 7, 11)) is None


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "needs day, or start and end"),
        ({"day": "2017-01-01", "start": "2017-01-01", "end": "2017-01-02"}, "needs day, or start and end"),
        ({"start": "2017-01-03", "end": "2017-01-02"}, "in this order"),
        ({"start": "2017-01-03"}, "in this order"),
    ],
)
def test_an_event_says_its_days(keys: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Event.model_validate({"label": {"en": "x", "zh": "x"}, **keys})


@pytest.mark.parametrize(("code", "said"), [("XX", 'of "XX"'), ("US-ZZ", '"ZZ" in US'), ("usa", "pattern")])
def test_a_country_without_known_holidays_is_a_mistake(code: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Monitoring(country=code)


def test_only_what_lasts_moves_a_level() -> None:
    event = {"label": {"en": "Spring sale", "zh": "春季促销"}, "start": "2017-05-01", "end": "2017-05-07"}
    known = known_days(policy(country="US", events=[event]), date(2017, 5, 1), date(2017, 5, 31))
    assert known.lasting(TOTAL, date(2017, 5, 14), 14) == {"en": "Spring sale", "zh": "春季促销"}
    assert known.lasting(TOTAL, date(2017, 5, 15), 14) is None
    assert known.lasting(TOTAL, date(2017, 5, 29), 14) is None  # Memorial Day is one day of fourteen
