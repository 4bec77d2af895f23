from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from metrics_catalog.published.layout import OPEN, SMALL, Sizes, cut, plan
from metrics_catalog.published.table import DataFile

DAY = date(2024, 1, 1)
SIZES = Sizes(file=100, stretch=800)


def day(number):
    return DAY + timedelta(days=number)


def leaf(name, low, high, rows, grain="day", first="a", last="z"):
    return DataFile(name, 1, rows, grain, day(low), day(high), first, last)


def fresh(*numbers, rows=5, path="", grain="day"):
    return {(grain, day(number), path): rows for number in numbers}


def test_rows_after_everything_make_a_stretch_of_their_own():
    [group] = plan([leaf("a", 0, 9, 500)], frozenset(), fresh(10), SIZES)
    assert (group.files, group.fresh, group.rows) == ((), {(day(10), "")}, 5)


def test_rows_before_everything_too():
    [group] = plan([leaf("a", 5, 9, 500)], frozenset(), fresh(0), SIZES)
    assert group.files == ()


def test_a_dirty_file_takes_the_rows_that_belong_into_it_and_its_neighbours_stay():
    old, beside = leaf("a", 0, 9, 500, last="m"), leaf("b", 0, 9, 500, first="n")
    groups = plan([old, beside], frozenset({"a"}), fresh(3, path="a") | fresh(12), SIZES)
    assert [(group.files, group.fresh) for group in groups] == [((old,), {(day(3), "a")}), ((), {(day(12), "")})]


def test_new_rows_within_a_stretch_rewrite_nothing():
    files = [leaf("a", 0, 9, 500), leaf("b", 10, 19, 500)]
    groups = plan(files, frozenset(), fresh(3) | fresh(13), SIZES)
    assert [(group.files, group.fresh) for group in groups] == [((), {(day(3), "")}), ((), {(day(13), "")})]


def test_short_stretches_are_joined_when_too_many_lie_side_by_side():
    full = leaf("full", 0, 9, 500)
    short = [leaf(str(number), 10 + number, 10 + number, 1) for number in range(OPEN)]
    assert plan([full, *short[1:]], frozenset(), fresh(30), SIZES)[0].files == ()
    [group] = plan([full, *short], frozenset(), fresh(30), SIZES)
    assert {file.path for file in group.files} == {file.path for file in short}
    assert plan([full, *short, leaf("more", 20, 20, 1)], frozenset(), {}, SIZES) == []


def test_a_much_larger_short_stretch_is_not_rewritten_for_a_few_rows():
    large, small = leaf("large", 0, 9, 300), [leaf(str(number), 10 + number, 10 + number, 1) for number in range(OPEN)]
    [group] = plan([large, *small], frozenset(), fresh(30, rows=1), SIZES)
    assert "large" not in {file.path for file in group.files}
    [group] = plan([large, *small], frozenset(), fresh(30, rows=200), SIZES)
    assert "large" in {file.path for file in group.files}


def test_daily_publishes_leave_few_stretches_and_rewrite_little():
    files, written = [], 0
    for number in range(700):
        [group] = plan(files, frozenset(), fresh(number, rows=1), SIZES)
        low = min([number, *((file.low - DAY).days for file in group.files)])
        files = [file for file in files if file not in group.files]
        files.append(leaf(str(number), low, number, group.rows))
        written += group.rows
        short = [file for file in files if 2 * file.rows < SIZES.stretch]
        assert len(short) <= OPEN
    assert written < 700 * 12


def test_short_stretches_on_both_sides_of_a_full_one_stay_apart():
    files = [leaf("old", 0, 0, 1), leaf("full", 1, 9, 500), *(leaf(str(n), 10 + n, 10 + n, 1) for n in range(OPEN))]
    [group] = plan(files, frozenset(), fresh(30), SIZES)
    assert "old" not in {file.path for file in group.files}


def test_small_files_of_a_full_stretch_are_joined_when_too_many():
    full = leaf("full", 0, 9, 500)
    small = [leaf(str(number), number, number, 1, first=f"m{number}") for number in range(SMALL)]
    [group] = plan([full, *small], frozenset(), fresh(3), SIZES)
    assert {file.path for file in group.files} == {file.path for file in small}
    assert group.fresh == {(day(3), "")}


def test_other_grains_are_left_alone():
    month = leaf("m", 0, 0, 1, grain="month")
    [group] = plan([month], frozenset(), fresh(1), SIZES)
    assert (group.grain, group.files) == ("day", ())
    assert plan([month], frozenset(), {}, SIZES) == []


@given(st.data())
def test_a_plan_uses_every_dirty_file_and_every_new_row_once(data):
    files = [
        leaf(f"f{number}", low, low + data.draw(st.integers(0, 9)), data.draw(st.integers(1, 300)))
        for number, low in enumerate(data.draw(st.lists(st.integers(0, 40), max_size=12)))
    ]
    dirty = frozenset(file.path for file in files if data.draw(st.booleans()))
    new = {}
    for number in data.draw(st.sets(st.integers(0, 60), max_size=20)):
        claims = [file.path for file in files if file.path in dirty and file.low <= day(number) <= file.high]
        new["day", day(number), min(claims, default="")] = 1
    groups = plan(files, dirty, new, SIZES)
    rewritten = [file.path for group in groups for file in group.files]
    assert len(rewritten) == len(set(rewritten))
    assert dirty <= set(rewritten)
    assert sorted(claim for group in groups for claim in group.fresh) == sorted((at, path) for _, at, path in new)


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(1, 100))
def test_cuts_cover_every_key_once_in_order_and_stay_near_the_size(counts, rows):
    periods = [(day(number), count) for number, count in enumerate(counts)]
    runs = cut(reversed(periods), rows)
    assert [period for first, last in runs for period, _ in periods if first <= period <= last] == [
        period for period, _ in periods
    ]
    for first, last in runs:
        assert sum(count for period, count in periods if first <= period <= last) <= rows + 50
