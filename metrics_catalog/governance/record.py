"""What the ledger says now: certified versions, change requests, what was released. Plain data (made by `replay`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from metrics_catalog.governance.ledger import Head
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
