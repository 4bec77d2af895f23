"""A project under governance: its files, what is certified, its requests. What every face calls.

Joins the parts: files against the record give proposals, a proposal and the warehouse a preview, a preview and the
policy who must approve. Each method may raise `Refused`, `InvalidFiles`, `OpsUnavailable` or `Damaged`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.fingerprint import calculations, digest
from metrics_catalog.governance.approval import Requirement
from metrics_catalog.governance.certified import PEOPLE, POLICY, official
from metrics_catalog.governance.clerk import Refused
from metrics_catalog.governance.endings import Ending, ending
from metrics_catalog.governance.ledger import Entry, Ledger
from metrics_catalog.governance.proposals import Proposal, metric_text, proposals
from metrics_catalog.governance.record import METRIC, Record, Request
from metrics_catalog.governance.requests import Desk
from metrics_catalog.governance.standing import Standing, Warehouse
from metrics_catalog.located import suggest
from metrics_catalog.spec.people import PLATFORM

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


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
        self._desk = Desk(ledger, files.people, files.policy, clock)  # until something is certified
        self._standing: Standing | None = None

    @property
    def record(self) -> Record:
        """The record now."""
        return self._desk.record()

    def entries(self) -> list[Entry]:
        """The whole ledger, oldest first."""
        return self._ledger.entries()

    @property
    def official(self) -> Catalog:
        """What the platform computes by."""
        return self._now()[0].official

    @property
    def desk(self) -> Desk:
        """Requests, by the certified people and policy; before the first certification, by the files'."""
        return self._now()[1]

    def bootstrap(self, actor: str, reason: str) -> Record:
        """Certify what is there: every metric, people and policy."""
        files, prints = self.files, calculations(self.files)
        found = [
            _first(METRIC + name, entry.domain, entry.document.path, metric_text(entry), prints[name])
            for name, entry in files.metrics.items()
        ]
        for subject, document in ((PEOPLE, files.people_document), (POLICY, files.policy_document)):
            if document.text:
                found.append(_first(subject, "", document.path, document.text, digest([document.text])))
        return self.desk.bootstrap(found, actor, reason)

    def proposals(self) -> list[Proposal]:
        """What the files would change."""
        standing, _ = self._now()
        return list(proposals(self.files, standing.record, standing.official))

    def propose(self, name: str, author: str, wish: Wish) -> Request:
        """Ask for what a file of the project says now; previewed at once."""
        standing, desk = self._now()
        if not standing.record.begun:
            raise Refused("nothing is certified yet, so nothing can be changed; begin with `metrics certify`")
        found = {one.name: one for one in proposals(self.files, standing.record, standing.official)}
        if name not in found:
            known = {*standing.official.metrics, *self.files.metrics, PEOPLE, POLICY}
            hint = "is as certified; edit its file first" if name in known else f"is not known{suggest(name, known)}"
            raise Refused(f'"{name}" {hint}')
        desk.known(author)
        return _asked(standing, desk, _meant(standing, found[name], wish), author, wish.reason)

    def end(self, name: str, author: str, reason: str, change: Ending, successor: str | None = None) -> Request:
        """Ask to deprecate a certified metric (it is computed until its grace ends), to revive or to retire it."""
        standing, desk = self._now()
        desk.known(author)
        return _asked(standing, desk, self._ending(standing, name, change, successor), author, reason)

    def retire_after_grace(self, name: str) -> Request:
        """Ask in nobody's name to retire a deprecated metric; where the policy says so, it needs nobody either."""
        standing, desk = self._now()
        proposal = self._ending(standing, name, "retire", None)
        reason = f"its grace ended on {standing.record.metrics()[name].until}"
        if not standing.official.policy.governance.retire_after_grace:
            return _asked(standing, desk, proposal, PLATFORM, reason)
        return _asked(standing, desk, proposal, PLATFORM, reason, Requirement((), author_counts=True))

    def concerned(self, name: str) -> list[str]:
        """Who answers for a certified metric and for those that name it."""
        standing, _ = self._now()
        entries = [standing.official.metrics[one] for one in (name, *standing.users(name))]
        return sorted({one for entry in entries for one in standing.official.people.behind(entry.spec.owner)})

    def _ending(self, standing: Standing, name: str, change: Ending, successor: str | None) -> Proposal:
        until = self._clock().date() + timedelta(days=standing.official.policy.governance.grace_days)
        return ending(standing.record, name, change, successor, until)

    def what_if(self, name: str) -> dict[str, Any]:
        """The preview of an edited metric file, without asking for anything; raises what keeps it from being made."""
        if name not in self.files.metrics:
            raise Refused(f'there is no metric "{name}"{suggest(name, self.files.metrics)}')
        return self._now()[0].what_if(self.files.metrics[name])

    def preview(self, number: int, actor: str) -> Request:
        """Compute the preview of a request again, on the data as it is now."""
        standing, desk = self._now()
        desk.known(actor)
        return desk.previewed(number, standing.seen(_open(standing.record, number)), actor)

    def approve(self, number: int, person: str, fingerprint: str | None = None) -> Request:
        """Say yes to what was previewed, ``fingerprint``: what the person saw. Anything changed under it: `Refused`."""
        standing, desk = self._now()
        request = _open(standing.record, number)
        if fingerprint is not None and fingerprint != request.fingerprint:
            raise Refused(f"{request.name} was previewed again since you looked; look at it again")
        now = standing.fingerprint(request)
        if request.state == "in review" and now != request.fingerprint:
            desk.previewed(number, standing.seen(request), PLATFORM)
            raise Refused(
                f"what {request.name} was previewed against has changed: it was previewed again and every approval"
                f" fell; look at it with `metrics request {request.name}`"
            )
        return desk.approve(number, person, now)

    def request(self, number: int, reader: str | None = None) -> Request:
        """A request by number; ``reader``: who opens it, which the ledger keeps when it is somebody of people.yml."""
        if reader is not None and reader in self.official.people.people:
            return self.desk.read(number, reader)
        return _existing(self.record, number)

    def _now(self) -> tuple[Standing, Desk]:
        """What is certified now. Whatever is decided with it is refused once something else is certified."""
        record, known = self._desk.record(), self._standing
        if known is None or known.record.certified != record.certified:
            catalog = official(self.files, record)
            self._desk = Desk(self._ledger, catalog.people, catalog.policy, self._clock, record)
        else:
            catalog = known.official
        self._standing = Standing(record, catalog, self._warehouse, self._clock())
        return self._standing, self._desk


