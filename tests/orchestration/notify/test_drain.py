"""Emptying the outbox: poison, dead channels, and that neither holds up anybody else."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from metrics_catalog.catalog import Catalog
from metrics_catalog.governance import begun
from metrics_catalog.located import Document
from metrics_catalog.message import Letter
from metrics_catalog.monitoring.incidents import Incidents
from metrics_catalog.monitoring.platform_faults import known_faults
from metrics_catalog.ops import channel_health, claims
from metrics_catalog.semantic import Semantics
from metrics_catalog.spec.people import People, Person
from metrics_catalog.spec.policy import Policy
from orchestration.notify import drain as module
from orchestration.notify.delivery import Busy, Delivery, Down, Later, Receipt, Refused
from orchestration.notify.drain import ATTEMPTS, Drain, Drained
from orchestration.notify.formats.text import text
from orchestration.notify.outbox import drain
from orchestration.notify.watching import LETTERS, undelivered

if TYPE_CHECKING:
    from .conftest import Post

Make = Callable[..., Letter]


class Scripted:
    """A channel that does what the test says: ``answers`` by key, used up one after another; then it works."""

    edits = True
    shared = True

    def __init__(self, **answers: list[Any]) -> None:
        self.answers, self.sent = answers, list[Delivery]()

    def send(self, delivery: Delivery) -> Receipt:
        left = self.answers.get(delivery.key, [])
        answer = left.pop(0) if left else None
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer()
        self.sent.append(delivery)
        return Receipt(f"name of {delivery.key}")


@dataclass
class Clock:
    """A time that moves when it is told to."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


def run(box: sa.Engine, seconds: float = 5, clock: Callable[[], datetime] | None = None, **channels: Any) -> Drained:
    given: dict[str, Any] = {} if clock is None else {"clock": clock}
    return Drain(box, lambda name, address: channels[name], patience=0, **given).run(seconds)


def test_a_poisoned_letter_is_given_up_with_its_error_and_holds_up_nobody(
    post: Post, box: sa.Engine, letter: Make
) -> None:
    channel = Scripted(poison=[ValueError("cannot be shown")] * 100)
    post.put(letter("poison"), letter("good"))
    clock = Clock()
    waits = []
    for attempt in range(ATTEMPTS):
        done = run(box, clock=clock, slack=channel)
        row = post.rows()["poison"]
        assert row.state == ("dead" if attempt == ATTEMPTS - 1 else "waiting")
        waits.append((datetime.fromisoformat(row.next_at) - clock.now).total_seconds())
        assert "cannot be shown" in done.errors["slack"]
        clock.now += timedelta(hours=1)
    assert [one.key for one in channel.sent] == ["good"]
    assert waits[:5] == pytest.approx([5, 15, 45, 135, 405], abs=0.01)
    assert post.rows()["poison"].error == "ValueError: cannot be shown"
    assert post.rows()["poison"].doubtful == 1, "what was not foreseen may have arrived"


def test_one_letter_its_server_cannot_take_does_not_stop_the_channel(post: Post, box: sa.Engine, letter: Make) -> None:
    channel = Scripted(poison=[Down("500", maybe=True)] * 100)
    clock = Clock(datetime.now(UTC) + timedelta(hours=1))
    post.put(letter("poison"), *[letter(f"good-{n:02}") for n in range(ATTEMPTS)])
    for _ in range(3 * ATTEMPTS):
        run(box, clock=clock, slack=channel)
        post.put(letter(f"more-{clock.now}"))
        clock.now += timedelta(hours=1)
    assert post.rows()["poison"].state == "dead"
    assert sum(one.key.startswith("good") for one in channel.sent) == ATTEMPTS


def test_while_nothing_gets_through_no_letter_is_given_up(post: Post, box: sa.Engine, letter: Make) -> None:
    channel = Scripted(a=[Down("revoked")] * 50, b=[Down("revoked")] * 50)
    clock = Clock(datetime.now(UTC) + timedelta(hours=1))
    post.put(letter("a"), letter("b"))
    for _ in range(30):
        run(box, clock=clock, slack=channel)
        clock.now += timedelta(hours=1)
    assert {row.state for row in post.rows().values()} == {"waiting"}
    channel.answers.clear()
    assert run(box, clock=clock, slack=channel).sent == 2


