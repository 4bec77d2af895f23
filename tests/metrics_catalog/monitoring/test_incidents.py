"""What people do about incidents, who may, and what is wrong with the platform itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from metrics_catalog.governance.requests import Refused
from metrics_catalog.monitoring.insisting import insist
from metrics_catalog.monitoring.platform_faults import system_fault, system_recovered

from .conftest import finding

DEAD = {"en": "slack cannot be reached", "zh": "slack 无法连接"}


@pytest.fixture
def opened(room: Any) -> Any:
    room.judge(finding(), finding(store="静安"))
    return room


def refused(call: Any, *given: Any, says: str) -> None:
    with pytest.raises(Refused, match=says):
        call(*given)


def test_acknowledged_it_is_somebodys_and_everybody_reads_so(opened: Any) -> None:
    one = opened.people.acknowledge("inc-1", "fang")
    assert (one.state, one.assignee) == ("acknowledged", "fang")
    assert opened.people.acknowledge("1", "wei") == one  # the first one stays
    main = [one for one in opened.letters() if one["parent"] is None]
    assert {letter["edition"] for letter in main} == {2}
    assert "acknowledged by fang · assigned to fang" in main[0]["message"]["parts"][0]["text"]
    assert opened.words() == ["fang looks after INC-1."] * 2
    buttons = next(part for part in main[0]["message"]["parts"] if part["part"] == "Buttons")["buttons"]
    assert [one["action"] for one in buttons] == ["resolve", "assign"]


def test_assigned_to_somebody_who_was_not_told_yet(opened: Any) -> None:
    assert "jie@example.com" not in opened.addresses()
    one = opened.people.assign("INC-1", "wei", "jie")
    assert (one.state, one.assignee) == ("acknowledged", "jie")
    assert opened.addresses() == ["#data", "U3", "U9"]
    refused(
        opened.people.assign, "INC-1", "wei", "jia", says='"jia" is not a person of people.yml \\(did you mean "jie"'
    )


def test_resolved_with_a_reason_it_is_over(opened: Any) -> None:
    refused(opened.people.resolve, "INC-1", "wei", "fixed", says="is no reason.*one of: real move")
    one = opened.people.resolve("INC-1", "wei", "real move", "road works")
    assert (one.state, one.reason, one.data["note"]) == ("resolved", "real move", "road works")
    first = opened.letters()[0]["message"]
    assert first["closed"]
    assert "resolved by wei: real move (road works)" in first["parts"][0]["text"]
    for what in (("acknowledge", "wei"), ("resolve", "wei", "other"), ("assign", "wei", "fang")):
        refused(getattr(opened.people, what[0]), "INC-1", *what[1:], says="INC-1 is resolved already")


def test_who_may(opened: Any) -> None:
    refused(opened.people.acknowledge, "INC-1", "ana", says="ana does not answer for INC-1")
    refused(opened.people.acknowledge, "INC-1", "nobody", says="is not a person of people.yml")
    refused(
        opened.people.resolve, "INC-1", "mei", "other", says="mei is a viewer and may acknowledge INC-1, not resolve it"
    )
    assert opened.people.acknowledge("INC-1", "mei").assignee == "mei"
    assert opened.people.resolve("INC-1", "jie", "other").state == "resolved"  # an admin
    refused(opened.people.acknowledge, "INC-7", "jie", says='there is no incident "INC-7"')
    refused(opened.people.acknowledge, "seven", "jie", says='there is no incident "seven"')


def test_a_project_without_people_has_no_rules_about_them(opened: Any) -> None:
    from dataclasses import replace

    from metrics_catalog.spec.people import People

    opened.catalog = replace(opened.catalog, people=People(departments={}, people={}, teams={}))
    assert opened.people.resolve("INC-1", "me", "other").data["by"] == "me"


def test_its_history_is_kept(opened: Any) -> None:
    opened.people.acknowledge("INC-1", "fang")
    opened.people.resolve("INC-1", "fang", "known event", "sale")
    past = opened.people.history(opened.people.one("INC-1"))
    assert [(one.kind, one.actor) for one in past] == [
        ("opened", "platform"),
        ("acknowledged", "fang"),
        ("resolved", "fang"),
    ]
    assert past[-1].data == {"reason": "known event", "note": "sale"}


def test_lists_the_worst_first_and_what_is_over_when_asked(opened: Any) -> None:
    opened.judge(finding("receipts", value=9.0, expected=1.0, level="critical"))
    assert [one.name for one in opened.people.found()] == ["INC-2", "INC-1"]
    opened.people.resolve("INC-2", "wei", "other")
    assert [one.name for one in opened.people.found()] == ["INC-1"]
    assert len(opened.people.found(every=True)) == 2
    assert [one.name for one in opened.people.found(every=True, metric="receipts")] == ["INC-2"]


# --- nobody answers


def asked(room: Any) -> list[str]:
    return [one.name for one in insist(room.store, room.catalog, room.now)]


def test_the_next_person_is_asked_and_the_one_after(room: Any) -> None:
    room.policy(escalate_hours={2: 6}, renotify_hours={})
    room.judge(finding())
    room.later(hours=5.9)
    assert asked(room) == []
    room.later(hours=0.1)
    assert asked(room) == ["INC-1"]
    assert room.addresses() == ["#data", "U2"]
    assert "Nobody has answered INC-1; fang is asked now." in room.words()
    assert asked(room) == []
    room.later(hours=6)
    assert asked(room) == ["INC-1"]
    assert room.addresses() == ["#data", "U2", "U9"]
    room.later(hours=60)
    assert asked(room) == []  # nobody is left


def test_whoever_answers_ends_it(room: Any) -> None:
    room.policy(escalate_hours={2: 1}, renotify_hours={2: 1})
    room.judge(finding())
    room.people.acknowledge("INC-1", "wei")
    room.later(days=3)
    assert asked(room) == []


def test_it_is_said_again_but_not_in_quiet_hours_nor_snoozed(room: Any) -> None:
    room.policy(renotify_hours={2: 12}, escalate_hours={}, quiet={"start": "22:00", "end": "08:00"})
    room.judge(finding())  # 14:00 in Shanghai
    room.later(hours=12)
    assert asked(room) == []
    room.later(hours=6)
    assert asked(room) == ["INC-1"]
    assert room.words()[-1].startswith("INC-1 is still open: Real move: Net sales")
    room.people.snooze("INC-1", "wei", room.now + timedelta(days=2))
    room.later(days=1.9)
    assert asked(room) == []
    room.later(days=0.62)
    assert asked(room) == ["INC-1"]
    refused(room.people.snooze, "INC-1", "wei", room.now, says="is over; name a later time")


def test_a_snoozed_one_that_got_worse_is_only_edited(room: Any) -> None:
    room.judge(finding())
    room.people.snooze("INC-1", "wei", room.now + timedelta(hours=4))
    room.judge(finding(level="critical"))
    assert room.words() == []
    assert room.letters()[0]["message"]["severity"] == 1


# --- the platform


def test_a_fault_is_one_incident_until_it_works_again(room: Any) -> None:
    one = system_fault(room.store, room.catalog, "channel", "slack", DEAD, room.now, 2, avoid=["slack"])
    assert one.text("en") == "Platform fault: slack cannot be reached"
    assert room.addresses() == ["jie@example.com"]
    assert system_fault(room.store, room.catalog, "channel", "slack", DEAD, room.now).number == one.number
    assert room.judge(fine=()).recovered == []  # values say nothing about it
    assert system_recovered(room.store, room.catalog, "channel", "email", room.now) is None
    over = system_recovered(room.store, room.catalog, "channel", "slack", room.now)
    assert over is not None
    assert over.state == "recovered"
    assert room.words() == ["INC-1: slack works again."]
    assert system_fault(room.store, room.catalog, "channel", "slack", DEAD, room.now).number == 2
