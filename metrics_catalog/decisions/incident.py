"""What a decision needs to know of an incident, read from its row. Whoever opens incidents is not known here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metrics_catalog.decisions.expected import Members
from metrics_catalog.ops.tables import incidents
from metrics_catalog.ops.times import stamp

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Incident:
    """One row: ``cause`` and ``rule`` as its data names them, ``reason`` it was resolved with ("" while it is not)."""

    number: int
    key: str
    state: str
    severity: int
    metric: str | None
    assignee: str | None
    opened_at: datetime
    closed_at: datetime | None
    members: Members
    cause: str
    rule: str
    reason: str
    data: Mapping[str, Any]

    @property
    def name(self) -> str:
        """How people call it."""
        return f"INC-{self.number}"


def incident(con: Connection, number: int) -> Incident | None:
    """One incident."""
    row = con.execute(sa.select(incidents).where(incidents.c.number == number)).first()
    return None if row is None else _read(row)


def incidents_of(con: Connection, metric: str | None = None, since: datetime | None = None) -> list[Incident]:
    """Incidents of a metric or all, opened since a time, oldest first."""
    query = sa.select(incidents).order_by(incidents.c.number)
    query = query if metric is None else query.where(incidents.c.metric == metric)
    query = query if since is None else query.where(incidents.c.opened_at >= stamp(since))
    return [_read(row) for row in con.execute(query)]


def _read(row: Any) -> Incident:
    data = json.loads(row.data)
    return Incident(
        number=row.number,
        key=row.key,
        state=row.state,
        severity=row.severity,
        metric=row.metric,
        assignee=row.assignee,
        opened_at=datetime.fromisoformat(row.opened_at),
        closed_at=None if row.closed_at is None else datetime.fromisoformat(row.closed_at),
        members=_members(data.get("members", ())),
        cause=_word(data.get("cause")),
        rule=_word(data.get("rule") or data.get("rules")),
        reason=_word(data.get("reason") or data.get("resolution")),
        data=data,
    )


def _members(given: Any) -> Members:
    pairs: Iterable[Any] = given.items() if isinstance(given, Mapping) else given
    return tuple((str(name), None if member is None else str(member)) for name, member in pairs)


def _word(value: Any) -> str:
    """The name of what may be kept as a name, as a list of them, or with more beside it."""
    if isinstance(value, Mapping):
        value = value.get("kind") or value.get("name") or ""
    if isinstance(value, list):
        value = value[0] if value else ""
    return "" if value is None else str(value)
