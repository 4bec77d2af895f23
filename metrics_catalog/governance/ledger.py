"""The ledger: events in order, each with the hash of all before it. Appends and reads; judges nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from metrics_catalog.ops.store import reading, writing
from metrics_catalog.ops.tables import ledger as table

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

GENESIS = "0" * 64
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Moved(Exception):
    """Somebody else wrote since it was read; read again and decide again."""


@dataclass(frozen=True)
class Event:
    """What happened to a ``subject`` (``metric/net_sales``, ``policy``, ``request/3``), by whom; ``data`` is JSON."""

    kind: str
    subject: str
    actor: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Head:
    """The last event: its number, hash and time."""

    seq: int = 0
    hash: str = GENESIS
    at: datetime = _BEGINNING


@dataclass(frozen=True)
class Entry:
    """An event as it stands in the ledger. ``at`` is UTC and never before that of the entry before."""

    seq: int
    at: datetime
    event: Event
    hash: str


@dataclass(frozen=True)
class Fault:
    """An entry that is not what was written, and how one sees it."""

    seq: int
    message: str

    def __str__(self) -> str:
        return f"ledger:{self.seq} {self.message}"


class Damaged(Exception):
    """The ledger is not what was written, so nothing in it counts; carries every fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        shown = "\n".join(str(fault) for fault in faults)
        super().__init__(f"the ledger was changed from outside; restore it from a backup\n{shown}")


class Lost(Exception):
    """Values were published under a ledger that is not there any more; nothing is published until it is."""


class Ledger:
    """The ledger in an ops store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def entries(self, after: Head | None = None) -> list[Entry]:
        """Every entry, oldest first, or those behind one that was read before.

        Raises `OpsUnavailable`, and `Damaged` when the chain does not hold.
        """
        after = after or Head()
        rows = self._rows(after.seq)
        if after.seq and (not rows or (rows[0]["seq"], rows[0]["hash"]) != (after.seq, after.hash)):
            raise Damaged([Fault(after.seq, "is not the entry that was read before")])
        rows = rows[1:] if after.seq else rows
        if faults := list(_broken(rows, after)):
            raise Damaged(faults)
        return [_entry(row) for row in rows]

    def newest(self, *kinds: str) -> int:
        """Number of the last entry of these kinds, 0 when there is none. Reads nothing else."""
        query = sa.select(sa.func.max(table.c.seq)).where(table.c.kind.in_(kinds))
        with reading(self._engine) as con:
            return con.execute(query).scalar() or 0

    def must_hold(self, anchor: Head) -> None:
        """Raise `Lost` unless an entry that values were published under is still there."""
        query = sa.select(table.c.hash).where(table.c.seq == anchor.seq)
        with reading(self._engine) as con:
            found = con.execute(query).scalar()
        if found != anchor.hash:
            lost = f"entry {anchor.seq} of the ledger, under which values were published, is not there"
            raise Lost(f"{lost}; restore the ops store from a backup")

    def append(self, head: Head, events: Sequence[Event], now: datetime) -> list[Entry]:
        """Add events behind ``head``, all or none. Raises `Moved` when it is no longer the last, `OpsUnavailable`."""
        try:
            with writing(self._engine) as con:
                if _last(con) != (head.seq, head.hash):
                    raise Moved
                added = list(_chained(head, events, max(now.astimezone(UTC), head.at)))
                con.execute(table.insert(), added)
        except IntegrityError:
            raise Moved from None
        return [_entry(row) for row in added]

    def verify(self, anchors: Iterable[Head] = ()) -> list[Fault]:
        """Entries that were edited, removed or put in; ``anchors``: entries that something else has seen."""
        rows = self._rows()
        return [*_broken(rows), *_unseen(rows, anchors)]

    def _rows(self, first: int = 0) -> list[Mapping[str, Any]]:
        query = sa.select(table).order_by(table.c.seq)
        with reading(self._engine) as con:
            found = con.execute(query.where(table.c.seq >= first) if first else query)
            return [dict(row) for row in found.mappings()]


def _chained(head: Head, events: Sequence[Event], at: datetime) -> Iterator[dict[str, Any]]:
    previous = head.hash
    for number, event in enumerate(events, start=head.seq + 1):
        data = json.dumps(event.data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        row = {"seq": number, "at": at.isoformat(), "kind": event.kind, "subject": event.subject}
        row |= {"actor": event.actor, "data": data, "previous": previous}
        previous = _hash(row)
        yield {**row, "hash": previous}


def _hash(row: Mapping[str, Any]) -> str:
    """Of everything a row says, and so of all rows before it."""
    parts = [row[name] for name in ("seq", "at", "kind", "subject", "actor", "data", "previous")]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _broken(rows: Sequence[Mapping[str, Any]], after: Head | None = None) -> Iterator[Fault]:
    previous, expected = (GENESIS, 1) if after is None else (after.hash, after.seq + 1)
    for row in rows:
        if row["seq"] < 1:
            yield Fault(row["seq"], "was put in: the first one is 1")
            continue
        if row["seq"] != expected:
            yield Fault(expected, f"is missing: the next one is {row['seq']}")
        elif row["previous"] != previous:
            yield Fault(row["seq"], "does not follow the entry before it: one of the two was changed")
        if _hash(row) != row["hash"]:
            yield Fault(row["seq"], f"was changed after it was written ({row['kind']} of {row['subject']})")
        previous, expected = row["hash"], row["seq"] + 1


def _unseen(rows: Sequence[Mapping[str, Any]], anchors: Iterable[Head]) -> Iterator[Fault]:
    hashes = {row["seq"]: row["hash"] for row in rows}
    for one in sorted(set(anchors), key=lambda head: head.seq):
        if one.seq and hashes.get(one.seq) != one.hash:
            yield Fault(one.seq, "is not the entry that values were published under")


def _last(con: Connection) -> tuple[int, str]:
    row = con.execute(sa.select(table.c.seq, table.c.hash).order_by(table.c.seq.desc()).limit(1)).first()
    return (0, GENESIS) if row is None else (row.seq, row.hash)


def _entry(row: Mapping[str, Any]) -> Entry:
    event = Event(row["kind"], row["subject"], row["actor"], json.loads(row["data"]))
    return Entry(row["seq"], datetime.fromisoformat(row["at"]), event, row["hash"])
