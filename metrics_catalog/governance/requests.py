"""Change requests: submit, preview, read, approve, reject, withdraw, comment. Each is one decision and one append."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from metrics_catalog.governance.approval import PLACES, Jury
from metrics_catalog.governance.clerk import Clerk, Refused
from metrics_catalog.governance.effects import Ask, Seen, asked, owners, previewed, submitted, taking_effect
from metrics_catalog.governance.ledger import Event, Ledger
from metrics_catalog.governance.proposals import Proposal
from metrics_catalog.governance.record import Record, Request
from metrics_catalog.spec.people import PLATFORM, People
from metrics_catalog.spec.policy import Policy


class Desk(Clerk):
    """Where requests are handled, by the people and policy that are certified. Every method may raise `Refused`."""

    def __init__(
        self,
        ledger: Ledger,
        people: People,
        policy: Policy,
        clock: Callable[[], datetime],
        basis: Record | None = None,
    ) -> None:
        super().__init__(ledger, people, clock, basis)
        self._policy = policy.governance

    def bootstrap(self, versions: Sequence[Mapping[str, Any]], actor: str, reason: str) -> Record:
        """Certify what is there, once in a project's life; ``versions``: the fields of each first `Version`."""
        self.known(actor)
        if "admin" not in self._people.people[actor].roles:
            raise Refused(f"{actor} is not an admin, and only one may certify a project's first definitions")

        def decide(record: Record, _now: datetime) -> Iterator[Event]:
            if record.begun:
                raise Refused("this project's definitions are certified already; changes go through `metrics propose`")
            shared = {"number": 1, "status": "certified", "author": actor, "approvers": [actor], "reason": reason}
            yield Event("bootstrapped", "project", actor, {"reason": reason, "count": len(versions)})
            yield from (Event("certified", one["subject"], actor, {**one, **shared}) for one in versions)

        return self.write(decide)

    def submit(
        self, proposal: Proposal, author: str, reason: str, duplicates: Sequence[str] = (), seen: Seen | None = None
    ) -> Request:
        """Open a request, with its preview if there is one. Proposed again, it is the request that is open already."""
        if author != PLATFORM:
            self.known(author)
        found: list[int] = []

        def decide(record: Record, now: datetime) -> Iterator[Event]:
            found.clear()
            current = record.current(proposal.subject)
            if (0 if current is None else current.number) != proposal.base:
                raise Refused(f"{proposal.name} was changed meanwhile; look at its certified version and propose again")
            for one in record.open_requests(proposal.subject):
                if one.changes == ("restate",):
                    continue  # asks for values, not for a definition
                if self._expired(one, now):
                    yield Event("expired", _about(one), PLATFORM)
                elif one.asks_for(proposal):
                    found.append(one.id)
                else:
                    raise Refused(
                        f"{one.name} by {one.author} on {proposal.name} is still open; decide or withdraw it first"
                    )
            if not found:
                found.append(len(record.requests) + 1)
                yield Event("submitted", proposal.subject, author, submitted(proposal, found[0], reason, duplicates))
            if seen is not None:
                yield Event("previewed", f"request/{found[0]}", author, previewed(seen))

        return self.write(decide).requests[found[0]]

    def previewed(self, number: int, seen: Seen, actor: str) -> Request:
        """Put a preview on a request; approvals of another fingerprint fall."""
        if actor != PLATFORM:
            self.known(actor)

        def decide(record: Record, _now: datetime) -> Iterator[Event]:
            request = self._open(record, number)
            yield Event("previewed", _about(request), actor, previewed(seen))

        return self.write(decide).requests[number]

    def read(self, number: int, person: str) -> Request:
        """Note that somebody opened a request as it is now, once; of one without a preview there is nothing to note."""
        self.known(person)

        def decide(record: Record, _now: datetime) -> Iterator[Event]:
            request = _existing(record, number)
            if request.fingerprint and not request.read_by(person):
                yield Event("read", _about(request), person, {"fingerprint": request.fingerprint})

        return self.write(decide).requests[number]

    def approve(self, number: int, person: str, fingerprint: str) -> Request:
        """Say yes to exactly ``fingerprint``, computed now; the last yes that is needed certifies in the same step.

        It is noted whether the person had opened the request; where the policy says ``must_read``, nobody else may.
        """
        self.known(person)

        def decide(record: Record, now: datetime) -> Iterator[Event]:
            request = self._open(record, number)
            jury = self._jury(record, request, now)
            self._may_decide(request, jury, person)
            if request.state != "in review":
                raise Refused(f"{request.name} has no preview yet; make it with `metrics preview {request.name}`")
            if request.fingerprint != fingerprint:
                raise Refused(f"what {request.name} was previewed against has changed; look at it again")
            if self._policy.must_read and not request.read_by(person):
                raise Refused(f"whoever approves has read it: open it first, with `metrics request {request.name}`")
            yes = {one.person for one in request.approvals if one.fingerprint == fingerprint}
            if person not in yes:
                yield Event(
                    "approved", _about(request), person, {"fingerprint": fingerprint, "read": request.read_by(person)}
                )
            everybody = [*sorted(yes - {person}), person]  # people who left meanwhile no longer count
            if not jury.missing(request.need, everybody):
                yield from taking_effect(record, request, everybody, self._people)

        return self.write(decide).requests[number]

    def settle(self, number: int) -> Request:
        """Make effective what needs nobody but its author, such as an owner's own wording."""

        def decide(record: Record, now: datetime) -> Iterator[Event]:
            request = self._open(record, number)
            jury = self._jury(record, request, now)
            if request.author_counts and not jury.missing(request.need, [request.author]):
                yield from taking_effect(record, request, [request.author], self._people)

        return self.write(decide).requests[number]

    def reject(self, number: int, person: str, reason: str) -> Request:
        """Say no; by anybody whose yes would count. What is certified stays as it is."""
        self.known(person)

        def decide(record: Record, now: datetime) -> Iterator[Event]:
            request = self._open(record, number)
            self._may_decide(request, self._jury(record, request, now), person)
            yield Event("rejected", _about(request), person, {"reason": reason})

        return self.write(decide).requests[number]

    def withdraw(self, number: int, person: str) -> Request:
        """Take a request back; by its author or an admin."""
        self.known(person)

        def decide(record: Record, _now: datetime) -> Iterator[Event]:
            request = self._open(record, number)
            if person != request.author and "admin" not in self._people.people[person].roles:
                raise Refused(f"{request.name} is {request.author}'s; only its author or an admin may withdraw it")
            yield Event("withdrawn", _about(request), person)

        return self.write(decide).requests[number]

    def comment(self, number: int, person: str, text: str) -> Request:
        """Say something about a request, open or not."""
        self.known(person)
        if not text.strip():
            raise Refused("a comment says something")

        def decide(record: Record, _now: datetime) -> Iterator[Event]:
            yield Event("commented", _about(_existing(record, number)), person, {"text": text})

        return self.write(decide).requests[number]

    def expire(self) -> list[Request]:
        """Close what nobody answered for as long as the policy says."""
        closed: list[int] = []

        def decide(record: Record, now: datetime) -> Iterator[Event]:
            closed[:] = [one.id for one in record.open_requests() if self._expired(one, now)]
            yield from (Event("expired", f"request/{number}", PLATFORM) for number in closed)

        record = self.write(decide)
        return [record.requests[number] for number in closed]

    def report(self, cleared: Sequence[Event], asks: Sequence[Ask]) -> Record:
        """Write what the publish gate found: what cleared itself, and restatements to be approved.

        One that is asked already is not asked again; one whose values meanwhile changed takes the place of the old.
        """

        def decide(record: Record, _now: datetime) -> Iterator[Event]:
            yield from cleared
            yield from asked(record, asks)

        return self.write(decide)

    def missing(self, request: Request) -> dict[str, list[str]]:
        """The places of a request that nobody fills yet, and who could; none when it is decided."""
        if not request.is_open:
            return {}
        jury = self._jury(self.record(), request, self._clock())
        yes = [one.person for one in request.approvals]
        return {**jury.candidates(jury.missing(request.need, yes), yes)}

    def _open(self, record: Record, number: int) -> Request:
        request = _existing(record, number)
        if not request.is_open:
            when = f" on {request.decided_at:%Y-%m-%d}" if request.decided_at else ""
            raise Refused(f"{request.name} was {request.state}{when}")
        if self._expired(request, self._clock()):
            raise Refused(f"{request.name} was not answered for {self._policy.expire_days} days; propose it again")
        return request

    def _expired(self, request: Request, now: datetime) -> bool:
        """A restatement waits for as long as its metric is held: nobody else would ask for it again."""
        if request.changes == ("restate",):
            return False
        return now > request.opened_at + timedelta(days=self._policy.expire_days)

    def _may_decide(self, request: Request, jury: Jury, person: str) -> None:
        if person == request.author and not request.author_counts:
            raise Refused(f"{person} asked for {request.name}, and whoever asks never decides")
        if not any(jury.may(person, place) for place in request.need or PLACES):
            able = {one for people in jury.candidates(request.need).values() for one in people}
            named = ", ".join(sorted(able)) or "somebody there is not"
            raise Refused(f"{person} may not decide {request.name}; it waits for {named}")

    def _jury(self, record: Record, request: Request, now: datetime) -> Jury:
        late = now > request.opened_at + timedelta(days=self._policy.answer_days)
        people = frozenset(one for name in owners(record, request) for one in self._people.behind(name))
        return Jury(self._people, people, request.author, request.author_counts, self._policy.escalate_to, late)


def _existing(record: Record, number: int) -> Request:
    if number not in record.requests:
        raise Refused(f"there is no request CR-{number}")
    return record.requests[number]


def _about(request: Request) -> str:
    return f"request/{request.id}"
