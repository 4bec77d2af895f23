"""A cause of its own is an incident of its own, also where something is open already."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from metrics_catalog.monitoring.cause import Explained
from metrics_catalog.monitoring.fact import Fact

from .conftest import DAY, finding

TOTAL, STORE = finding(), finding(store="静安")
NEXT = finding(period=DAY + timedelta(days=1))
CHANGED = Fact(
    "definition", "net_sales", {"en": "the definition of net_sales changed", "zh": "指标 net_sales 的口径已改"}
)
DEFINED = Explained("definition", ("net_sales",), (CHANGED,))
LATE = Explained("late", ("receipts",), (Fact("late", "receipts", {"en": "receipts late", "zh": "receipts 迟到"}),))


def opened(room: Any) -> dict[str, str]:
    return {one.name: one.cause for one in room.people.found()}


def test_a_new_cause_on_a_later_day_opens_its_own_and_the_open_one_keeps_its_line(room: Any) -> None:
    room.judge(TOTAL)
    line = room.people.one("1").text("en")
    room.later(days=1)
    done = room.judge(NEXT, because=DEFINED)
    assert ([one.name for one in done.opened], done.changed) == (["INC-2"], [])
    assert opened(room) == {"INC-1": "move", "INC-2": "definition"}
    assert room.people.one("1").text("en") == line
    assert room.letters()[0]["message"]["title"] == line
    assert {one.name for one in room.judge(fine=(TOTAL,)).recovered} == {"INC-1", "INC-2"}


def test_what_goes_on_after_a_changed_definition_is_of_the_change(room: Any) -> None:
    room.judge(TOTAL)
    room.judge(NEXT, because=DEFINED)
    done = room.judge(finding(period=DAY + timedelta(days=2), level="critical"))
    assert (done.opened, [one.name for one in done.changed]) == ([], ["INC-2"])


def test_the_very_finding_that_is_known_better_is_told_in_its_incident_which_is_the_causes_then(room: Any) -> None:
    room.judge(TOTAL)
    done = room.judge(TOTAL, because=LATE)
    assert (done.opened, [one.name for one in done.changed]) == ([], ["INC-1"])
    one = room.people.one("1")
    assert (one.cause, one.key) == ("late", "late:receipts")
    assert room.words()[0].startswith("INC-1, now severity 2: Data late or missing: receipts late")
    assert room.judge(TOTAL, because=LATE).opened == []


def test_another_cause_of_one_slice_takes_nothing_from_the_others(room: Any) -> None:
    room.judge(TOTAL, STORE)
    done = room.judge(finding(store="静安", period=NEXT.period), because=DEFINED)
    assert [one.name for one in done.opened] == ["INC-2"]
    assert len(room.people.one("1").series) == 2


def test_a_dip_after_the_data_came_is_a_move_of_its_own_and_the_late_one_is_over(room: Any) -> None:
    room.judge(TOTAL, because=LATE)
    room.later(days=1)
    done = room.judge(NEXT)
    assert [one.cause for one in done.opened] == ["move"]
    assert [one.name for one in done.recovered] == ["INC-1"]


def test_what_was_there_before_and_is_seen_again_goes_on_where_it_is(room: Any) -> None:
    room.judge(TOTAL, because=LATE)
    again = room.judge(TOTAL, because=Explained("move", fresh=False))
    assert (again.opened, again.recovered) == ([], [])


def test_what_was_resolved_is_silent_only_about_its_own_cause(room: Any) -> None:
    room.judge(TOTAL)
    room.people.resolve("INC-1", "wei", "real move")
    assert room.judge(NEXT).opened == []
    assert [one.cause for one in room.judge(NEXT, because=DEFINED).opened] == ["definition"]


def test_a_move_of_another_metric_does_not_vanish_in_what_others_left_open(room: Any) -> None:
    count = finding("receipts")
    room.judge(count)
    assert [one.metric for one in room.people.found()] == ["receipts"]
    later = NEXT.period
    done = room.judge(finding(period=later), finding("receipts", period=later))
    assert [(one.name, one.metric, [m.series.metric for m in one.series]) for one in done.opened] == [
        ("INC-2", "net_sales", ["net_sales"])
    ]
    assert [m.series.metric for m in room.people.one("1").series] == ["receipts"]
    again = room.judge(finding(period=later), finding("receipts", period=later))
    assert (again.opened, again.changed) == ([], [])
