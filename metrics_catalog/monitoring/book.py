"""Incidents in one transaction: read, written, and told by letters put in beside them. Decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from metrics_catalog.message import Letter
from metrics_catalog.monitoring.alert_message import message, update
from metrics_catalog.monitoring.incident import LASTING, Incident, read
from metrics_catalog.monitoring.routing import Recipient
from metrics_catalog.ops.outbox import put
from metrics_catalog.ops.tables import incident_events, incidents
from metrics_catalog.ops.times import stamp
from metrics_catalog.spec.people import PLATFORM
from metrics_catalog.spec.policy import Policy

if TYPE_CHECKING:
    from sqlalchemy import Connection

Said = Mapping[str, str]  # by language


class Book:
    """What stands in the tables, inside a transaction that nobody else writes incidents in (`ops.store.writing`)."""

    def __init__(self, con: Connection, policy: Policy, now: datetime) -> None:
        self._con, self._policy, self.now = con, policy, now.astimezone(UTC)

    def lasting(self) -> list[Incident]:
        """Incidents that are not over, oldest first."""
        return self._found(incidents.c.state.in_(LASTING))

    def resolved_since(self, since: datetime) -> list[Incident]:
        """Incidents that people closed, the oldest first."""
        return self._found((incidents.c.state == "resolved") & (incidents.c.closed_at >= stamp(since)))

    def resolved(self, key: str) -> list[Incident]:
        """Incidents of a key that people closed, the oldest first."""
        return self._found((incidents.c.state == "resolved") & (incidents.c.key == key))

    def one(self, number: int) -> Incident | None:
        """An incident."""
        return next(iter(self._found(incidents.c.number == number)), None)

    def open(self, incident: Incident, tell: bool = True) -> Incident:
        """Keep a new one, under the next number, and tell its recipients."""
        last = self._con.execute(sa.select(sa.func.max(incidents.c.number))).scalar()
        made = replace(incident, number=(last or 0) + 1)
        self._con.execute(sa.insert(incidents).values(**made.row()))
        self._note(made, "opened", PLATFORM, {"severity": made.severity, "text": made.data["text"]})
        if tell:
            self.tell(made)
        return made

    def save(
        self, incident: Incident, kind: str, actor: str = PLATFORM, said: Said | None = None, **data: Any
    ) -> Incident:
        """Keep what became of one, note it, and bring its messages up to date; ``said``: a word under them."""
        made = self.keep(incident)
        seq = self._note(made, kind, actor, data)
        self.tell(made, said, seq)
        return made

    def keep(self, incident: Incident) -> Incident:
        """Keep what nobody needs to hear of."""
        made = replace(incident, updated_at=self.now)
        self._con.execute(sa.update(incidents).where(incidents.c.number == made.number).values(**made.row()))
        return made

    def tell(self, incident: Incident, said: Said | None = None, seq: int = 0) -> None:
        """Letters of an incident as it stands; in quiet hours they wait."""
        if incident.data.get("untold"):
            return
        for one in incident.recipients:
            key = f"incident/{incident.number}/{one.key}"
            letters = [Letter(key, one.channel, one.address, message(incident, one.language))]
            if said is not None:
                word = update(incident, one.language, said[one.language])
                letters.append(Letter(f"{key}/{seq}", one.channel, one.address, word, parent=key))
            self.put(letters, incident.severity)

    def put(self, letters: Sequence[Letter], severity: int) -> None:
        """Letters about something of this severity."""
        put(self._con, letters, quiet_until(self._policy, severity, self.now) or self.now)

    def _found(self, wanted: sa.ColumnElement[bool]) -> list[Incident]:
        return [read(row) for row in self._con.execute(sa.select(incidents).where(wanted).order_by(incidents.c.number))]

    def _note(self, incident: Incident, kind: str, actor: str, data: Mapping[str, Any]) -> int:
        row = {"incident": incident.number, "at": stamp(self.now), "kind": kind, "actor": actor}
        done = self._con.execute(
            sa.insert(incident_events).values(**row, data=json.dumps(data, ensure_ascii=False, default=str))
        )
        key = done.inserted_primary_key
        return 0 if key is None else int(key[0])


def quiet_until(policy: Policy, severity: int, now: datetime) -> datetime | None:
    """When the quiet hours are over that a message of this severity would fall into; None: it falls into none."""
    quiet = policy.alerts.quiet
    if quiet is None or severity <= quiet.but:
        return None
    zone = ZoneInfo(policy.timezone)
    here = now.astimezone(zone)
    inside = (
        quiet.start <= here.time() < quiet.end
        if quiet.start < quiet.end
        else here.time() >= quiet.start or here.time() < quiet.end
    )
    if not inside:
        return None
    day = here.date() + timedelta(days=1 if here.time() >= quiet.end else 0)
    return datetime.combine(day, quiet.end, zone).astimezone(UTC)


def added(known: Sequence[Recipient], more: Sequence[Recipient]) -> list[dict[str, Any]]:
    """Recipients with those that are new, each address once, as plain data."""
    found = {(one.channel, one.address): one for one in (*more, *known)}
    ordered = sorted(found.values(), key=lambda one: (one not in known, one.name))
    return [vars(one) for one in ordered]
