"""What is to be told: letters are put in beside the record they come from, and sent by whoever drains the box."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from metrics_catalog.message import Letter
from metrics_catalog.ops.tables import outbox

if TYPE_CHECKING:
    from sqlalchemy import Connection


def put(con: Connection, letters: Iterable[Letter], now: datetime) -> int:
    """Put letters in, in the transaction of ``con``; returns how many are new or a new edition.

    A letter that is there already with the same message is left alone, so putting it twice sends it once.
    """
    at = now.astimezone(UTC).isoformat(timespec="milliseconds")
    return sum(_put(con, letter, at) for letter in letters)


def _put(con: Connection, letter: Letter, at: str) -> bool:
    message = json.dumps(letter.message.as_json(), ensure_ascii=False, sort_keys=True)
    known = con.execute(sa.select(outbox).where(outbox.c.key == letter.key)).first()
    if known is None:
        row = {"key": letter.key, "channel": letter.channel, "address": letter.address, "parent": letter.parent}
        new = {"edition": 1, "sent_edition": 0, "state": "waiting", "attempts": 0, "next_at": at, "created_at": at}
        con.execute(sa.insert(outbox).values(**row, **new, message=message))
        return True
    if known.message == message:
        return False
    state = "claimed" if known.state == "claimed" else "waiting"  # whoever holds it sees that the edition grew
    changed = {"message": message, "edition": known.edition + 1, "state": state, "attempts": 0, "next_at": at}
    con.execute(sa.update(outbox).where(outbox.c.key == letter.key).values(**changed))
    return True
