"""The ledger: a chain that shows every change made to it, appended to by several at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from metrics_catalog.governance.ledger import GENESIS, Damaged, Event, Head, Ledger, Moved
from metrics_catalog.ops.store import open_store

NOW = datetime(2024, 3, 10, 8, tzinfo=UTC)


@pytest.fixture
def engine(ops_url: str) -> Iterator[sa.Engine]:
    engine = open_store(ops_url)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: sa.Engine) -> Ledger:
    """Five entries."""
    ledger = Ledger(engine)
    events = [Event("noted", f"metric/m{n}", "wei", {"n": n, "reason": "销售额含税 “改” 😀"}) for n in range(1, 6)]
    ledger.append(Head(), events[:2], NOW)
    ledger.append(head(ledger), events[2:], NOW + timedelta(hours=1))
    return ledger


def head(ledger: Ledger) -> Head:
    last = ledger.entries()[-1]
    return Head(last.seq, last.hash, last.at)


def tamper(engine: sa.Engine, *statements: str) -> None:
    """What somebody with the database's password does: first the guards go."""
    guards = {
        "sqlite": ["drop trigger ledger_update", "drop trigger ledger_delete", "drop trigger ledger_next"],
        "postgresql": ["drop trigger ledger_append_only on ledger"],
    }
    with engine.begin() as con:
        for statement in (*guards[engine.dialect.name], *statements):
            con.exec_driver_sql(statement)


def test_entries_are_numbered_chained_and_read_as_written(ledger: Ledger) -> None:
    entries = ledger.entries()
    assert [one.seq for one in entries] == [1, 2, 3, 4, 5]
    assert [one.at for one in entries] == [NOW] * 2 + [NOW + timedelta(hours=1)] * 3
    assert entries[4].event == Event("noted", "metric/m5", "wei", {"n": 5, "reason": "销售额含税 “改” 😀"})
    assert len({one.hash for one in entries} | {GENESIS}) == 6
    assert ledger.verify() == []
    assert ledger.verify([Head(one.seq, one.hash) for one in entries]) == []


def test_a_time_zone_is_no_difference_and_a_clock_that_goes_back_stands_still(ledger: Ledger) -> None:
    (added,) = ledger.append(head(ledger), [Event("noted", "x", "wei")], NOW - timedelta(days=400))
    assert added.at == NOW + timedelta(hours=1)
    later = datetime(2024, 3, 11, 9, tzinfo=UTC).astimezone()
    (added,) = ledger.append(head(ledger), [Event("noted", "x", "wei")], later)
    assert added.at == later
    assert added.at.utcoffset() == timedelta(0)
    assert ledger.verify() == []


def test_who_read_before_another_wrote_must_read_again(ledger: Ledger) -> None:
    old = head(ledger)
    ledger.append(old, [Event("noted", "x", "wei")], NOW)
    for stale in (old, Head(), Head(old.seq, "0" * 64, old.at), Head(old.seq + 2, old.hash, old.at)):
        with pytest.raises(Moved):
            ledger.append(stale, [Event("noted", "y", "wei")], NOW)
    assert len(ledger.entries()) == 6


def test_what_is_new_is_read_alone_and_must_follow_what_was_read(ledger: Ledger, engine: sa.Engine) -> None:
    entries = ledger.entries()
    assert ledger.entries(head(ledger)) == []
    assert ledger.entries(Head(2, entries[1].hash)) == entries[2:]
    with pytest.raises(Damaged, match="ledger:2 is not the entry that was read before"):
        ledger.entries(Head(2, entries[2].hash))
    last = head(ledger)
    tamper(engine, "delete from ledger where seq = 5")
    with pytest.raises(Damaged, match="ledger:5"):
        ledger.entries(last)


