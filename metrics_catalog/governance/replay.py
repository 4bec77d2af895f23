"""Entries of the ledger -> the record they come to. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from metrics_catalog.governance.ledger import Entry, Head
from metrics_catalog.governance.record import METRIC, Approval, Comment, Reading, Record, Request, State, Version


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
