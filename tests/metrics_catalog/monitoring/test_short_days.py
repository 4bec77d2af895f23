"""Few rows: what was cut off came as usual until then, what sold less is less everywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from metrics_catalog.health import ShortDay
from metrics_catalog.monitoring.calendar import known_days
from metrics_catalog.monitoring.fact_words import short
from metrics_catalog.monitoring.short_days import Profile, judged, suspects
from metrics_catalog.spec.policy import Policy

DAY = date(2024, 3, 13)
STORES = [f"店{n}" for n in range(20)]


def profile(scale: float = 1.0, first: int = 8, last: int = 21, stores: int = 20) -> Profile:
    """A day of 50 rows an hour from 8 to 21 o'clock, the same in each of 20 stores."""
    hours = {hour: round(50 * scale * stores / 20) for hour in range(first, last + 1)}
    rows = sum(hours.values())
    parts = dict.fromkeys(STORES[:stores], rows // stores)
    return Profile(rows, hours, time(first, 2), time(last, 58), parts)


USUAL = [profile(scale) for scale in (0.95, 1, 1, 1.05, 1.1)]


def said(came: Profile, known: dict[str, str] | None = None) -> ShortDay | None:
    return judged(DAY, came, USUAL, known, "store")


def test_a_day_like_any_other_says_nothing() -> None:
    assert said(profile(0.95)) is None
    assert said(profile(0.75)) is None  # less everywhere, and nothing is missing


@pytest.mark.parametrize(("last", "ends"), [(8, "08:58"), (10, "10:58"), (18, "18:58")])
def test_a_file_that_was_cut_off_came_in_part(last: int, ends: str) -> None:
    one = said(profile(last=last))
    assert one is not None
    assert (one.partial, one.begins, one.ends) == (True, None, ends)


def test_a_file_that_begins_late_came_in_part() -> None:
    one = said(profile(first=16))
    assert one is not None
    assert (one.partial, one.begins, one.ends) == (True, "16:02", None)
    assert short("tills", one)["en"] == "tills: 13 Mar 2024 came in part: 300 of usually 700 rows, nothing before 16:02"
    assert (
        short("tills", one)["zh"] == "tills：2024年3月13日的数据只到了一部分：300 行，平时约 700 行，16:02 之前没有数据"
    )


def test_stores_that_are_missing_entirely_did_not_deliver() -> None:
    one = said(profile(stores=8))
    assert one is not None
    assert (one.partial, one.ends, one.steady, len(one.absent)) == (True, None, 20, 12)
    text = short("tills", replace(one, absent=STORES[8:]))
    assert text["en"].endswith("nothing of 12 of the 20 store that always come (店8, 店9, 店10 …)")
    assert text["zh"].endswith("平时必到的 20 个 store 中有 12 个完全没有数据（店8, 店9, 店10 …）")


def test_a_dip_in_every_store_at_every_hour_is_said_and_not_blamed_on_the_delivery() -> None:
    one = said(profile(0.4))
    assert one is not None
    assert not one.partial
    text = short("tills", one)
    assert text["en"] == "tills: 13 Mar 2024 has 280 of usually 700 rows; no hour and no store is missing entirely"
    assert text["zh"] == "tills：2024年3月13日的数据只有 280 行，平时约 700 行；没有完全缺失的时段和 store"


def test_no_business_day_is_as_low_as_a_fifth_of_the_usual() -> None:
    one = said(profile(0.2))
    assert one is not None
    assert one.partial
    assert "no hour and no store is missing entirely" in short("tills", one)["en"]


def test_on_a_holiday_few_rows_prove_nothing() -> None:
    one = said(profile(last=12), {"en": "Christmas Day", "zh": "圣诞节"})
    assert one is not None
    assert (one.partial, one.ends) == (False, "12:58")
    assert "; it is Christmas Day, nothing after 12:58" in short("tills", one)["en"]
    assert said(profile(0.8), {"en": "Christmas Day", "zh": "圣诞节"}) is None


def test_without_hours_and_parts_only_the_number_of_rows_counts() -> None:
    def plain(one: Profile) -> Profile:
        return Profile(one.rows)

    usual = [plain(one) for one in USUAL]
    low, lower = judged(DAY, Profile(300), usual), judged(DAY, Profile(100), usual)
    assert low is not None
    assert lower is not None
    assert (low.partial, lower.partial, lower.looked) == (False, True, ())


def test_a_source_whose_days_differ_that_much_is_not_suspected_of_anything() -> None:
    wild = [Profile(rows) for rows in (200, 220, 900, 1500, 1600)]
    one = judged(DAY, Profile(230), wild)
    assert one is not None
    assert not one.partial


def test_the_last_week_is_looked_at_where_enough_weeks_are_known() -> None:
    policy = Policy.model_validate({"monitoring": {"country": "US"}, "closed_days": ["2017-12-25"]})
    last = date(2017, 12, 31)
    rows = {last - timedelta(days=n): 1000 for n in range(70)}
    known = known_days(policy, last - timedelta(days=70), last)
    assert list(suspects(rows, known, last)) == []
    rows |= {date(2017, 12, 25): 0, date(2017, 12, 28): 300, date(2017, 12, 20): 10}
    (found,) = suspects(rows, known, last)
    assert found[0] == date(2017, 12, 28)
    assert date(2017, 11, 23) not in found[1]  # Thanksgiving says nothing of a Thursday
    assert date(2017, 12, 21) in found[1]
    few = {day: count for day, count in rows.items() if day > last - timedelta(days=15)}
    assert list(suspects(few, known, last)) == []
    assert list(suspects({day: count // 10 for day, count in rows.items()}, known, last)) == []
