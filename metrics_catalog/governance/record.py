"""What the ledger says now: certified versions, change requests, what was released. Pure: events in, state out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from metrics_catalog.governance.ledger import Entry, Head
from metrics_catalog.spec.governance import Approver, Change

if TYPE_CHECKING:
    from metrics_catalog.governance.proposals import Proposal

Status = Literal["certified", "deprecated", "retired"]
State = Literal["submitted", "in review", "approved", "rejected", "withdrawn", "expired"]
OPEN: tuple[State, ...] = ("submitted", "in review")
METRIC = "metric/"


@dataclass(frozen=True)
class Version:
    """One certified text of a subject, immutable. ``number`` counts from 1 within its subject.

    ``effective``: the first day it holds for; None: for all of history. ``successor`` and ``until`` go with deprecated.
    """

    subject: str
    number: int
    status: Status
    domain: str
    path: str
    text: str
    fingerprint: str
    author: str
    approvers: tuple[str, ...]
    reason: str
    at: datetime
    seq: int
    request: int | None = None
    effective: date | None = None
    successor: str | None = None
    until: date | None = None


@dataclass(frozen=True)
class Approval:
    """One person's yes to exactly what ``fingerprint`` names; ``read``: had opened that before, None: not known."""

    person: str
    fingerprint: str
    at: datetime
    read: bool | None = None


@dataclass(frozen=True)
class Reading:
    """Somebody opened a request when ``fingerprint`` was what it showed."""

    person: str
    fingerprint: str
    at: datetime


@dataclass(frozen=True)
class Comment:
    """What somebody said about a request."""

    person: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Request:
    """A change request. ``text``: the file it would certify, None where it only releases values or ends a metric.

    ``fingerprint``: what was previewed, which an approval is for. ``need``: who must approve, from the rules and the
    previewed effect. ``base``: the version it starts from.
    """

    id: int
    subject: str
    changes: tuple[Change, ...]
    author: str
    reason: str
    base: int
    opened_at: datetime
    domain: str = ""
    path: str = ""
    text: str | None = None
    effective: date | None = None
    successor: str | None = None
    until: date | None = None
    duplicates: tuple[str, ...] = ()
    state: State = "submitted"
    fingerprint: str = ""
    preview: Mapping[str, Any] = field(default_factory=dict)
    need: tuple[Approver, ...] = ()
    author_counts: bool = False
    approvals: tuple[Approval, ...] = ()
    readings: tuple[Reading, ...] = ()
    comments: tuple[Comment, ...] = ()
    decided_at: datetime | None = None
    decided_by: str = ""
    decision: str = ""

    @property
    def name(self) -> str:
        """How people call it."""
        return f"CR-{self.id}"

    @property
    def is_open(self) -> bool:
        """Whether it still waits for an answer."""
        return self.state in OPEN

    def read_by(self, person: str) -> bool:
        """Whether somebody opened it as it is now."""
        return any((one.person, one.fingerprint) == (person, self.fingerprint) for one in self.readings)

    def asks_for(self, proposal: Proposal) -> bool:
        """Whether it is a request for just that, whoever made it and why."""
        mine = (self.changes, self.domain, self.text, self.effective, self.successor)
        return mine == (proposal.changes, proposal.domain, proposal.text, proposal.effective, proposal.successor)

    @property
    def metric(self) -> str | None:
        """The metric it is about; None for people and policy."""
        return self.subject.removeprefix(METRIC) if self.subject.startswith(METRIC) else None


@dataclass(frozen=True)
class Record:
    """The state after every entry up to ``head``. ``releases``: restatements that were approved, by metric.

    ``certified``: number of the last entry that certified something; 0 before the first.
    """

    head: Head = field(default_factory=Head)
    certified: int = 0
    versions: Mapping[str, tuple[Version, ...]] = field(default_factory=dict)
    requests: Mapping[int, Request] = field(default_factory=dict)
    releases: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def begun(self) -> bool:
        """Whether the project's definitions were ever certified: before that nothing it publishes is official."""
        return bool(self.versions)

    def current(self, subject: str) -> Version | None:
        """The newest version of a subject."""
        versions = self.versions.get(subject, ())
        return versions[-1] if versions else None

    def before(self, request: Request) -> Version | None:
        """The version a request starts from; None where it makes the first."""
        versions = self.versions.get(request.subject, ())
        return next((one for one in versions if one.number == request.base and one.status != "retired"), None)

    def metrics(self) -> dict[str, Version]:
        """The newest version of each metric that is not retired."""
        found = {
            subject.removeprefix(METRIC): v[-1] for subject, v in self.versions.items() if subject.startswith(METRIC)
        }
        return {name: version for name, version in sorted(found.items()) if version.status != "retired"}

    def retired(self, metric: str) -> Version | None:
        """The newest version of a metric that is retired; None for any other."""
        version = self.current(METRIC + metric)
        return version if version is not None and version.status == "retired" else None

    def restatement(self, metric: str, digest: str) -> Request | None:
        """The last request to publish exactly the values that ``digest`` stands for."""
        asked = [one for one in self.requests.values() if (one.metric, one.changes) == (metric, ("restate",))]
        return next((one for one in reversed(asked) if one.fingerprint == digest), None)

    def open_requests(self, subject: str | None = None) -> list[Request]:
        """Requests that wait for an answer, of one subject or all."""
        return [one for one in self.requests.values() if one.is_open and subject in (None, one.subject)]


