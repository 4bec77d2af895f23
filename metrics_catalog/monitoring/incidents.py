"""What people do about incidents: the door for commands, buttons and the portal.

Each of them is one transaction in which the letters that tell of it are put in too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

import sqlalchemy as sa

from metrics_catalog.catalog import Catalog
from metrics_catalog.governance.clerk import Refused
from metrics_catalog.located import suggest
from metrics_catalog.monitoring.alert_message import REASONS
from metrics_catalog.monitoring.book import Book, added
from metrics_catalog.monitoring.incident import LASTING, Incident, Reason, number_of, read
from metrics_catalog.monitoring.routing import addresses
from metrics_catalog.ops.store import reading, writing
from metrics_catalog.ops.tables import incident_events, incidents
from metrics_catalog.ops.times import stamp

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True)
class Happened:
    """One entry of an incident's history."""

    at: datetime
    kind: str
    actor: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Incidents:
    """Incidents of a project. Whoever may not do what is asked, or asks what makes no sense, gets `Refused`."""

    store: Engine
    catalog: Catalog
    clock: Callable[[], datetime]

    def found(self, every: bool = False, metric: str | None = None) -> list[Incident]:
        """Those that are not over, or ``every`` one, the worst and newest first. Raises `OpsUnavailable`."""
        query = sa.select(incidents).order_by(incidents.c.severity, incidents.c.number.desc())
        query = query if every else query.where(incidents.c.state.in_(LASTING))
        with reading(self.store) as con:
            found = [read(row) for row in con.execute(query)]
        return [one for one in found if metric is None or metric in one.metrics]

    def one(self, name: str) -> Incident:
        """``INC-12``, or 12. Raises `Refused` when there is none."""
        with reading(self.store) as con:
            return self._one(Book(con, self.catalog.policy, self.clock()), name)

    def history(self, incident: Incident) -> list[Happened]:
        """What happened to it, oldest first."""
        import json

        query = sa.select(incident_events).where(incident_events.c.incident == incident.number)
        with reading(self.store) as con:
            rows = con.execute(query.order_by(incident_events.c.seq))
            return [Happened(datetime.fromisoformat(row.at), row.kind, row.actor, json.loads(row.data)) for row in rows]

    def acknowledge(self, name: str, actor: str) -> Incident:
        """Say that one looks after it; from then on nobody else is asked."""
        with self._writing(name) as (book, one):
            self._must(actor, one, "acknowledge")
            if one.state == "acknowledged":
                return one
            made = replace(one, state="acknowledged", assignee=one.assignee or actor, data={**one.data, "by": actor})
            said = {"en": f"{actor} looks after {one.name}.", "zh": f"{one.name} 由 {actor} 接手。"}
            return book.save(made, "acknowledged", actor, said)

    def assign(self, name: str, actor: str, to: str) -> Incident:
        """Give it to a person, who is told."""
        with self._writing(name) as (book, one):
            self._must(actor, one, "assign")
            people = self.catalog.people
            if people.people and to not in people.people:
                raise Refused(f'"{to}" is not a person of people.yml{suggest(to, people.people)}')
            told = added(one.recipients, tuple(addresses(people, to, "assigned")))
            data = {**one.data, "by": one.data.get("by", actor), "recipients": told}
            made = replace(one, state="acknowledged", assignee=to, data=data)
            said = {"en": f"{one.name} is with {to} now.", "zh": f"{one.name} 现由 {to} 处理。"}
            return book.save(made, "assigned", actor, said, to=to)

    def resolve(self, name: str, actor: str, reason: str, note: str = "") -> Incident:
        """Close it with a reason; what goes on unchanged stays silent for a while (``alerts.mute_days``)."""
        if reason not in get_args(Reason):
            raise Refused(f'"{reason}" is no reason{suggest(reason, REASONS)}; one of: {", ".join(REASONS)}')
        with self._writing(name) as (book, one):
            self._must(actor, one, "resolve")
            data = {**one.data, "by": actor, "reason": reason, "note": note.strip()}
            made = replace(one, state="resolved", closed_at=book.now, data=data)
            chinese, english = REASONS[reason]
            said = {
                "en": f"{one.name} resolved by {actor}: {english}.",
                "zh": f"{one.name} 已由 {actor} 处理：{chinese}。",
            }
            return book.save(made, "resolved", actor, said, reason=reason, note=note.strip())

    def snooze(self, name: str, actor: str, until: datetime) -> Incident:
        """Hear nothing of it until then, unless it ends."""
        with self._writing(name) as (book, one):
            self._must(actor, one, "snooze")
            if until <= book.now:
                raise Refused(f"{until.isoformat(timespec='minutes')} is over; name a later time")
            at = stamp(until)
            made = replace(one, data={**one.data, "snoozed_until": at, "notified_at": at})
            return book.save(made, "snoozed", actor, until=at)

    @contextmanager
    def _writing(self, name: str) -> Iterator[tuple[Book, Incident]]:
        with writing(self.store, incidents) as con:
            book = Book(con, self.catalog.policy, self.clock())
            one = self._one(book, name)
            if not one.lasts:
                raise Refused(f"{one.name} is {one.state} already")
            yield book, one

    def _one(self, book: Book, name: str) -> Incident:
        number = number_of(name)
        found = None if number is None else book.one(number)
        if found is None:
            raise Refused(f'there is no incident "{name}"; `metrics alerts` lists them')
        return found

    def _must(self, actor: str, incident: Incident, what: str) -> None:
        """Who answers for it, stewards and admins may; a viewer may say that it is looked after, and no more."""
        people = self.catalog.people
        if not people.people:
            return  # an existing dbt project, which names nobody
        person = people.people.get(actor)
        if person is None:
            raise Refused(f'"{actor}" is not a person of people.yml{suggest(actor, people.people)}')
        roles = set(person.roles)
        told = {name for one in incident.recipients for name in (one.name, *people.behind(one.name))}
        concerned = actor in told or actor in incident.behind or actor == incident.assignee
        if roles & {"steward", "admin"} or (concerned and (what == "acknowledge" or roles - {"viewer"})):
            return
        if concerned:
            raise Refused(f"{actor} is a viewer and may acknowledge {incident.name}, not {what} it")
        raise Refused(f"{actor} does not answer for {incident.name} and may not {what} it")
