"""What is in the outbox, for people to look at. Reads only."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metrics_catalog.ops.store import reading
from metrics_catalog.ops.tables import outbox

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True)
class Kept:
    """A letter and how far it came. Times are ISO, UTC."""

    key: str
    channel: str
    address: str
    state: str
    edition: int
    sent_edition: int
    attempts: int
    title: str
    error: str | None
    created_at: str
    sent_at: str | None

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def letters(engine: Engine, everything: bool = False) -> list[Kept]:
    """Letters that wait or were given up, oldest first; ``everything``: also what was sent. Raises `OpsUnavailable`."""
    query = sa.select(outbox).order_by(outbox.c.created_at, outbox.c.key)
    if not everything:
        query = query.where(outbox.c.state != "sent")
    with reading(engine) as con:
        return [_kept(row) for row in con.execute(query)]


def keys(engine: Engine, prefix: str) -> set[str]:
    """Keys of all letters that begin so. Raises `OpsUnavailable`."""
    query = sa.select(outbox.c.key).where(outbox.c.key.startswith(prefix, autoescape=True))
    with reading(engine) as con:
        return set(con.execute(query).scalars())


def _kept(row: Any) -> Kept:
    title = json.loads(row.message)["title"]
    numbers = (row.edition, row.sent_edition, row.attempts)
    return Kept(row.key, row.channel, row.address, row.state, *numbers, title, row.error, row.created_at, row.sent_at)
