"""Writes decisions into the ledger, each behind exactly the record it was taken on. Decides nothing itself.

When somebody was faster, a decision is taken again on what they left. So two people approving at once end well, and
dying anywhere leaves all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from metrics_catalog.governance.ledger import Entry, Event, Head, Ledger, Moved
from metrics_catalog.governance.record import Record
from metrics_catalog.governance.replay import recorded
from metrics_catalog.spec.people import People

Decide = Callable[[Record, datetime], Iterator[Event]]


class Refused(Exception):
    """Something that is not allowed or not possible now; the message says why and what would be."""


class Clerk:
    """The ledger of a project, by the people that are certified.

    ``basis``: the record these are from. What is certified after it may have changed who decides, or what was looked
    at, so from then on nothing more is written; the next one knows.
    """

    def __init__(self, ledger: Ledger, people: People, clock: Callable[[], datetime], basis: Record | None) -> None:
        self._ledger, self._people, self._clock = ledger, people, clock
        self._basis, self._known_record = basis, basis or Record()

    def record(self) -> Record:
        """The record now; reads what is new since it was last asked."""
        known = self._known_record
        self._known_record = recorded(self._ledger.entries(known.head), known)
        return self._known_record

    def must_hold(self, anchor: Head) -> None:
        """Raise `Lost` unless an entry that values were published under is still in the ledger."""
        self._ledger.must_hold(anchor)

    def write(self, decide: Decide) -> Record:
        """Append what ``decide`` makes of the record as it is at a time; returns the record after it."""
        while True:
            record, now = self.record(), self._clock()
            events = list(decide(record, now))
            if not events:
                return record
            if self._basis is not None and record.certified != self._basis.certified:
                raise Refused("something else was certified meanwhile, so this was not done; look at it and try again")
            try:
                added: list[Entry] = self._ledger.append(record.head, events, now)
            except Moved:
                continue
            self._known_record = recorded(added, record)
            return self._known_record

    def known(self, person: str) -> None:
        """Raise `Refused` unless somebody is of people.yml."""
        if person not in self._people.people:
            raise Refused(f'"{person}" is not a person of people.yml; say who you are with METRICS_USER')