Faults = dict[int, str]
CASES: dict[str, tuple[list[str], Faults]] = {
    "who": (["update ledger set actor = 'eve' where seq = 3"], {3: "was changed after it was written (noted of metric/m3)"}),
    "what": (["update ledger set data = replace(data, '3', '4') where seq = 3"], {3: "was changed after"}),
    "no longer JSON": (["update ledger set data = 'x' where seq = 3"], {3: "was changed after"}),
    "when": (["update ledger set at = replace(at, '2024', '2023') where seq = 1"], {1: "was changed after"}),
    "about what": (["update ledger set subject = 'metric/other' where seq = 5"], {5: "was changed after"}),
    "kind": (["update ledger set kind = 'certified' where seq = 2"], {2: "was changed after"}),
    "hash": (["update ledger set hash = previous where seq = 3"], {3: "was changed after", 4: "does not follow"}),
    "chain": (["update ledger set previous = hash where seq = 3"], {3: "was changed after"}),
    "first removed": (["delete from ledger where seq = 1"], {1: "is missing: the next one is 2"}),
    "middle removed": (["delete from ledger where seq in (2, 3)"], {2: "is missing: the next one is 4"}),
    "two removed": (["delete from ledger where seq in (2, 4)"], {2: "is missing: the next one is 3", 4: "is missing"}),
    "put in front": (
        ["insert into ledger select 0, at, kind, subject, actor, data, previous, hash from ledger where seq = 1"],
        {0: "was put in"},
    ),
    "put in between": (
        [
            "update ledger set seq = 6 where seq = 5",
            "update ledger set seq = 5 where seq = 4",
            "insert into ledger select 4, at, kind, subject, 'eve', data, hash, hash from ledger where seq = 3",
        ],
        {4: "was changed after", 5: "was changed after", 6: "was changed after"},
    ),
    "renumbered": (
        ["delete from ledger where seq = 3", "update ledger set seq = 3 where seq = 4", "update ledger set seq = 4 where seq = 5"],
        {3: "does not follow", 4: "was changed after"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_was_changed_is_named_and_nothing_is_read(case: str, ledger: Ledger, engine: sa.Engine) -> None:
    statements, expected = CASES[case]
    tamper(engine, *statements)
    faults = ledger.verify()
    told = {one.seq: "; ".join(other.message for other in faults if other.seq == one.seq) for one in faults}
    assert set(told) == set(expected)
    for seq, said in expected.items():
        assert said in told[seq]
    with pytest.raises(Damaged) as caught:
        ledger.entries()
    assert all(str(fault) in str(caught.value) for fault in faults)


@pytest.mark.parametrize("left", [0, 3])
def test_an_end_cut_off_is_seen_by_whoever_remembers_it(left: int, ledger: Ledger, engine: sa.Engine) -> None:
    anchors = [Head(one.seq, one.hash) for one in ledger.entries() if one.seq in (2, 4)]
    tamper(engine, f"delete from ledger where seq > {left}")
    assert ledger.verify() == []
    lost = [seq for seq in (2, 4) if seq > left]
    assert [str(one) for one in ledger.verify([*anchors, Head()])] == [
        f"ledger:{seq} is not the entry that values were published under" for seq in lost
    ]


def test_a_whole_chain_rewritten_is_seen_by_whoever_remembers_the_old(ledger: Ledger, engine: sa.Engine) -> None:
    anchor = head(ledger)
    tamper(engine, "delete from ledger")
    ledger.append(Head(), [Event("noted", f"metric/m{n}", "eve") for n in range(1, 6)], NOW)
    assert ledger.verify() == []
    assert [one.seq for one in ledger.verify([anchor])] == [5]


def test_processes_appending_at_once_lose_nothing(ops_url: str, crowd: Any) -> None:
    code = """
        from datetime import UTC, datetime
        from metrics_catalog.governance.ledger import Event, Head, Ledger, Moved
        from metrics_catalog.ops.store import open_store
        ledger = Ledger(open_store(given[0]))
        # together
        done = moved = 0
        while done < 15:
            entries = ledger.entries()
            last = Head(entries[-1].seq, entries[-1].hash, entries[-1].at) if entries else Head()
            try:
                ledger.append(last, [Event("noted", f"process/{who}", "wei", {"n": done})] * 2, datetime.now(UTC))
                done += 1
            except Moved:
                moved += 1
        print(moved)
    """
    ended = crowd.run(code, ops_url, count=3)
    assert [one.returncode for one in ended] == [0] * 3, "\n".join(one.stderr for one in ended)
    assert any(int(one.stdout) for one in ended), "they never met, so nothing was tested"
    engine = open_store(ops_url)
    entries = Ledger(engine).entries()
    engine.dispose()
    for who in range(3):
        own = [one.event.data["n"] for one in entries if one.event.subject == f"process/{who}"]
        assert own == [n for n in range(15) for _ in range(2)]
    assert [one.event.subject for one in entries[0::2]] == [one.event.subject for one in entries[1::2]]


def test_threads_appending_at_once_lose_nothing(ledger: Ledger) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def add(number: int) -> None:
        while True:
            try:
                ledger.append(head(ledger), [Event("noted", f"thread/{number}", "wei")], NOW)
            except Moved:
                continue
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    subjects = [one.event.subject for one in ledger.entries()[5:]]
    assert sorted(subjects) == sorted(f"thread/{number}" for number in range(24))
