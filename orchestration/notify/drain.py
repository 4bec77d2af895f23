"""Claim, send, mark: empties the outbox, each channel by itself, so that a dead one holds up nobody.

Any number of drains may run at once and die anywhere; see `metrics_catalog.ops.claims`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from metrics_catalog.ops import channel_health, claims
from metrics_catalog.ops.claims import Claim, Failure
from orchestration.notify.delivery import (
    Busy,
    Channel,
    Delivery,
    Down,
    NotSent,
    Overtaken,
    Receipt,
    Refused,
    said,
    worth_another,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

ATTEMPTS = 8  # then a letter that fails by its own fault is dead: half an hour after the first
_FIRST, _LONGEST = timedelta(seconds=5), timedelta(minutes=15)
_GRACE_SECONDS = 15  # for a request that is under way when the time is over

Open = Callable[[str, str], Channel]  # channel and address -> the way there; raises `NotSent`


@dataclass
class Drained:
    """What a drain did: letters sent, put off, given up. ``unfinished``: channels that were still at it in the end."""

    counts: Counter[str] = field(default_factory=Counter)
    unfinished: list[str] = field(default_factory=list)
    _troubles: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def errors(self) -> dict[str, str]:
        """The last error of each channel that something was not sent for."""
        return {channel: error for (channel, _), error in self._troubles.items()}

    def note(self, channel: str, key: str, outcome: str, error: str | None) -> None:
        """What became of a letter; what went wrong before counts no more."""
        self._troubles.pop((channel, key), None)
        if outcome:
            self.counts[outcome] += 1
        if error:
            self._troubles[channel, key] = error

    @property
    def sent(self) -> int:
        """Letters delivered."""
        return self.counts["sent"]

    def add(self, other: Drained) -> None:
        """What another drain did after this one."""
        self.counts += other.counts
        self._troubles |= other._troubles
        self.unfinished += other.unfinished

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        counts = {name: self.counts[name] for name in ("sent", "unchanged", "later", "dead")}
        return {**counts, "errors": self.errors, "unfinished": self.unfinished}


@dataclass(frozen=True)
class Drain:
    """How to empty the outbox ``engine`` holds, through the channels that ``reach`` opens.

    ``patience``: seconds to wait for a letter that is not due yet, or a channel that asked to be left alone.
    """

    engine: Engine
    reach: Open
    lease: timedelta = claims.LEASE
    patience: float = 3.0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def run(self, seconds: float, stop: Event | None = None) -> Drained:
        """Send what is due, and what is within `patience`. Ends when there is no such thing or the time is over.

        Raises `OpsUnavailable` when the outbox cannot be read.
        """
        done, lock, stop = Drained(), Lock(), stop or Event()
        channels = claims.pending_channels(self.engine)
        deadline = time.monotonic() + seconds
        # Threads of their own, not a pool: one that hangs must not keep the process from ending.
        work: dict[str, Any] = {"target": self._channel, "daemon": True}
        threads = {name: Thread(args=(name, deadline, stop, done, lock), **work) for name in channels}
        for thread in threads.values():
            thread.start()
        for name, thread in threads.items():
            thread.join(max(deadline + _GRACE_SECONDS - time.monotonic(), 0))
            if thread.is_alive():
                done.unfinished.append(name)
        return done

    def _channel(self, name: str, deadline: float, stop: Event, done: Drained, lock: Lock) -> None:
        try:
            while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
                one = claims.claim(self.engine, name, self.clock(), self.lease)
                if one is not None:
                    outcome, error = self._deliver(one)
                    with lock:
                        done.note(name, one.key, outcome, error)
                    continue
                due = claims.next_due(self.engine, name, self.lease)
                wait = None if due is None else (due - self.clock()).total_seconds()
                if wait is None or wait > min(left, self.patience):
                    return
                stop.wait(max(wait, 0.01))
        except Exception as error:  # of the ops store; the other channels go on
            with lock:
                done.note(name, "", "", str(error))

    def _deliver(self, one: Claim) -> tuple[str, str | None]:
        """Send one claimed letter and mark it; returns what became of it, and why when it was not sent."""
        try:
            channel = self.reach(one.channel, one.address)
            delivery = self._delivery(one)
            news = channel.edits or worth_another(delivery)
            receipt = channel.send(delivery) if news else Receipt(one.external, one.memory)
        except Overtaken as error:
            return "later", str(error)
        except Busy as error:  # that is how it should be
            return self._failed(one, error), None
        except Exception as error:  # a letter that breaks its format is put off like any other
            return self._failed(one, error), str(error)
        memory = {**receipt.memory, **(said(one.message) if news else {})}
        claims.sent(self.engine, one, receipt.external, memory, self.clock(), proved=news)
        return ("sent" if news else "unchanged"), None

    def _delivery(self, one: Claim) -> Delivery:
        taken = time.monotonic()

        def ours() -> None:
            if time.monotonic() - taken > self.lease.total_seconds() * 2 / 3:
                raise Overtaken(f"{one.key} took too long; whoever takes it over looks whether it arrived")

        return Delivery(
            one.key,
            one.address,
            one.message,
            one.edition,
            one.sent_edition,
            one.since,
            one.doubtful,
            one.external,
            one.parent,
            one.memory,
            keep=lambda external, memory: claims.keep(self.engine, one, external, memory),
            ours=ours,
        )

    def _failed(self, one: Claim, error: Exception) -> str:
        now, hopeless = self.clock(), False
        if isinstance(error, Down):
            # 1: others got through since the last failure, so it may be this letter that the server cannot take.
            hopeless = channel_health.failed(self.engine, self._way(one), str(error), now) > 1
        elif isinstance(error, Busy):
            channel_health.pause(self.engine, self._way(one), now + timedelta(seconds=error.seconds), str(error), now)
        why = _judged(one, error, now, hopeless)
        claims.failed(self.engine, one, why)
        return "dead" if why.again is None else "later"

    def _way(self, one: Claim) -> str:
        try:
            shared = self.reach(one.channel, one.address).shared
        except NotSent:  # not configured: for webhooks that is a matter of the address
            shared = one.channel in ("slack", "email")
        return one.channel if shared else f"{one.channel}:{one.address}"


def _judged(one: Claim, error: Exception, now: datetime, hopeless: bool) -> Failure:
    """What a failure means for the letter; ``hopeless``: nothing gets through, so it is not the letter's fault.

    What is no `NotSent` was not foreseen, so it may have arrived. A doubt that was there before stays.
    """
    foreseen = isinstance(error, NotSent)
    maybe = one.doubtful or not foreseen or error.maybe
    told = str(error) if foreseen else f"{type(error).__name__}: {error}"
    if isinstance(error, Busy):
        return Failure(told, now, maybe, counted=False)
    if isinstance(error, Refused) or (one.attempts + 1 >= ATTEMPTS and not hopeless):
        return Failure(told, None, maybe)
    if isinstance(error, Down):
        return Failure(told, now, maybe)  # the way itself rests; then it is the others' turn first
    return Failure(told, now + min(_FIRST * 3 ** min(one.attempts, 9), _LONGEST), maybe)
