"""What becomes of incidents from one evaluation to the next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from metrics_catalog.monitoring.cause import Explained
from metrics_catalog.monitoring.fact import Fact
from metrics_catalog.monitoring.following import Observed, sync
from metrics_catalog.monitoring.grouping import troubles
from metrics_catalog.monitoring.trouble import Trouble
from metrics_catalog.ops.store import open_store, reading
from metrics_catalog.ops.tables import incidents, outbox

from .conftest import DAY, NOW, finding

TOTAL, STORE = finding(), finding(store="静安")
LATE = Fact("late", "receipts", {"en": "receipts: 9 Mar 2024 not delivered", "zh": "receipts：2024年3月9日的数据未到"})


def late() -> Trouble:
    return Trouble("late:receipts", Explained("late", ("receipts",), (LATE,)), 2, ("net_sales",), text=LATE.text)


def test_a_finding_opens_one_incident_and_tells_who_answers(room: Any) -> None:
    done = room.judge(TOTAL)
    one = done.opened[0]
    assert (one.name, one.state, one.severity, one.metric, one.cause) == ("INC-1", "open", 2, "net_sales", "move")
    assert one.text("en") == "Real move: Net sales $60 on 9 Mar 2024, -40.0% against the expected $100"
    assert one.text("zh") == "真实波动：2024年3月9日净销售额为$60，较预期$100变动-40.0%"
    assert room.addresses() == ["#data"]
    assert room.letters()[0]["message"]["title"] == one.text("en")
    assert room.events() == [(1, "opened")]


def test_the_same_evaluation_twice_changes_nothing(room: Any) -> None:
    room.judge(TOTAL, STORE)
    before = room.letters(), room.events(), room.people.found()
    done = room.judge(TOTAL, STORE)
    assert (done.opened, done.changed, done.recovered) == ([], [], [])
    assert (room.letters(), room.events(), room.people.found()) == before


def test_it_goes_on_day_after_day_as_one_and_recovers_by_itself(room: Any) -> None:
    room.judge(TOTAL)
    for later in (1, 2):
        room.later(days=1)
        done = room.judge(finding(period=DAY + timedelta(days=later)))
        assert (done.opened, done.changed) == ([], [])
    room.later(days=1)
    recovered = room.judge(fine=(TOTAL,)).recovered
    assert [one.state for one in recovered] == ["recovered"]
    assert room.words() == ["INC-1 recovered by itself."]
    first = room.letters()[0]
    assert first["message"]["closed"] is True
    assert first["message"]["title"].startswith("Real move")
    assert first["edition"] == 2


def test_what_was_not_judged_does_not_recover(room: Any) -> None:
    room.judge(TOTAL, STORE)
    assert room.judge(fine=(TOTAL,)).recovered == []
    assert room.judge().recovered == []
    assert len(room.judge(fine=(STORE,)).recovered) == 1


def test_a_metric_that_is_gone_takes_its_incidents_along(room: Any) -> None:
    from dataclasses import replace

    room.judge(TOTAL)
    left = {name: one for name, one in room.catalog.metrics.items() if name != "net_sales"}
    room.catalog = replace(room.catalog, metrics=left)
    assert len(room.judge(finding("receipts", value=9.0, expected=1.0)).recovered) == 1


def test_another_slice_joins_and_its_manager_is_told_too(room: Any) -> None:
    room.judge(TOTAL)
    done = room.judge(TOTAL, STORE)
    assert ([one.name for one in done.changed], done.opened) == (["INC-1"], [])
    assert room.addresses() == ["#data", "U3"]
    assert len(room.people.one("1").series) == 2


def test_it_got_worse_and_is_said_again(room: Any) -> None:
    room.judge(TOTAL)
    done = room.judge(finding(level="critical", value=20.0))
    assert [one.severity for one in done.changed] == [1]
    assert room.words() == [
        "INC-1, now severity 1: Real move: Net sales $20 on 9 Mar 2024, -80.0% against the expected $100"
    ]


def test_a_better_explanation_takes_the_first_line(room: Any) -> None:
    room.judge(TOTAL)
    found = room.judge(TOTAL, because=Explained("late", ("receipts",), (LATE,))).changed
    assert [one.cause for one in found] == ["late"]
    title = "Data late or missing: receipts: 9 Mar 2024 not delivered; Net sales $60 on 9 Mar 2024, -40.0% against the expected $100"
    assert room.letters()[0]["message"]["title"] == title
    assert room.judge(TOTAL).changed == []  # a worse one does not


def test_two_slices_that_move_alone_are_two_incidents(room: Any) -> None:
    done = room.judge(STORE, finding(store="苏州"))
    assert sorted(one.key for one in done.opened) == ["move:net_sales:store=苏州", "move:net_sales:store=静安"]
    assert [one.severity for one in done.opened] == [3, 3]


def test_what_lasts_in_the_pipeline_recovers_when_it_is_gone(room: Any) -> None:
    assert len(room.sync([late()], standing=frozenset({"late:receipts"})).opened) == 1
    assert room.sync([late()], standing=frozenset({"late:receipts"})).changed == []
    assert room.sync([], standing=None).recovered == []
    assert len(room.sync([], standing=frozenset()).recovered) == 1


def test_one_late_source_takes_in_what_is_missing_by_it(room: Any) -> None:
    room.sync([late()], standing=frozenset({"late:receipts"}))
    missing = finding(rule="missing", value=None, expected=None)
    found = troubles(room.catalog, [(missing, Explained("late", ("receipts",), (LATE,)))])
    done = room.sync(found, standing=frozenset({"late:receipts"}))
    assert (done.opened, len(done.changed)) == ([], 1)
    assert room.sync([], standing=frozenset()).recovered == []  # the value is still missing
    assert len(room.sync([], fine=(missing,), standing=frozenset()).recovered) == 1


def test_what_was_resolved_stays_silent_while_it_goes_on(room: Any) -> None:
    room.judge(TOTAL)
    room.people.resolve("INC-1", "wei", "definition change")
    room.later(days=1)
    done = room.judge(TOTAL)
    assert (done.opened, done.silenced) == ([], 1)
    assert [one.name for one in room.judge(finding(level="critical")).opened] == ["INC-2"]  # it got worse


def test_what_was_fine_again_is_heard_again(room: Any) -> None:
    room.judge(TOTAL)
    room.people.resolve("INC-1", "wei", "real move")
    room.judge(fine=(TOTAL,))
    assert len(room.judge(TOTAL).opened) == 1


def test_what_is_resolved_is_not_silent_for_ever(room: Any) -> None:
    room.judge(TOTAL)
    room.people.resolve("INC-1", "wei", "other", "known")
    room.later(days=15)
    assert len(room.judge(TOTAL).opened) == 1


def test_a_late_source_that_was_resolved_stays_silent_while_it_is_late(room: Any) -> None:
    standing = frozenset({"late:receipts"})
    room.sync([late()], standing=standing)
    room.people.resolve("INC-1", "wei", "data fault")
    assert room.sync([late()], standing=standing).opened == []
    room.sync([], standing=frozenset())
    assert len(room.sync([late()], standing=standing).opened) == 1


def test_many_at_once_are_told_in_one_letter(room: Any) -> None:
    room.policy(at_most=3)
    done = room.judge(
        finding("receipts", value=9.0, expected=1.0),
        *(finding(store=f"店{n}", period=DAY - timedelta(days=n)) for n in range(5)),
    )
    assert len(done.opened) == 6
    titles = [one["message"]["title"] for one in room.letters() if one["address"] == "#data"]
    assert sum("more alerts" in title for title in titles) == 1
    assert len(titles) <= 3
    room.judge(fine=tuple(finding(store=f"店{n}") for n in range(5)))
    again = [one["message"]["title"] for one in room.letters() if one["address"] == "#data"]
    assert len(again) == len(titles) + len(room.words())


def test_quiet_hours_hold_back_what_can_wait(room: Any) -> None:
    room.policy(quiet={"start": "22:00", "end": "08:00"})  # in Shanghai; NOW is 14:00 there
    room.later(hours=9)
    room.judge(TOTAL)
    assert room.letters()[0]["next_at"] == "2024-03-11T00:00:00.000+00:00"
    room.judge(finding(level="critical"))
    assert {one["next_at"] for one in room.letters()} == {room.now.isoformat(timespec="milliseconds")}


TOGETHER = """
import sys
sys.path.insert(0, given[2])
from metrics_catalog.monitoring.following import Observed, sync
from metrics_catalog.monitoring.cause import Explained
from metrics_catalog.monitoring.trouble import Trouble
from metrics_catalog.catalog import load_catalog
from metrics_catalog.ops.store import open_store
from orchestration.settings import read_settings
from pathlib import Path
from datetime import UTC, datetime
catalog = load_catalog(read_settings({}, project=Path(given[1])).locate())
store = open_store(given[0])
found = [Trouble(f"late:{n}", Explained("late", (str(n),)), 2, ("net_sales",), text={"en": str(n), "zh": str(n)}) for n in range(5)]
# together
done = sync(store, catalog, Observed(found, standing=frozenset(one.key for one in found)), datetime.now(UTC))
print(len(done.opened))
"""


def test_two_evaluations_at_once_open_each_once(crowd: Any, refreshed_shop: Any, ops_url: str) -> None:
    store = open_store(ops_url)
    ended = crowd.run(TOGETHER, ops_url, str(refreshed_shop), ".", count=3)
    assert [one.stderr for one in ended if one.returncode] == []
    assert sorted(one.stdout.strip() for one in ended) == ["0", "0", "5"]
    with reading(store) as con:
        assert con.execute(sa.select(incidents.c.number).order_by("number")).scalars().all() == [1, 2, 3, 4, 5]
        assert con.execute(sa.select(sa.func.count()).select_from(outbox)).scalar() == 5


@pytest.mark.parametrize("step", ["outbox.put", "Book._note", "Book.open"])
def test_a_death_anywhere_leaves_all_or_nothing(room: Any, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    from metrics_catalog.monitoring import book

    calls: list[int] = []

    def dies(*given: Any, **how: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*given, **how)

    name = step.rsplit(".", 1)[1]
    holder = book if step.startswith("outbox") else book.Book
    real = getattr(holder, name)
    monkeypatch.setattr(holder, name, dies)
    with pytest.raises(KeyboardInterrupt):
        room.judge(STORE, finding(store="苏州"))
    assert (room.letters(), room.events(), room.people.found()) == ([], [], [])
    monkeypatch.undo()
    assert len(room.judge(STORE, finding(store="苏州")).opened) == 2


def test_nothing_wrong_writes_nothing(room: Any) -> None:
    assert sync(room.store, room.catalog, Observed(standing=frozenset()), NOW).opened == []
    assert room.events() == []
