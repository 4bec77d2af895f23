"""Who sends which letter of the outbox: claimed by one, then marked. Knows no channel.

A letter is claimed in a transaction before anything is sent and marked in one afterwards. Who dies in between leaves it
claimed; after `LEASE` another takes it over, told that it is ``doubtful``: it may have arrived.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa

from metrics_catalog.message import Message
from metrics_catalog.ops.store import reading, writing
from metrics_catalog.ops.tables import channel_health as health
from metrics_catalog.ops.tables import outbox
from metrics_catalog.ops.times import stamp

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine

LEASE = timedelta(minutes=3)  # longer than all requests of one letter can take, and than clocks differ


@dataclass(frozen=True)
class Claim:
    """A letter that is ours to send, as it was when we took it.

    ``parent``: the name at the channel of the message it belongs under. ``attempts``: how often it failed before.
    """

    key: str
    channel: str
    address: str
    message: Message
    edition: int
    sent_edition: int
    attempts: int
    since: datetime
    doubtful: bool
    external: str | None = None
    parent: str | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    token: str = ""


@dataclass(frozen=True)
class Failure:
    """How sending failed. ``maybe``: it may have arrived all the same. ``again``: when to try again, None: never.

    ``counted``: whether it was the letter's own fault.
    """

    error: str
    again: datetime | None
    maybe: bool = False
    counted: bool = True


def claim(engine: Engine, channel: str, now: datetime, lease: timedelta = LEASE) -> Claim | None:
    """Take the letter of a channel that is due longest, for as long as the lease; None when there is none.

    Letters under one that was not sent yet wait for it, and those of a channel that is paused for its end.
    """
    due = _due(stamp(now), stamp(now - lease))
    wanted = sa.select(outbox).where(outbox.c.channel == channel, due, ~_behind_parent(), ~_paused(stamp(now)))
    wanted = wanted.order_by(outbox.c.next_at, outbox.c.key).limit(1).with_for_update(skip_locked=True)
    token = uuid4().hex
    with writing(engine, None) as con:
        row = con.execute(wanted).first()
        if row is None:
            return None
        taken = {"state": "claimed", "claimed_by": token, "claimed_at": stamp(now), "doubtful": 1}
        con.execute(sa.update(outbox).where(outbox.c.key == row.key).values(**taken))
        parent = con.execute(sa.select(outbox.c.external).where(outbox.c.key == row.parent)).scalar()
    return _claimed(row, parent, token)


def sent(
    engine: Engine, one: Claim, external: str | None, memory: Mapping[str, Any], now: datetime, proved: bool = True
) -> bool:
    """Mark a claim as delivered, and (``proved``) its channel as working; False when somebody took it over."""
    grown = outbox.c.edition > one.edition
    done = {"sent_edition": one.edition, "sent_at": stamp(now), "external": external, "memory": _json(memory)}
    done |= {"state": sa.case((grown, "waiting"), else_="sent"), "next_at": stamp(now), "attempts": 0, "error": None}
    ways = {"failures": 0, "until": "", "error": ""}
    with writing(engine, None) as con:
        ours = con.execute(sa.update(outbox).where(_mine(one)).values(**done, **_released(doubtful=0))).rowcount == 1
        if proved:
            broken = health.c.name.in_(_ways(one.channel, one.address)) & (health.c.failures > 0)
            con.execute(sa.update(health).where(broken).values(**ways))
    return ours


def failed(engine: Engine, one: Claim, why: Failure) -> bool:
    """Give a claim back, to be tried again or, unless it changed meanwhile, never; False when it is no longer ours."""
    grown = outbox.c.edition > one.edition
    back = {"error": why.error, "attempts": outbox.c.attempts + int(why.counted)}
    if why.again is None:
        back |= {"state": sa.case((grown, "waiting"), else_="dead")}
    else:
        back |= {"state": "waiting", "next_at": stamp(why.again)}
    with writing(engine, None) as con:
        given = sa.update(outbox).where(_mine(one)).values(**back, **_released(doubtful=int(why.maybe)))
        return con.execute(given).rowcount == 1


def keep(engine: Engine, one: Claim, external: str | None, memory: Mapping[str, Any]) -> None:
    """Keep what was reached so far, should we die before the rest is done."""
    with writing(engine, None) as con:
        con.execute(sa.update(outbox).where(_mine(one)).values(external=external, memory=_json(memory)))


def retry(engine: Engine, key: str, now: datetime) -> bool:
    """Try a dead or waiting letter again at once; False when there is none."""
    again = {"state": "waiting", "attempts": 0, "next_at": stamp(now)}
    dormant = outbox.c.state.in_(("dead", "waiting"))
    with writing(engine, None) as con:
        return con.execute(sa.update(outbox).where(outbox.c.key == key, dormant).values(**again)).rowcount == 1


def drop(engine: Engine, key: str) -> bool:
    """Never send a dead or waiting letter, nor what belongs under it; False when there is none."""
    dormant = outbox.c.state.in_(("dead", "waiting"))
    with writing(engine, None) as con:
        dropped = sa.update(outbox).where(outbox.c.key == key, dormant).values(state="dropped")
        if con.execute(dropped).rowcount == 0:
            return False
        con.execute(sa.update(outbox).where(outbox.c.parent == key, dormant).values(state="dropped"))
    return True


def due_channels(engine: Engine, now: datetime, lease: timedelta = LEASE) -> list[str]:
    """Channels that have something to send now. One cheap query."""
    due = _due(stamp(now), stamp(now - lease))
    query = sa.select(outbox.c.channel).where(due, ~_behind_parent(), ~_paused(stamp(now)))
    with reading(engine) as con:
        return sorted(con.execute(query.distinct()).scalars())


def pending_channels(engine: Engine) -> list[str]:
    """Channels that have anything to send, now or later. Raises `OpsUnavailable`."""
    pending = outbox.c.state.in_(("waiting", "claimed"))
    with reading(engine) as con:
        return sorted(con.execute(sa.select(outbox.c.channel).where(pending).distinct()).scalars())


def next_due(engine: Engine, channel: str, lease: timedelta = LEASE) -> datetime | None:
    """When the next letter of a channel can be sent, which may be past; None: nothing waits."""
    first = sa.func.min(sa.case((outbox.c.state == "waiting", outbox.c.next_at), else_=outbox.c.claimed_at))
    query = sa.select(outbox.c.address, outbox.c.state, first).group_by(outbox.c.address, outbox.c.state)
    pending = outbox.c.state.in_(("waiting", "claimed"))
    with reading(engine) as con:
        rows = con.execute(query.where(outbox.c.channel == channel, pending, ~_behind_parent())).all()
        pauses = {row.name: row.until for row in con.execute(sa.select(health)) if row.until}
    times = []
    for address, state, at in rows:
        due = datetime.fromisoformat(at) + (lease if state == "claimed" else timedelta())
        paused = [datetime.fromisoformat(pauses[way]) for way in _ways(channel, address) if way in pauses]
        times.append(max([due, *paused]))
    return min(times, default=None)


def _due(now: str, expired: str) -> ColumnElement[bool]:
    waiting = (outbox.c.state == "waiting") & (outbox.c.next_at <= now)
    return waiting | ((outbox.c.state == "claimed") & (outbox.c.claimed_at <= expired))


def _behind_parent() -> ColumnElement[bool]:
    above = outbox.alias("above")
    pending = above.c.state.in_(("waiting", "claimed")) & (above.c.sent_edition == 0)
    return sa.exists().where(above.c.key == outbox.c.parent, pending)


def _paused(now: str) -> ColumnElement[bool]:
    own = outbox.c.channel + sa.literal(":") + outbox.c.address
    return sa.exists().where(health.c.name.in_([outbox.c.channel, own]), health.c.until > now)


def _mine(one: Claim) -> ColumnElement[bool]:
    return (outbox.c.key == one.key) & (outbox.c.state == "claimed") & (outbox.c.claimed_by == one.token)


def _released(doubtful: int) -> dict[str, Any]:
    return {"claimed_by": None, "claimed_at": None, "doubtful": doubtful}


def _ways(channel: str, address: str) -> tuple[str, str]:
    return channel, f"{channel}:{address}"


def _json(memory: Mapping[str, Any]) -> str:
    return json.dumps(memory, ensure_ascii=False, sort_keys=True)


def _claimed(row: Any, parent: str | None, token: str) -> Claim:
    return Claim(
        row.key,
        row.channel,
        row.address,
        Message.read(json.loads(row.message)),
        row.edition,
        row.sent_edition,
        row.attempts,
        datetime.fromisoformat(row.created_at),
        bool(row.doubtful),
        row.external,
        parent,
        json.loads(row.memory or "{}"),
        token,
    )
