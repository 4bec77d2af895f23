"""What the events of a request say: how it is written down, previewed, certified; who owns its subject. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from metrics_catalog.catalog import entry_of
from metrics_catalog.governance.certified import certified_entry
from metrics_catalog.governance.record import Record, Request
from metrics_catalog.located import parsed

if TYPE_CHECKING:
    from metrics_catalog.governance.proposals import Proposal
    from metrics_catalog.governance.requests import Seen

_ENDINGS = {"deprecate": "deprecated", "retire": "retired"}


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
    ending = last if ends is None and last is not None and last.status == "deprecated" else request
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
        "successor": ending.successor,
        "until": None if ending.until is None else ending.until.isoformat(),
    }


def owners(record: Record, request: Request) -> Iterator[str]:
    """Names of who owns the metric as certified; of a new one, who is to own it."""
    version = record.current(request.subject)
    if request.metric is None:
        return
    if version is None or version.status == "retired":
        yield entry_of(request.metric, request.domain, parsed(request.text or "", request.path)).spec.owner
    else:
        yield certified_entry(version).spec.owner
