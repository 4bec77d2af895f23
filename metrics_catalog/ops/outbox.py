"""What is to be told: letters are put in beside the record they come from, and sent by whoever drains the box."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from metrics_catalog.message import Letter
from metrics_catalog.ops.tables import outbox
from metrics_catalog.ops.times import stamp

if TYPE_CHECKING:
    from sqlalchemy import Connection


def put(con: Connection, letters: Iterable[Letter], now: datetime) -> int:
    """Put letters in, in the transaction of ``con``; returns how many are new or a new edition.

    A letter that is there already with the same message is left alone, so putting it twice sends it once. One that was
    dropped stays so, and so does what comes under it.
    """
    at = stamp(now)
    # In one order, so that two who put the same letters never wait for each other.
    return sum(_put(con, letter, at) for letter in sorted(letters, key=lambda one: one.key))


def _put(con: Connection, letter: Letter, at: str) -> bool:
    message = json.dumps(letter.message.as_json(), ensure_ascii=False, sort_keys=True)
    if _insert(con, letter, message, at):
        return True
    # Locked: whoever sends it right now would else be overwritten with what is no longer so.
    known = con.execute(sa.select(outbox).where(outbox.c.key == letter.key).with_for_update()).one()
    if known.message == message:
        return False
    # Whoever holds it sees that the edition grew.
    state = known.state if known.state in ("claimed", "dropped") else "waiting"
    changed = {"message": message, "edition": known.edition + 1, "state": state, "attempts": 0, "next_at": at}
    con.execute(sa.update(outbox).where(outbox.c.key == letter.key).values(**changed))
    return True


def _insert(con: Connection, letter: Letter, message: str, at: str) -> bool:
    row: dict[str, Any] = {"key": letter.key, "channel": letter.channel, "address": letter.address}
    row |= {"parent": letter.parent, "message": message, "edition": 1, "sent_edition": 0, "doubtful": 0}
    row |= {"state": _first_state(con, letter.parent), "attempts": 0, "next_at": at, "created_at": at}
    insert = postgresql.insert if con.dialect.name == "postgresql" else sqlite.insert
    return con.execute(insert(outbox).values(**row).on_conflict_do_nothing()).rowcount == 1


def _first_state(con: Connection, parent: str | None) -> str:
    above = None if parent is None else con.execute(sa.select(outbox.c.state).where(outbox.c.key == parent)).scalar()
    return "dropped" if above == "dropped" else "waiting"