def _asked(
    standing: Standing, desk: Desk, proposal: Proposal, author: str, reason: str, needs: Requirement | None = None
) -> Request:
    """Open a request and settle what needs nobody else; ``needs``: who must approve, else by the rules."""
    if "retire" in proposal.changes and (users := standing.users(proposal.name)):
        raise Refused(f"{', '.join(users)} need {proposal.name}; change or retire them first")
    seen = standing.seen(proposal)
    seen = seen if needs is None else replace(seen, requirement=needs)
    request = desk.submit(proposal, author, reason, standing.duplicates(proposal), seen)
    return desk.settle(request.id)


def _meant(standing: Standing, proposal: Proposal, wish: Wish) -> Proposal:
    """A changed calculation holds from the first day that is still open, unless something else is wished."""
    if "calculation" not in proposal.changes or wish.restate:
        return proposal
    return replace(proposal, effective=wish.effective or standing.closed_through + timedelta(days=1))


def _existing(record: Record, number: int) -> Request:
    if number not in record.requests:
        raise Refused(f"there is no request CR-{number}")
    return record.requests[number]


def _open(record: Record, number: int) -> Request:
    request = _existing(record, number)
    if not request.is_open:
        raise Refused(f"{request.name} was {request.state} on {request.decided_at:%Y-%m-%d}")
    return request


def _first(subject: str, domain: str, path: str, text: str, fingerprint: str) -> dict[str, Any]:
    return {"subject": subject, "domain": domain, "path": path, "text": text, "fingerprint": fingerprint}
