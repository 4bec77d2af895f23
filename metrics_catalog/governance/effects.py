"""What the events of a request say: how it is written down, previewed, takes effect; who owns its subject. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metrics_catalog.catalog import entry_of
from metrics_catalog.governance.approval import Requirement
from metrics_catalog.governance.certified import certified_entry
from metrics_catalog.governance.clerk import Refused
from metrics_catalog.governance.ledger import Event
from metrics_catalog.governance.record import METRIC, Record, Request
from metrics_catalog.located import parsed
from metrics_catalog.spec.people import PLATFORM, People

if TYPE_CHECKING:
    from metrics_catalog.governance.proposals import Proposal

_ENDINGS = {"deprecate": "deprecated", "retire": "retired"}


@dataclass(frozen=True)
class Seen:
    """What a preview found: ``fingerprint`` of all that was looked at, what to show, and who must approve it."""

    fingerprint: str
    preview: Mapping[str, Any]
    requirement: Requirement


@dataclass(frozen=True)
class Ask:
    """A restatement to be approved, for exactly the values its preview's fingerprint stands for."""

    metric: str
    reason: str
    seen: Seen


def submitted(proposal: Proposal, number: int, reason: str, duplicates: Sequence[str]) -> dict[str, Any]:
    """A request as it is opened."""
    return {
        "request": number,
        "changes": list(proposal.changes),
        "reason": reason,
        "base": proposal.base,
        "domain": proposal.domain,
        "path": proposal.path,
        "text": proposal.text,
        "effective": None if proposal.effective is None else proposal.effective.isoformat(),
        "successor": proposal.successor,
        "until": None if proposal.until is None else proposal.until.isoformat(),
        "duplicates": list(duplicates),
    }


def previewed(seen: Seen) -> dict[str, Any]:
    """What a preview found."""
    need, counts = list(seen.requirement.need), seen.requirement.author_counts
    return {"fingerprint": seen.fingerprint, "preview": dict(seen.preview), "need": need, "author_counts": counts}


def certified(record: Record, request: Request, approvers: Sequence[str]) -> dict[str, Any]:
    """The next version: the request's text, or the last one's where it only ends. What is deprecated stays so."""
    last = record.current(request.subject)
    ends = next((_ENDINGS[change] for change in request.changes if change in _ENDINGS), None)
    calculates = not {"create", "calculation"}.isdisjoint(request.changes)
    since = request.effective if last is None or calculates else last.effective  # other words leave history as it is
    stays = ends is None and "revive" not in request.changes and last is not None and last.status == "deprecated"
    ending = last if stays and last is not None else request
    successor = ending.successor or (last.successor if ends == "retired" and last is not None else None)
    return {
        "number": request.base + 1,
        "status": ends or ("certified" if ending is request else "deprecated"),
        "domain": request.domain,
        "path": request.path,
        "text": request.text if request.text is not None or last is None else last.text,
        "fingerprint": request.fingerprint,
        "author": request.author,
        "approvers": list(approvers),
        "reason": request.reason,
        "request": request.id,
        "effective": None if since is None else since.isoformat(),
        "successor": successor,
        "until": None if ending.until is None else ending.until.isoformat(),
    }


def taking_effect(record: Record, request: Request, yes: Sequence[str], people: People) -> Iterator[Event]:
    """What follows once nobody is missing; ``yes``: who said so, the last one last. Raises `Refused` when overtaken."""
    current = record.current(request.subject)
    if (0 if current is None else current.number) != request.base and request.changes != ("restate",):
        raise Refused(f"{request.subject} was certified anew since {request.name} was asked for; propose it again")
    actor, approvers = yes[-1], [one for one in yes if one in people.people]
    if request.changes == ("restate",):
        yield Event("released", request.subject, actor, {"digest": request.fingerprint, "request": request.id})
    else:
        yield Event("certified", request.subject, actor, certified(record, request, approvers))
    yield Event("effective", f"request/{request.id}", actor)


def asked(record: Record, asks: Sequence[Ask]) -> Iterator[Event]:
    """A request for each restatement nobody asks for yet; one whose values changed takes the place of the old."""
    number = len(record.requests)
    for ask in asks:
        subject = METRIC + ask.metric
        before = [one for one in record.open_requests(subject) if one.changes == ("restate",)]
        if any(one.fingerprint == ask.seen.fingerprint for one in before):
            continue
        for one in before:
            yield Event("withdrawn", f"request/{one.id}", PLATFORM, {"reason": "other values now"})
        number += 1
        version = record.current(subject)
        base = 0 if version is None else version.number
        data = {"request": number, "changes": ["restate"], "reason": ask.reason, "base": base}
        yield Event("submitted", subject, PLATFORM, data)
        yield Event("previewed", f"request/{number}", PLATFORM, previewed(ask.seen))


def owners(record: Record, request: Request) -> Iterator[str]:
    """Names of who owns the metric as certified; of a new one, who is to own it."""
    version = record.current(request.subject)
    if request.metric is None:
        return
    if version is None or version.status == "retired":
        yield entry_of(request.metric, request.domain, parsed(request.text or "", request.path)).spec.owner
    else:
        yield certified_entry(version).spec.owner
