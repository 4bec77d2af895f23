"""Decisions as kept in the ops store: recorded, amended, done, dropped, measured. Decides nothing itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from metrics_catalog.decisions.expected import Expected
from metrics_catalog.ops.store import reading
from metrics_catalog.ops.tables import decision_events, decisions
from metrics_catalog.ops.times import stamp

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

State = Literal["open", "done", "measured", "dropped"]
UNFINISHED: tuple[State, ...] = ("open", "done")


@dataclass(frozen=True)
class Decision:
    """One decision. ``since``: the first day its effect may show. ``number`` 0: not recorded yet.

    ``open``: the action is to be taken; ``done``: it was taken; ``measured``: its effect is known, see ``outcome``.
    """

    number: int
    metric: str
    owner: str
    action: str
    expected: Expected
    due: date
    since: date
    opened_at: datetime
    author: str
    cause: str = ""
    incident: int | None = None
    state: State = "open"
    closed_at: datetime | None = None
    outcome: Mapping[str, Any] | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """How people call it."""
        return f"D-{self.number}"

    @property
    def is_open(self) -> bool:
        """Whether its outcome is still to come."""
        return self.state in UNFINISHED

    def as_json(self) -> dict[str, Any]:
        """Plain data for other programs."""
        return {"decision": self.name, **vars(self), "expected": self.expected.as_json()}


@dataclass(frozen=True)
class Happened:
    """One thing that happened to a decision."""

    at: datetime
    kind: str
    actor: str
    data: Mapping[str, Any] = field(default_factory=dict)


def add(con: Connection, decision: Decision) -> Decision:
    """Record a new decision in the transaction of ``con``, which has the table to itself; it gets its number."""
    number = (con.execute(sa.select(sa.func.max(decisions.c.number))).scalar() or 0) + 1
    made = replace(decision, number=number)
    con.execute(sa.insert(decisions).values(**_row(made)))
    happened(con, made, "opened", made.author, made.opened_at, {"action": made.action, "cause": made.cause})
    return made


def change(
    con: Connection, new: Decision, kind: str, actor: str, at: datetime, data: Mapping[str, Any] | None = None
) -> None:
    """Keep what became of a decision, in the transaction of ``con``."""
    con.execute(sa.update(decisions).where(decisions.c.number == new.number).values(**_row(new)))
    happened(con, new, kind, actor, at, data or {})


def happened(con: Connection, decision: Decision, kind: str, actor: str, at: datetime, data: Mapping[str, Any]) -> None:
    """Keep that something happened, in the transaction of ``con``."""
    row = {"decision": decision.number, "at": stamp(at), "kind": kind, "actor": actor}
    con.execute(sa.insert(decision_events).values(**row, data=json.dumps(data, ensure_ascii=False, default=str)))


def find(con: Connection, number: int) -> Decision | None:
    """A decision by number."""
    row = con.execute(sa.select(decisions).where(decisions.c.number == number)).first()
    return None if row is None else _read(row)


def found_open(con: Connection, metric: str) -> list[Decision]:
    """Decisions about a metric whose outcome is still to come."""
    query = sa.select(decisions).where(decisions.c.metric == metric, decisions.c.state.in_(UNFINISHED))
    return [_read(row) for row in con.execute(query)]


def listed(
    engine: Engine,
    states: Sequence[State] = (),
    metric: str | None = None,
    owners: Sequence[str] = (),
    incident: int | None = None,
) -> list[Decision]:
    """Decisions, oldest first; of some states, a metric, owners, an incident, or all. Raises `OpsUnavailable`."""
    query = sa.select(decisions).order_by(decisions.c.number)
    wanted = {"metric": metric, "incident": incident}
    query = query.where(*(decisions.c[name] == value for name, value in wanted.items() if value is not None))
    query = query.where(decisions.c.state.in_(states)) if states else query
    query = query.where(decisions.c.owner.in_(owners)) if owners else query
    with reading(engine) as con:
        return [_read(row) for row in con.execute(query)]


def events(engine: Engine, number: int) -> list[Happened]:
    """What happened to a decision, oldest first. Raises `OpsUnavailable`."""
    query = sa.select(decision_events).where(decision_events.c.decision == number).order_by(decision_events.c.seq)
    with reading(engine) as con:
        return [
            Happened(datetime.fromisoformat(row.at), row.kind, row.actor, json.loads(row.data))
            for row in con.execute(query)
        ]


def _row(one: Decision) -> dict[str, Any]:
    kept = ("action", "cause", "author", "note", "outcome")
    data = {name: getattr(one, name) for name in kept} | {"expected": one.expected.as_json(), "since": one.since}
    return {
        "number": one.number,
        "state": one.state,
        "metric": one.metric,
        "owner": one.owner,
        "incident": one.incident,
        "due": one.due.isoformat(),
        "opened_at": stamp(one.opened_at),
        "closed_at": None if one.closed_at is None else stamp(one.closed_at),
        "data": json.dumps(data, ensure_ascii=False, default=str),
    }


def _read(row: Any) -> Decision:
    data = json.loads(row.data)
    return Decision(
        number=row.number,
        metric=row.metric,
        owner=row.owner,
        incident=row.incident,
        state=row.state,
        due=date.fromisoformat(row.due),
        opened_at=datetime.fromisoformat(row.opened_at),
        closed_at=None if row.closed_at is None else datetime.fromisoformat(row.closed_at),
        expected=Expected.read(data.pop("expected")),
        since=date.fromisoformat(data.pop("since")),
        **data,
    )
