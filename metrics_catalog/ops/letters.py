"""What is in the outbox, for people to look at. Reads only."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metrics_catalog.ops.store import reading
from metrics_catalog.ops.tables import outbox

if TYPE_CHECKING:
    from sqlalchemy import Engine

OVER = ("sent", "dropped")  # states in which nothing is to be done about a letter


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
    """Letters that wait or were given up, oldest first; ``everything``: the others too. Raises `OpsUnavailable`."""
    query = sa.select(outbox).order_by(outbox.c.created_at, outbox.c.key)
    if not everything:
        query = query.where(outbox.c.state.not_in(OVER))
    with reading(engine) as con:
        return [_kept(row) for row in con.execute(query)]


def given_up(engine: Engine) -> dict[str, dict[str, str]]:
    """Letters that were given up, by ``channel:address``: why, by key, oldest first. Raises `OpsUnavailable`."""
    columns = (outbox.c.channel, outbox.c.address, outbox.c.key, outbox.c.error)
    query = sa.select(*columns).where(outbox.c.state == "dead").order_by(outbox.c.created_at, outbox.c.key)
    found: dict[str, dict[str, str]] = {}
    with reading(engine) as con:
        for row in con.execute(query):
            found.setdefault(f"{row.channel}:{row.address}", {})[row.key] = row.error or ""
    return found


def unsent(engine: Engine, keys: Collection[str]) -> bool:
    """Whether any of these letters is neither sent nor dropped. Raises `OpsUnavailable`."""
    query = sa.select(outbox.c.key).where(outbox.c.key.in_(keys), outbox.c.state.not_in(OVER)).limit(1)
    with reading(engine) as con:
        return con.execute(query).first() is not None


def keys(engine: Engine, prefix: str) -> set[str]:
    """Keys of all letters that begin so. Raises `OpsUnavailable`."""
    query = sa.select(outbox.c.key).where(outbox.c.key.startswith(prefix, autoescape=True))
    with reading(engine) as con:
        return set(con.execute(query).scalars())


def _kept(row: Any) -> Kept:
    title = json.loads(row.message)["title"]
    numbers = (row.edition, row.sent_edition, row.attempts)
    return Kept(row.key, row.channel, row.address, row.state, *numbers, title, row.error, row.created_at, row.sent_at)