def recorded(entries: Iterable[Entry], record: Record | None = None) -> Record:
    """The record after ``entries``. What a newer program wrote and this one does not know changes nothing."""
    before, entries = record or Record(), list(entries)
    if not entries:
        return before
    versions, requests = dict(before.versions), dict(before.requests)
    releases, head, certified = dict(before.releases), before.head, before.certified
    for entry in entries:
        data, kind = entry.event.data, entry.event.kind
        head = Head(entry.seq, entry.hash, entry.at)
        if kind == "certified":
            subject = entry.event.subject
            versions[subject] = (*versions.get(subject, ()), _version(entry))
            certified = entry.seq
        elif kind == "submitted":
            requests[data["request"]] = _request(entry)
        elif kind == "released":
            metric = entry.event.subject.removeprefix(METRIC)
            releases[metric] = releases.get(metric, frozenset()) | {data["digest"]}
        elif kind in _STEPS:
            number = int(entry.event.subject.removeprefix("request/"))
            requests[number] = _STEPS[kind](requests[number], entry)
    return Record(head, certified, versions, requests, releases)


def _version(entry: Entry) -> Version:
    data = entry.event.data
    return Version(
        subject=entry.event.subject,
        number=data["number"],
        status=data["status"],
        domain=data["domain"],
        path=data["path"],
        text=data["text"],
        fingerprint=data["fingerprint"],
        author=data["author"],
        approvers=tuple(data["approvers"]),
        reason=data["reason"],
        at=entry.at,
        seq=entry.seq,
        request=data.get("request"),
        effective=_day(data.get("effective")),
        successor=data.get("successor"),
        until=_day(data.get("until")),
    )


def _request(entry: Entry) -> Request:
    data = entry.event.data
    return Request(
        id=data["request"],
        subject=entry.event.subject,
        changes=tuple(data["changes"]),
        author=entry.event.actor,
        reason=data["reason"],
        base=data["base"],
        opened_at=entry.at,
        domain=data.get("domain", ""),
        path=data.get("path", ""),
        text=data.get("text"),
        effective=_day(data.get("effective")),
        successor=data.get("successor"),
        until=_day(data.get("until")),
        duplicates=tuple(data.get("duplicates", ())),
    )


def _previewed(request: Request, entry: Entry) -> Request:
    """A preview of something else than before lets every approval fall: it was for what is no longer there."""
    data = entry.event.data
    kept = tuple(one for one in request.approvals if one.fingerprint == data["fingerprint"])
    return replace(
        request,
        state="in review",
        fingerprint=data["fingerprint"],
        preview=data["preview"],
        need=tuple(data["need"]),
        author_counts=data["author_counts"],
        approvals=kept,
    )


def _approved(request: Request, entry: Entry) -> Request:
    data = entry.event.data
    approval = Approval(entry.event.actor, data["fingerprint"], entry.at, data.get("read"))
    others = tuple(one for one in request.approvals if one.person != approval.person)
    return replace(request, approvals=(*others, approval))


def _read(request: Request, entry: Entry) -> Request:
    reading = Reading(entry.event.actor, entry.event.data["fingerprint"], entry.at)
    return replace(request, readings=(*request.readings, reading))


def _commented(request: Request, entry: Entry) -> Request:
    comment = Comment(entry.event.actor, entry.event.data["text"], entry.at)
    return replace(request, comments=(*request.comments, comment))


def _ended(state: State) -> Any:
    def ended(request: Request, entry: Entry) -> Request:
        decision = entry.event.data.get("reason", "")
        return replace(request, state=state, decided_at=entry.at, decided_by=entry.event.actor, decision=decision)

    return ended


_STEPS = {
    "previewed": _previewed,
    "approved": _approved,
    "read": _read,
    "commented": _commented,
    "effective": _ended("approved"),
    "rejected": _ended("rejected"),
    "withdrawn": _ended("withdrawn"),
    "expired": _ended("expired"),
}


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
