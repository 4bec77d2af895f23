"""What came of a decision, against the other stores and against history; what is missing is said, not guessed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from statistics import fmean

import pytest

from metrics_catalog.decisions.outcome import LEAST, Outcome, Question, compared
from metrics_catalog.decisions.windows import Member, Numbers, windows
from metrics_catalog.engine.periods import Calendar

CALENDAR = Calendar()
SINCE = date(2024, 3, 4)
DUE = date(2024, 3, 31)
DAYS = [date(2023, 9, 4) + timedelta(days=n) for n in range((DUE - date(2023, 9, 4)).days + 1)]


def daily(level: float, after: float = 1.0, seed: int = 0, noise: float = 0.02) -> Numbers:
    """Weekends are double; from the decision on, times ``after``."""
    chance = random.Random(seed)  # noqa: S311
    rows = {}
    for day in DAYS:
        value = level * (2 if day.weekday() > 4 else 1) * (after if day >= SINCE else 1) * (1 + chance.gauss(0, noise))
        rows[day] = (value, None, None)
    return Numbers(rows)


def asked(member: Member = ("1",)) -> Question:
    return Question(member, "day", windows(CALENDAR, "day", SINCE, DUE), DUE)


def others(after: float, count: int = 9) -> Mapping[Member, Numbers]:
    return {(str(n),): daily(100 * n, after, n) for n in range(2, 2 + count)}


def test_windows_are_whole_weeks_before_and_as_late_as_can_be_after() -> None:
    found = windows(CALENDAR, "day", SINCE, DUE)
    assert (found.before[0], found.before[-1]) == (date(2024, 2, 5), date(2024, 3, 3))
    assert (found.after[0], found.after[-1], len(found.after)) == (SINCE, DUE, 28)
    longer = windows(CALENDAR, "day", SINCE, date(2024, 5, 1))
    assert (longer.after[0], longer.after[-1], longer.before) == (date(2024, 4, 4), date(2024, 5, 1), found.before)
    assert len(windows(CALENDAR, "day", SINCE, SINCE + timedelta(days=9)).after) == 7
    assert len(windows(CALENDAR, "day", SINCE, SINCE + timedelta(days=2)).after) == 3
    months = windows(CALENDAR, "month", SINCE, date(2024, 5, 31))
    assert (months.before, months.after) == (
        (date(2024, 1, 1), date(2024, 2, 1)),
        (date(2024, 4, 1), date(2024, 5, 1)),
    )
    assert windows(CALENDAR, "month", SINCE, date(2024, 4, 29)).after == ()


def test_what_every_store_gained_is_not_the_decisions_doing() -> None:
    mine = {("1",): daily(100, 1.1)}
    alike = compared(asked(), {**mine, **others(1.1)}, CALENDAR)
    assert (alike.basis, alike.compared) == ("others", 9)
    assert alike.before is not None
    assert alike.actual is not None
    assert alike.without is not None
    assert alike.actual / alike.before == pytest.approx(1.1, rel=0.03)
    assert alike.effect == pytest.approx(0, abs=0.03 * alike.before)
    alone = compared(asked(), {**mine, **others(1.0)}, CALENDAR)
    assert alone.effect == pytest.approx(0.1 * alike.before, rel=0.3)
    assert alone.low is not None
    assert alone.high is not None
    assert alone.low < alone.high < alike.actual


def test_without_others_its_own_history_says_what_is_usual() -> None:
    found = compared(asked(()), {(): daily(100, 1.1)}, CALENDAR)
    assert (found.basis, found.compared >= LEAST) == ("history", True)
    assert found.without == pytest.approx(found.before, rel=0.03)
    assert found.actual is not None
    assert found.high is not None
    assert found.high < found.actual
    steady = compared(asked(()), {(): daily(100, 1.0, noise=0.2)}, CALENDAR)
    assert steady.low is not None
    assert steady.high is not None
    assert steady.actual is not None
    assert steady.low < steady.actual < steady.high


def test_a_series_less_steady_than_the_others_is_not_called_moved_when_nothing_was_done() -> None:
    inside = []
    for seed in range(40):
        found = compared(asked(), {("1",): daily(100, 1.0, seed + 100, 0.15), **others(1.0, 8)}, CALENDAR)
        assert found.low is not None
        assert found.high is not None
        inside.append(found.low <= (found.actual or 0) <= found.high)
    assert fmean(inside) > 0.85


def test_a_ratio_is_all_numerators_over_all_denominators() -> None:
    rows = {DAYS[0]: (0.5, 1.0, 2.0), DAYS[1]: (0.1, 10.0, 100.0)}
    assert Numbers(rows).level(DAYS[:2]) == pytest.approx(11 / 102)


def test_of_what_adds_up_nothing_sold_is_zero_from_its_first_day_on() -> None:
    one = Numbers({DAYS[2]: (6.0, 6.0, None), DAYS[5]: (3.0, 3.0, None)}, adds_up=True)
    assert one.level(DAYS[2:8]) == 1.5
    assert one.level(DAYS[1:8]) is None, "it had not begun"
    assert one.level(DAYS[6:8]) is None
    assert Numbers(one.rows).level(DAYS[2:8]) is None, "of anything else, too little is known"


@pytest.mark.parametrize("left", ["none", "few"])
def test_missing_values_are_said(left: str) -> None:
    rows = {} if left == "none" else dict(list(daily(100).rows.items())[:-20])
    found = compared(asked(()), {(): Numbers(rows)}, CALENDAR)
    assert (found.verdict, found.without) == ("no data", None)
    assert Outcome.read(found.as_json()) == found


def test_with_nothing_to_compare_the_move_stands_alone() -> None:
    short = {day: row for day, row in daily(100).rows.items() if day >= date(2024, 2, 5)}
    found = compared(asked(()), {(): Numbers(short)}, CALENDAR)
    assert (found.verdict, found.basis, found.low) == ("moved", "none", None)
    assert found.actual is not None


def test_a_value_that_may_be_zero_or_less_moves_by_difference() -> None:
    def flat(value: float, after: float) -> Numbers:
        return Numbers({day: (after if day >= SINCE else value, None, None) for day in DAYS})

    numbers: dict[Member, Numbers] = {(str(n),): flat(n, n + 2) for n in range(2, 9)}
    numbers[("1",)] = flat(-5, 10)
    found = compared(asked(), numbers, CALENDAR)
    assert (found.before, found.actual, found.without) == (-5, 10, -3)
