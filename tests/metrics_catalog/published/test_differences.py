"""What a draft would change: told exactly, as a plain dictionary would, and nothing else."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from metrics_catalog.published.errors import BadInput
from metrics_catalog.published.model import AuditRules, Scope
from metrics_catalog.published.publisher import Publisher

DAY, NEXT = date(2024, 1, 1), date(2024, 1, 2)
ALWAYS = (date.min, date.max)
METRICS = ["甲", "b"]
CUTS = [(), ("店",), ("品",), ("店", "品")]
MEMBERS = [None, "", "北", "x'; drop", "1:品=北"]
NUMBERS = st.one_of(st.none(), st.integers(-3, 3), st.sampled_from([Decimal("0.000001"), Decimal(10**20)]))

keys = st.tuples(
    st.sampled_from(METRICS),
    st.integers(0, 3).map(lambda number: DAY + timedelta(days=number)),
    st.sampled_from(CUTS).flatmap(
        lambda names: st.tuples(*(st.tuples(st.just(name), st.sampled_from(MEMBERS)) for name in names))
    ),
)
values = st.dictionaries(keys, st.tuples(NUMBERS, NUMBERS), max_size=12)
scopes = st.lists(
    st.tuples(st.sampled_from(METRICS), st.integers(0, 3), st.integers(1, 4)).map(
        lambda one: Scope(one[0], "day", DAY + timedelta(days=one[1]), DAY + timedelta(days=one[1] + one[2]))
    ),
    max_size=3,
)


def whole(metric, grain="day"):
    return Scope(metric, grain, *ALWAYS)


def stage(draft, kit, asked, rows):
    """Add rows ``{(metric, day, members): (value, numerator)}``, each cut and numerator as a stream of its own."""
    for cut in CUTS:
        for numerator in {part for (*_, members), (_, part) in rows.items() if tuple(dict(members)) == cut}:
            some = [
                (metric, day, dict(members), value)
                for (metric, day, members), (value, part) in rows.items()
                if tuple(dict(members)) == cut and part == numerator
            ]
            draft.add(kit.rows(some, numerator=None if numerator is None else Decimal(numerator)))
    draft.replaces(asked)
    assert draft.audit(AuditRules()).total == 0


def publish(root, kit, number, asked, rows):
    with Publisher(root).open(kit.info(number)) as draft:
        stage(draft, kit, asked, rows)
        draft.commit()


def compared(root, kit, number, asked, rows, **how):
    with Publisher(root).open(kit.info(number)) as draft:
        stage(draft, kit, asked, rows)
        return draft.differences(**how)


def within(key, asked):
    return any(key[0] == one.metric and one.start <= key[1] < one.end for one in asked)


def by_hand(old, new, asked):
    """Kind, new numbers and total change of every cell that differs, by metric."""
    known = {key[:2] for key in old}
    found = {}
    for key in old.keys() | new.keys():
        before, after = old.get(key), new.get(key)
        if within(key, asked) and key[:2] in known and before != after:
            kind = "parts"
            if after is None or before is None:
                kind = "dropped" if after is None else "appeared"
            elif before[0] != after[0]:
                kind = "changed"
            found.setdefault(key[0], {})[key] = (kind, after)
    return found


DIGESTS: dict[object, str] = {}


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(values, values, scopes)
@example(  # two members change places, and what a sum over rows is made of stays
    {("b", DAY, (("店", "北"),)): (1, None), ("b", DAY, (("店", ""),)): (2, None)},
    {("b", DAY, (("店", "北"),)): (2, None), ("b", DAY, (("店", ""),)): (1, None)},
    [Scope("b", "day", DAY, NEXT)],
)
def test_differences_equal_a_dictionary(kit, old, new, asked):
    new = {key: value for key, value in new.items() if within(key, asked)}
    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder), kit, 1, [whole(metric) for metric in METRICS], old)
        found = compared(Path(folder), kit, 2, asked, new)
    wanted = by_hand(old, new, asked)
    assert found.keys() == wanted.keys()
    for metric, difference in found.items():
        cells = wanted[metric]
        assert difference.total == len(cells)
        assert difference.counts == {
            kind: sum(1 for one, _ in cells.values() if one == kind) for kind in difference.counts
        }
        assert difference.periods == {"day": tuple(sorted({day for _, day, _ in cells}))}
        shown = {(metric, cell.period, tuple(cell.members.items())): cell for cell in difference.worst}
        assert {key: cell.kind for key, cell in shown.items()} == {key: kind for key, (kind, _) in cells.items()}
        for key, cell in shown.items():
            assert cell.old == old.get(key, (None,))[0]
            assert cell.new == new.get(key, (None,))[0]
        totals = sorted((day, kind) for (_, day, members), (kind, _) in cells.items() if not members)
        assert [(cell.period, cell.kind) for cell in difference.totals] == totals
        exactly = frozenset((key, after) for key, (_, after) in cells.items())
        assert DIGESTS.setdefault(exactly, difference.digest) == difference.digest
    assert len(set(DIGESTS.values())) == len(DIGESTS)


def test_the_change_of_the_total_and_the_worst_first(tmp_path, kit):
    old = {
        ("b", DAY, ()): (100, None),
        ("b", DAY, (("店", "北"),)): (60, None),
        ("b", DAY, (("店", None),)): (40, None),
    }
    new = {
        ("b", DAY, ()): (110, None),
        ("b", DAY, (("店", "北"),)): (60, None),
        ("b", DAY, (("店", None),)): (50, None),
    }
    publish(tmp_path, kit, 1, [whole("b")], old)
    difference = compared(tmp_path, kit, 2, [whole("b")], new, worst=1)["b"]
    assert difference.total_change == 0.1
    assert difference.total == 2
    (worst,) = difference.worst
    assert (worst.members, worst.old, worst.new, worst.change) == ({"店": None}, 40, 50, 0.25)


@pytest.mark.parametrize(("old", "new"), [(0, 5), (None, 5), (5, None)])
def test_from_nothing_or_to_nothing_is_a_whole_change(tmp_path, kit, old, new):
    publish(tmp_path, kit, 1, [whole("b")], {("b", DAY, ()): (old, None)})
    assert compared(tmp_path, kit, 2, [whole("b")], {("b", DAY, ()): (new, None)})["b"].total_change == 1


def test_a_metric_removed_drops_all_its_values(tmp_path, kit):
    publish(tmp_path, kit, 1, [whole("b")], {("b", DAY, ()): (1, None), ("b", NEXT, ()): (2, None)})
    found = compared(tmp_path, kit, 2, [whole("b")], {})
    assert found["b"].counts == {"changed": 0, "dropped": 2, "appeared": 0, "parts": 0}
    assert found["b"].total_change == 1


def test_differences_within_the_tolerance_are_none(tmp_path, kit):
    publish(tmp_path, kit, 1, [whole("b")], {("b", DAY, ()): (Decimal("1000000"), None)})
    new = {("b", DAY, ()): (Decimal("1000000.0009"), None)}
    assert compared(tmp_path, kit, 2, [whole("b")], new) == {}
    assert compared(tmp_path, kit, 3, [whole("b")], new, tolerance=1e-10)["b"].total == 1
    assert compared(tmp_path, kit, 4, [whole("b")], new, tolerance=0)["b"].total == 1


def test_a_new_dimension_is_no_difference_and_leaves_the_digest(tmp_path, kit):
    old = {("b", DAY, ()): (1, None), ("b", DAY, (("店", "北"),)): (1, None)}
    new = {("b", DAY, ()): (2, None), ("b", DAY, (("店", "北"),)): (1, None)}
    publish(tmp_path, kit, 1, [whole("b")], old)
    before = compared(tmp_path, kit, 2, [whole("b")], new)["b"]
    publish(tmp_path, kit, 3, [whole("甲")], {("甲", DAY, (("品", "茶"),)): (1, None)})
    after = compared(tmp_path, kit, 4, [whole("b"), whole("甲")], new | {("甲", DAY, (("品", "茶"),)): (1, None)})
    assert after == {"b": before}


def test_every_grain_is_compared_with_its_own(tmp_path, kit):
    month = kit.rows([("b", DAY, {}, 1)], grain="month")
    with Publisher(tmp_path).open(kit.info(1)) as draft:
        draft.add(month)
        stage(draft, kit, [whole("b"), whole("b", "month")], {("b", DAY, ()): (1, None)})
        draft.commit()
    with Publisher(tmp_path).open(kit.info(2)) as draft:
        draft.add(kit.rows([("b", DAY, {}, 3)], grain="month"))
        stage(draft, kit, [whole("b"), whole("b", "month")], {("b", DAY, ()): (2, None)})
        difference = draft.differences()["b"]
    assert difference.periods == {"day": (DAY,), "month": (DAY,)}
    assert [(cell.grain, cell.new) for cell in difference.worst] == [("month", 3), ("day", 2)]
    assert difference.total_change == 2


def test_nothing_published_before(tmp_path, kit):
    assert compared(tmp_path, kit, 1, [whole("b")], {("b", DAY, ()): (1, None)}) == {}


def test_files_the_scopes_do_not_touch_are_not_read(tmp_path, kit):
    publish(tmp_path, kit, 1, [Scope("b", "day", DAY, NEXT)], {("b", DAY, ()): (1, None)})
    for path in (tmp_path / "values").glob("*.parquet"):
        path.write_bytes(b"unreadable")
    assert compared(tmp_path, kit, 2, [Scope("b", "day", NEXT, date.max)], {("b", NEXT, ()): (1, None)}) == {}
    assert compared(tmp_path, kit, 3, [whole("a")], {("a", DAY, ()): (1, None)}) == {}


def test_before_the_audit_there_is_nothing_to_compare(tmp_path, kit):
    with Publisher(tmp_path).open(kit.info(1)) as draft, pytest.raises(BadInput, match="not been audited"):
        draft.differences()
