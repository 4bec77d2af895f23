"""Who sends which letter: one at a time, for as long as the lease, in order, and never what must wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from metrics_catalog.message import Letter, Message
from metrics_catalog.ops import channel_health, claims
from metrics_catalog.ops.claims import LEASE, Failure, claim, due_channels, failed, keep, next_due, retry, sent
from metrics_catalog.ops.letters import given_up, keys, letters, unsent
from metrics_catalog.ops.outbox import put
from metrics_catalog.ops.store import open_store, writing

NOW = datetime(2024, 3, 10, 8, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def engine(ops_url: str) -> Iterator[sa.Engine]:
    engine = open_store(ops_url)
    yield engine
    engine.dispose()


def fill(engine: sa.Engine, *named: str, now: datetime = NOW, address: str = "C0", channel: str = "slack") -> None:
    """Letters by key; ``child<parent`` puts one under another."""
    made = []
    for name in named:
        key, _, parent = name.partition("<")
        made.append(Letter(key, channel, address, Message(key, severity=2), parent or None))
    with writing(engine, None) as con:
        put(con, made, now)


def taken(engine: sa.Engine, now: datetime = NOW, channel: str = "slack") -> claims.Claim:
    found = claim(engine, channel, now)
    assert found is not None
    return found


def state(engine: sa.Engine, key: str) -> tuple[str, int, str | None]:
    (found,) = [one for one in letters(engine, everything=True) if one.key == key]
    return found.state, found.attempts, found.error


def test_a_letter_is_one_drainers_until_its_lease_is_over(engine: sa.Engine) -> None:
    fill(engine, "a")
    first = taken(engine)
    assert not first.doubtful
    assert claim(engine, "slack", NOW + LEASE - timedelta(seconds=1)) is None
    second = taken(engine, NOW + LEASE)
    assert second.doubtful, "it may have arrived"
    assert not sent(engine, first, "C0/1", {}, NOW), "it is not the first one's any more"
    assert not failed(engine, first, Failure("late", None))
    keep(engine, first, "C0/wrong", {})
    assert sent(engine, second, "C0/2", {"a": 1}, NOW)
    assert state(engine, "a") == ("sent", 0, None)


def test_what_failed_waits_for_its_time_and_remembers_whether_it_may_have_arrived(engine: sa.Engine) -> None:
    fill(engine, "a")
    assert failed(engine, taken(engine), Failure("坏了", LATER, maybe=True))
    assert claim(engine, "slack", NOW) is None
    assert next_due(engine, "slack") == LATER
    again = taken(engine, LATER)
    assert (again.attempts, again.doubtful) == (1, True)
    assert failed(engine, again, Failure("busy", LATER, counted=False))
    certain = taken(engine, LATER)
    assert (certain.attempts, certain.doubtful) == (1, False)
    assert failed(engine, certain, Failure("no such channel", None))
    assert state(engine, "a") == ("dead", 2, "no such channel")
    assert claim(engine, "slack", LATER) is None
    assert next_due(engine, "slack") is None
    assert retry(engine, "a", NOW)
    assert taken(engine).attempts == 0
    assert not retry(engine, "a", NOW), "somebody is sending it"
    assert not retry(engine, "b", NOW)


def test_a_letter_that_is_given_up_and_rewritten_gets_another_chance(engine: sa.Engine) -> None:
    fill(engine, "a")
    one = taken(engine)
    with writing(engine, None) as con:
        put(con, [Letter("a", "slack", "C0", Message("newer"))], NOW)
    assert failed(engine, one, Failure("refused", None))
    assert taken(engine).message.title == "newer"


def test_what_belongs_under_another_waits_until_that_is_there_or_given_up(engine: sa.Engine) -> None:
    fill(engine, "a<z", "b<gone", "z", now=NOW)
    parent = [taken(engine), taken(engine)]
    assert [one.key for one in parent] == ["b", "z"]
    assert claim(engine, "slack", NOW) is None
    sent(engine, parent[1], "C0/7", {}, NOW)
    assert taken(engine).parent == "C0/7"
    fill(engine, "c<y", "y")
    failed(engine, taken(engine), Failure("refused", None))
    assert taken(engine).key == "c", "alone, for its parent is dead"


def test_a_channel_that_rests_is_left_alone_and_so_is_one_address_of_many(engine: sa.Engine) -> None:
    fill(engine, "a", channel="webhook", address="OPS")
    fill(engine, "b", channel="webhook", address="SHOP")
    fill(engine, "c")
    channel_health.failed(engine, "webhook:OPS", "gone", NOW)
    channel_health.pause(engine, "slack", LATER, "slowly", NOW)
    assert due_channels(engine, NOW) == ["webhook"]
    assert taken(engine, channel="webhook").key == "b"
    assert claim(engine, "webhook", NOW) is None
    assert next_due(engine, "webhook") == NOW + timedelta(seconds=10)
    assert next_due(engine, "slack") == LATER
    assert taken(engine, LATER, "webhook").key == "a"


def test_a_success_mends_the_channel_but_a_skipped_edition_proves_nothing(engine: sa.Engine) -> None:
    fill(engine, "a", "b")
    channel_health.failed(engine, "slack", "gone", NOW)
    sent(engine, taken(engine, LATER), None, {}, LATER, proved=False)
    assert [way.failures for way in channel_health.ways(engine)] == [1]
    sent(engine, taken(engine, LATER), None, {}, LATER)
    assert [way.failures for way in channel_health.ways(engine)] == [0]


def test_many_at_once_share_the_letters_and_no_two_have_the_same(engine: sa.Engine, ops_url: str, crowd: Any) -> None:
    fill(engine, *[f"INC-{n}" for n in range(60)])
    code = """
        from datetime import UTC, datetime
        from metrics_catalog.ops.claims import claim, sent
        from metrics_catalog.ops.store import open_store
        engine = open_store(given[0])
        # together
        while (one := claim(engine, "slack", datetime.now(UTC))) is not None:
            print(one.key)
            assert sent(engine, one, None, {}, datetime.now(UTC))
    """
    ended = crowd.run(code, ops_url, count=3)
    assert [one.returncode for one in ended] == [0] * 3, "\n".join(one.stderr for one in ended)
    found = Counter(key for one in ended for key in one.stdout.split())
    assert len(found) == 60
    assert set(found.values()) == {1}


def test_letters_are_listed_for_people(engine: sa.Engine) -> None:
    fill(engine, "request/CR-1/li", "request/CR-1/wei", "requests", "INC_1")
    assert keys(engine, "request/") == {"request/CR-1/li", "request/CR-1/wei"}
    assert keys(engine, "INC%") == set()
    one = taken(engine)
    sent(engine, one, None, {}, NOW)
    assert one.key not in {kept.key for kept in letters(engine)}
    assert len(letters(engine, everything=True)) == 4


def test_a_letter_that_was_dropped_is_over_with_all_that_comes_under_it(engine: sa.Engine) -> None:
    fill(engine, "a", "b<a", "c")
    assert failed(engine, taken(engine), Failure("no such channel", None))
    assert given_up(engine) == {"slack:C0": {"a": "no such channel"}}
    assert unsent(engine, ["a"])
    assert claims.drop(engine, "a")
    assert not claims.drop(engine, "a")
    assert not unsent(engine, ["a", "b"])
    assert given_up(engine) == {}
    with writing(engine, None) as con:
        put(con, [Letter("a", "slack", "C0", Message("更新", severity=1))], LATER)
        put(con, [Letter("d", "slack", "C0", Message("补充"), "a")], LATER)
    assert [state(engine, key)[0] for key in "abcd"] == ["dropped", "dropped", "waiting", "dropped"]
    assert [one.key for one in letters(engine)] == ["c"]
