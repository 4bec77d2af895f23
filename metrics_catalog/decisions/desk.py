"""Decisions of one project: decide, amend, do, drop. What every face calls; each call is one transaction.

Methods may raise `Refused`, `InvalidQuery` or `OpsUnavailable`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from metrics_catalog.catalog import Catalog, Entry
from metrics_catalog.decisions import letters, record
from metrics_catalog.decisions.expected import DAYS, Expected, finest, parse_expected
from metrics_catalog.decisions.incident import Incident, incident
from metrics_catalog.decisions.record import UNFINISHED, Decision
from metrics_catalog.decisions.windows import windows
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.governance.clerk import Refused
from metrics_catalog.located import suggest
from metrics_catalog.ops import outbox
from metrics_catalog.ops.store import reading, writing
from metrics_catalog.ops.tables import decisions

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_MAY = {"steward", "admin"}


@dataclass(frozen=True)
class Said:
    """What somebody says of a decision; None: not said, so it stays or is taken by default."""

    action: str | None = None
    cause: str | None = None
    expect: str | None = None
    owner: str | None = None


class Decisions:
    """The desk. ``catalog``: the official one; ``clock``: aware time."""

    def __init__(self, engine: Engine, catalog: Catalog, clock: Callable[[], datetime]) -> None:
        self._engine, self._catalog, self._clock = engine, catalog, clock

    def decide(self, target: str, said: Said, user: str) -> Decision:
        """Record a decision about a metric or an incident (``INC-4``); of a recorded one (``D-2``), say more."""
        self._known(user)
        if (number := number_of(target, "D")) is not None:
            return self._amend(number, said, user)
        about = None
        if (number := number_of(target, "INC")) is not None:
            with reading(self._engine) as con:
                about = incident(con, number)
            if about is None:
                raise Refused(f"there is no incident INC-{number}")
            if about.metric is None:
                raise Refused(f"INC-{number} is about no metric ({about.key}); name the metric instead")
        entry = self._entry(target if about is None else about.metric or "")
        if not (said.action or "").strip():
            raise Refused(f'say what is to be done: metrics decide {target} --action "…"')
        decision = self._new(entry, about, said, user)
        with writing(self._engine, decisions) as con:
            _not_twice(con, decision)
            made = record.add(con, decision)
            self._tell_owner(con, made, entry, user)
        return made

    def done(self, number: int, user: str, note: str = "") -> Decision:
        """Its action was taken; its effect is still looked at on the due date."""
        return self._move(
            number, user, "done", ("open",), lambda one: replace(one, state="done", note=note or one.note)
        )

    def drop(self, number: int, user: str, reason: str) -> Decision:
        """It will not be done, or no longer matters; its effect is not looked at."""
        if not reason.strip():
            raise Refused("say why with --reason")
        now = self._clock()
        return self._move(
            number, user, "dropped", UNFINISHED, lambda one: replace(one, state="dropped", note=reason, closed_at=now)
        )

    def get(self, number: int) -> Decision:
        """A decision by number."""
        with reading(self._engine) as con:
            return self._found(con, number)

    def entry(self, decision: Decision) -> Entry | None:
        """Its metric; None when that is retired."""
        return self._catalog.metrics.get(decision.metric)

    def _new(self, entry: Entry, about: Incident | None, said: Said, user: str) -> Decision:
        now = self._clock()
        since = self._catalog.policy.closed_through(now) + timedelta(days=1)
        expected = _expected(entry, about, said.expect)
        due = expected.by or self._usual_due(entry, since)
        decision = Decision(
            number=0,
            metric=entry.name,
            owner=said.owner or (about and about.assignee) or self._owner(entry, user),
            action=(said.action or "").strip(),
            cause=(said.cause or "").strip() or (about.cause if about else ""),
            expected=replace(expected, by=due),
            due=due,
            since=since,
            opened_at=now,
            author=user,
            incident=None if about is None else about.number,
        )
        return self._sound(decision, entry)

    def _amend(self, number: int, said: Said, user: str) -> Decision:
        with self._changing(number, user, UNFINISHED) as (con, old):
            entry = self._entry(old.metric)
            new = replace(old, action=(said.action or old.action).strip(), cause=(said.cause or old.cause).strip())
            new = replace(new, owner=said.owner or old.owner)
            if said.expect is not None:
                expected = parse_expected(said.expect, entry.spec)
                expected = expected if expected.members else replace(expected, members=old.expected.members)
                due = expected.by or old.due
                new = replace(new, expected=replace(expected, by=due), due=due)
            new = self._sound(new, entry)
            if new == old:
                raise Refused(f"{old.name} says so already; give --expect, --action, --cause or --owner")
            changed = {key: value for key, value in vars(new).items() if value != getattr(old, key)}
            record.change(con, new, "amended", user, self._clock(), changed)
            if new.owner != old.owner:
                self._tell_owner(con, new, entry, user)
        return new

    def _move(
        self, number: int, user: str, kind: str, states: tuple[record.State, ...], made: Callable[[Decision], Decision]
    ) -> Decision:
        with self._changing(number, user, states) as (con, old):
            new = made(old)
            record.change(con, new, kind, user, self._clock(), {"note": new.note})
        return new

    @contextmanager
    def _changing(
        self, number: int, user: str, states: tuple[record.State, ...]
    ) -> Iterator[tuple[Connection, Decision]]:
        self._known(user)
        with writing(self._engine, decisions) as con:
            old = self._found(con, number)
            if old.state not in states:
                raise Refused(f"{old.name} is {old.state} already")
            self._may(old, user)
            yield con, old

    def _found(self, con: Connection, number: int) -> Decision:
        found = record.find(con, number)
        if found is None:
            raise Refused(f"there is no decision D-{number}")
        return found

    def _sound(self, decision: Decision, entry: Entry) -> Decision:
        people, calendar = self._catalog.people, Calendar.of(self._catalog)
        if people.owners and decision.owner not in people.owners:
            raise Refused(f'"{decision.owner}" is not in people.yml{suggest(decision.owner, people.owners)}')
        grain = finest(entry.spec)
        if not windows(calendar, grain, decision.since, decision.due).after:
            first = calendar.start(grain, decision.since)
            first = first if first >= decision.since else calendar.next(grain, first)
            last = calendar.next(grain, first) - timedelta(days=1)
            raise Refused(f"by {decision.due} no whole {grain} after the decision is over; the first day is {last}")
        return decision

    def _usual_due(self, entry: Entry, since: date) -> date:
        """Four weeks from the first day on, or the end of the first whole period where that is later."""
        calendar, grain, due = Calendar.of(self._catalog), finest(entry.spec), since
        due += timedelta(days=DAYS - 1)
        while not windows(calendar, grain, since, due).after:
            due = calendar.span(grain, due + timedelta(days=1)).end - timedelta(days=1)
        return due

    def _owner(self, entry: Entry, user: str) -> str:
        owners = self._catalog.people.owners
        return entry.spec.owner if not owners or entry.spec.owner in owners else user

    def _tell_owner(self, con: Connection, decision: Decision, entry: Entry, user: str) -> None:
        if decision.owner != user:
            outbox.put(con, letters.opened(decision, entry, self._catalog.people), self._clock())

    def _entry(self, metric: str) -> Entry:
        if metric not in self._catalog.metrics:
            raise Refused(f'there is no certified metric "{metric}"{suggest(metric, self._catalog.metrics)}')
        return self._catalog.metrics[metric]

    def _known(self, user: str) -> None:
        people = self._catalog.people.people
        if people and user not in people:
            raise Refused(f"{user} is not in people.yml{suggest(user, people)}")

    def _may(self, decision: Decision, user: str) -> None:
        people = self._catalog.people
        person = people.people.get(user)
        mine = user in (decision.author, *people.behind(decision.owner))
        if person is not None and not mine and not _MAY & set(person.roles):
            raise Refused(f"{decision.name} is {decision.owner}'s; they, {decision.author} or a steward may change it")


def number_of(text: str, prefix: str) -> int | None:
    """12 of ``D-12``; None for anything else."""
    head, dash, digits = text.upper().partition("-")
    return int(digits) if dash and head == prefix and digits.isdigit() else None


def _expected(entry: Entry, about: Incident | None, text: str | None) -> Expected:
    """As said, else: better; on the slice of the incident where that is published."""
    given = parse_expected(text, entry.spec) if text else Expected()
    if about is None or given.members:
        return given
    cuts = [set(cut) for cut in entry.spec.slices]
    return replace(given, members=about.members) if {name for name, _ in about.members} in cuts else given


def _not_twice(con: Connection, decision: Decision) -> None:
    for one in record.found_open(con, decision.metric):
        told = (one.action, one.incident, one.expected.members)
        if told == (decision.action, decision.incident, decision.expected.members):
            raise Refused(f"{one.name} says so already; say more of it with: metrics decide {one.name}")
