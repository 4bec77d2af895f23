"""A project under governance: its files, what is certified, its requests. What every face calls.

Joins the parts: files against the record give proposals, a proposal and the warehouse a preview, a preview and the
policy who must approve. Each method may raise `Refused`, `InvalidFiles`, `OpsUnavailable` or `Damaged`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metrics_catalog.catalog import Catalog, entry_of
from metrics_catalog.engine.fingerprint import calculations, digest, twins
from metrics_catalog.governance.approval import Requirement, required
from metrics_catalog.governance.certified import PEOPLE, POLICY, checked, official
from metrics_catalog.governance.ledger import Entry, Ledger
from metrics_catalog.governance.preview import Change, preview
from metrics_catalog.governance.proposals import Proposal, metric_text, proposals, text_of
from metrics_catalog.governance.record import METRIC, Record, Request
from metrics_catalog.governance.requests import PLATFORM, Desk, Refused, Seen
from metrics_catalog.located import check, parsed, suggest
from metrics_catalog.spec.governance import Tier
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Warehouse = Callable[[], AbstractContextManager["DuckDBPyConnection"]]


@dataclass(frozen=True)
class Wish:
    """How a proposed change is meant: why; from which day on, or (``restate``) for all of history."""

    reason: str
    effective: date | None = None
    restate: bool = False


@contextmanager
def read_only(path: Path) -> Iterator[DuckDBPyConnection]:
    """A DuckDB file for reading. Raises `duckdb.IOException` while another process writes to it, or it is not there."""
    import duckdb

    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        yield con


class Office:
    """Governance of one project. ``warehouse`` opens its data for reading."""

    def __init__(self, files: Catalog, ledger: Ledger, warehouse: Warehouse, clock: Callable[[], datetime]) -> None:
        self.files, self._ledger, self._warehouse, self._clock = files, ledger, warehouse, clock

    @property
    def record(self) -> Record:
        """The record now."""
        return self.desk.record()

    def entries(self) -> list[Entry]:
        """The whole ledger, oldest first."""
        return self._ledger.entries()

    @cached_property
    def official(self) -> Catalog:
        """What the platform computes by."""
        return official(self.files, Desk(self._ledger, self.files.people, self.files.policy, self._clock).record())

    @cached_property
    def desk(self) -> Desk:
        """Requests, by the certified people and policy; before the first certification, by the files'."""
        return Desk(self._ledger, self.official.people, self.official.policy, self._clock)

    def bootstrap(self, actor: str, reason: str) -> Record:
        """Certify what is there: every metric, people and policy."""
        files, prints = self.files, calculations(self.files)
        found = [
            _first(METRIC + name, entry.domain, entry.document.path, metric_text(files, entry), prints[name])
            for name, entry in files.metrics.items()
        ]
        for subject, path in ((PEOPLE, files.people_document.path), (POLICY, files.policy_document.path)):
            if (files.project.root / path).is_file():
                text = text_of(files, path)
                found.append(_first(subject, "", path, text, digest([text])))
        return self.desk.bootstrap(found, actor, reason)

    def proposals(self) -> list[Proposal]:
        """What the files would change."""
        return list(proposals(self.files, self.record))

    def propose(self, name: str, author: str, wish: Wish) -> Request:
        """Ask for what a file of the project says now; previewed at once."""
        if not self.record.begun:
            raise Refused("nothing is certified yet, so nothing can be changed; begin with `metrics certify`")
        found = {one.name: one for one in self.proposals()}
        if name not in found:
            known = {*self.official.metrics, *self.files.metrics, PEOPLE, POLICY}
            hint = "is as certified; edit its file first" if name in known else f"is not known{suggest(name, known)}"
            raise Refused(f'"{name}" {hint}')
        return self._ask(self._meant(found[name], wish), author, wish.reason)

    def end(self, name: str, author: str, reason: str, successor: str | None, retire: bool) -> Request:
        """Ask to deprecate a certified metric (it is computed until its grace ends), or to retire it now."""
        version = self.record.metrics().get(name)
        if version is None:
            raise Refused(f'there is no certified metric "{name}"{suggest(name, self.record.metrics())}')
        if successor is not None and (successor not in self.official.metrics or successor == name):
            raise Refused(f'the successor "{successor}" is not another certified metric')
        if retire and (users := [one for one in self.official.metrics if name in self.official.inputs(one)]):
            raise Refused(f"{', '.join(users)} need {name}; change or retire them first")
        until = self._clock().date() + timedelta(days=self.official.policy.governance.grace_days)
        proposal = Proposal(
            METRIC + name,
            ("retire",) if retire else ("deprecate",),
            version.domain,
            version.path,
            None,
            version.number,
            successor=successor,
            until=None if retire else until,
        )
        return self._ask(proposal, author, reason)

    def what_if(self, name: str) -> dict[str, Any]:
        """The preview of an edited metric file, without asking for anything; raises what keeps it from being made."""
        if name not in self.files.metrics:
            raise Refused(f'there is no metric "{name}"{suggest(name, self.files.metrics)}')
        after = replace(self.official, metrics={**self.official.metrics, name: self.files.metrics[name]})
        policy = self.official.policy
        with self._warehouse() as con:
            closed = policy.closed_through(self._clock())
            return preview(con, Change(name, self.official, checked(after)), closed, policy.governance.preview_periods)

    def preview(self, number: int, actor: str) -> Request:
        """Compute the preview of a request again, on the data as it is now."""
        request = self.request(number)
        return self.desk.previewed(number, self._seen(request), actor)

    def approve(self, number: int, person: str, fingerprint: str | None = None) -> Request:
        """Say yes to what was previewed, ``fingerprint``: what the person saw. Anything changed under it: `Refused`."""
        request = self.request(number)
        if fingerprint is not None and fingerprint != request.fingerprint:
            raise Refused(f"{request.name} was previewed again since you looked; look at it again")
        now = self._fingerprint(request)
        if request.state == "in review" and now != request.fingerprint:
            self.desk.previewed(number, self._seen(request), PLATFORM)
            raise Refused(
                f"what {request.name} was previewed against has changed: it was previewed again and every approval"
                f" fell; look at it with `metrics request {request.name}`"
            )
        return self.desk.approve(number, person, now)

    def _ask(self, proposal: Proposal, author: str, reason: str) -> Request:
        request = self.desk.submit(proposal, author, reason, self._duplicates(proposal))
        seen = self._seen(request)
        self.desk.previewed(request.id, seen, author)
        return self.desk.settle(request.id)

    def _meant(self, proposal: Proposal, wish: Wish) -> Proposal:
        """A changed calculation holds from the first day that is still open, unless something else is wished."""
        if "calculation" not in proposal.changes or wish.restate:
            return proposal
        following = self.official.policy.closed_through(self._clock()) + timedelta(days=1)
        return replace(proposal, effective=wish.effective or following)

    def _duplicates(self, proposal: Proposal) -> list[str]:
        """Metrics that compute the same under another name; and whether the name had another meaning before."""
        if not {"create", "calculation"}.intersection(proposal.changes):
            return []
        after = self._after(proposal.subject, proposal.domain, proposal.path, proposal.text)
        found = [f"{name} computes the same" for name in twins(after, proposal.name)]
        before = self.record.versions.get(proposal.subject, ())
        if proposal.changes == ("create",) and before:
            found.append(f"the name was that of a metric retired on {before[-1].at:%Y-%m-%d}")
        return found

    def _seen(self, request: Request) -> Seen:
        shown = self._preview(request)
        effect = Decimal(shown["effect"]) if "effect" in shown else None
        requirement = self._requirement(request, effect)
        return Seen(self._fingerprint(request), shown, requirement)

    def _requirement(self, request: Request, effect: Decimal | None) -> Requirement:
        tiers: set[Tier] = {1} if request.metric is None else set()
        for catalog in (self.official, self._changed(request)):
            if (entry := catalog.metrics.get(request.metric or "")) is not None:
                tiers.add(entry.spec.tier)
        return required(self.official.policy.governance, request.changes, tiers, effect)

    def _preview(self, request: Request) -> dict[str, Any]:
        """What to show; when it cannot be computed, why."""
        if request.changes == ("restate",):
            return dict(request.preview)
        if request.metric is None or not {"create", "calculation", "bounds", "retire"}.intersection(request.changes):
            return {"effect": "0"}
        policy, change = self.official.policy, self._change(request, request.metric)
        try:
            with self._warehouse() as con:
                return preview(con, change, policy.closed_through(self._clock()), policy.governance.preview_periods)
        except Exception as error:  # of a database, a file, a lock: whatever it is, people decide with more care
            return {"failed": f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"}

    def _fingerprint(self, request: Request) -> str:
        """Of everything an approval is for: the change, what it stands on, and the rules it is judged by."""
        if request.changes == ("restate",):
            return request.fingerprint
        policy = self.record.current(POLICY)
        parts = [request.subject, str(request.base), request.text or "", *request.changes]
        parts += [str(request.effective), str(request.successor), "" if policy is None else policy.fingerprint]
        return digest(parts) if request.metric is None else self._change(request, request.metric).fingerprint(parts)

    def _change(self, request: Request, metric: str) -> Change:
        return Change(metric, self.official, self._changed(request))

    def _changed(self, request: Request) -> Catalog:
        """The official catalog with the request in effect. Raises `InvalidFiles` when it does not hold together."""
        if "retire" in request.changes:
            kept = {name: one for name, one in self.official.metrics.items() if name != request.metric}
            return checked(replace(self.official, metrics=kept))
        return self._after(request.subject, request.domain, request.path, request.text)

    def _after(self, subject: str, domain: str, path: str, text: str | None) -> Catalog:
        if text is None:
            return self.official
        document = parsed(text, path)
        if subject == PEOPLE:
            return checked(replace(self.official, people=check(document, People), people_document=document))
        if subject == POLICY:
            return checked(replace(self.official, policy=check(document, Policy), policy_document=document))
        name = subject.removeprefix(METRIC)
        return checked(
            replace(self.official, metrics={**self.official.metrics, name: entry_of(name, domain, document)})
        )

    def request(self, number: int) -> Request:
        """A request by number. Raises `Refused`."""
        if number not in self.record.requests:
            raise Refused(f"there is no request CR-{number}")
        return self.record.requests[number]


def _first(subject: str, domain: str, path: str, text: str, fingerprint: str) -> dict[str, Any]:
    return {"subject": subject, "domain": domain, "path": path, "text": text, "fingerprint": fingerprint}