def test_a_hanging_channel_costs_the_others_nothing(
    post: Post, box: sa.Engine, letter: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GRACE_SECONDS", 0.5)
    release, email = Event(), Scripted()
    slack = Scripted(hangs=[release.wait])
    post.put(letter("hangs"), letter("mail", channel="email", address="a@b.com"))
    begun = time.monotonic()
    done = run(box, 0.5, slack=slack, email=email)
    assert time.monotonic() - begun < 30
    assert [one.key for one in email.sent] == ["mail"]
    assert done.unfinished == ["slack"]
    release.set()


def test_who_took_too_long_does_not_send(post: Post, box: sa.Engine, letter: Make) -> None:
    class Slow(Scripted):
        def send(self, delivery: Delivery) -> Receipt:
            time.sleep(0.2)
            delivery.ours()
            return super().send(delivery)

    channel = Slow()
    post.put(letter("a"))
    drain = Drain(box, lambda name, address: channel, lease=timedelta(seconds=0.2), patience=0)
    assert "took too long" in drain.run(0.1).errors["slack"]
    assert not channel.sent
    assert post.rows()["a"].state == "claimed"


@pytest.mark.parametrize(
    ("error", "state", "attempts"),
    [
        (Refused("no such channel"), "dead", 1),
        (Later("mailbox is full"), "waiting", 1),
        (Down("no connection"), "waiting", 1),
        (Busy("slowly", 30), "waiting", 0),
    ],
)
def test_what_failed_says_whose_fault_it_is(
    post: Post, box: sa.Engine, letter: Make, error: Exception, state: str, attempts: int
) -> None:
    post.put(letter("a"))
    run(box, slack=Scripted(a=[error]))
    row = post.rows()["a"]
    assert (row.state, row.attempts, row.error, row.doubtful) == (state, attempts, str(error), 0)


@pytest.fixture
def local(post: Post, monkeypatch: pytest.MonkeyPatch) -> dict[str, Scripted]:
    """A project of an admin with two channels, each scripted; without files."""
    admin: dict[Any, str] = {"slack": "U0", "webhook": "OPS"}
    wei = Person(name="陈伟", email="w@x.com", language="zh", roles=("admin",), channels=admin)
    nothing = Document("", {}, {})
    people = People(departments={}, people={"wei": wei}, teams={})
    catalog = Catalog(post.settings.locate(), {}, Semantics({}), people, Policy(), nothing, nothing)
    channels = {"slack": Scripted(), "webhook": Scripted()}
    monkeypatch.setattr("metrics_catalog.governance.begun.official_catalog", lambda _: catalog)
    monkeypatch.setattr("orchestration.notify.channels.reached", lambda *_: lambda name, _: channels[name])
    monkeypatch.setattr(channel_health, "_SHORTEST", timedelta(seconds=0.05))
    return channels


def test_a_channel_that_is_down_is_an_incident_told_by_another_which_ends_by_itself(
    post: Post, letter: Make, local: dict[str, Scripted]
) -> None:
    slack, webhook = local["slack"], local["webhook"]
    slack.answers |= {f"INC-{n}": [Down("token_revoked")] * 50 for n in range(3)}
    post.put(*[letter(f"INC-{n}") for n in range(3)])
    drain(post.settings, 10, post.told.append)
    (told,) = webhook.sent
    assert told.address == "OPS"
    assert "slack 无法发送消息：token_revoked" in text(told.message)
    assert not told.message.closed
    slack.answers.clear()
    deadline = time.monotonic() + 60
    while len(slack.sent) < 3 and time.monotonic() < deadline:
        drain(post.settings, 10, post.told.append)
    assert sorted(one.key for one in slack.sent) == ["INC-0", "INC-1", "INC-2"]
    assert webhook.sent[-1].message.closed
    sent = len(webhook.sent)
    drain(post.settings, 10, post.told.append)
    assert len(webhook.sent) == sent


GONE = Refused("Slack refuses the message: channel_not_found", "channel_not_found")


def test_letters_that_are_given_up_are_an_incident_told_elsewhere_until_they_were_sent(
    post: Post, letter: Make, local: dict[str, Scripted]
) -> None:
    slack, webhook = local["slack"], local["webhook"]
    slack.answers |= {name: [GONE] for name in ("a", "b")}
    post.put(letter("a"), letter("b"), letter("c", address="C0OTHER"))
    drain(post.settings, 5, post.told.append)
    assert slack.sent[0].key == "c"
    line = "🟠 平台故障：发往 slack C0ALERTS 的消息无法送达，已放弃：Slack refuses the message: channel_not_found"
    assert [text(one.message).splitlines()[0] for one in slack.sent[1:]] == [line], "the admin's own address works"
    assert webhook.sent == []
    drain(post.settings, 5, post.told.append)
    assert len(slack.sent) == 2, "told once"
    claims.retry(post.box, "a", datetime.now(UTC))
    drain(post.settings, 5, post.told.append)
    assert not slack.sent[-1].message.closed, "one is left"
    assert claims.drop(post.box, "b")
    assert undelivered(post.settings.locate(), post.box)
    drain(post.settings, 5, post.told.append)
    last = [one for one in slack.sent if one.edition > 1][-1]
    assert last.message.closed
    assert not undelivered(post.settings.locate(), post.box)


def test_whoever_is_to_be_told_and_is_out_of_reach_too_is_told_elsewhere(
    post: Post, letter: Make, local: dict[str, Scripted]
) -> None:
    slack, webhook = local["slack"], local["webhook"]
    slack.answers |= {"a": [GONE]}
    post.put(letter("a", address="U0"))
    drain(post.settings, 5, post.told.append)
    assert slack.sent == []
    assert [one.address for one in webhook.sent] == ["OPS"]
    assert "发往 slack U0 的消息无法送达" in text(webhook.sent[0].message)


def test_what_somebody_said_is_known_opens_no_other_until_more_is_given_up(
    post: Post, letter: Make, local: dict[str, Scripted]
) -> None:
    slack, project = local["slack"], post.settings.locate()
    slack.answers |= {name: [GONE] for name in ("a", "b")}
    post.put(letter("a"))
    drain(post.settings, 5, post.told.append)
    (fault,) = known_faults(post.box, LETTERS).values()
    Incidents(post.box, begun.official_catalog(project), lambda: datetime.now(UTC)).resolve(fault.name, "wei", "other")
    assert not undelivered(project, post.box)
    post.put(letter("b"))
    drain(post.settings, 5, post.told.append)
    assert [one.number for one in known_faults(post.box, LETTERS).values()] == [fault.number + 1]
