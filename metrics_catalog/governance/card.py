"""Requests, versions and previews as text for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from metrics_catalog.governance.edits import Edit, edits
from metrics_catalog.governance.ledger import Entry
from metrics_catalog.governance.record import Request, Version

_NO_VALUE = "–"


def one_line(text: str) -> str:
    """What somebody typed, so that it can neither look like a line of ours nor steer a terminal."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in " ".join(text.split()))


def request_lines(
    request: Request, missing: Mapping[str, Sequence[str]], before: Version | None = None
) -> Iterator[str]:
    """A request with its preview, and who must still answer. ``before``: the version it starts from."""
    yield f"{request.name}  {request.subject}  {', '.join(request.changes)}  [{request.state}]"
    yield f"asked by {request.author} on {request.opened_at:%Y-%m-%d %H:%M} UTC: {one_line(request.reason)}"
    if request.text is not None and "calculation" in request.changes:
        since = "all of history (restated)" if request.effective is None else f"periods from {request.effective} on"
        yield f"holds for {since}"
    if request.until is not None:
        yield f"is computed until {request.until}"
    if request.successor is not None:
        yield f"use {request.successor} instead"
    yield from (f"note: {one_line(one)}" for one in request.duplicates)
    if request.text is not None:
        yield from map(_edited, edits(None if before is None else before.text, request.text))
    yield from preview_lines(request.preview)
    yield from _readings(request)
    for one in request.approvals:
        unread = ", who had not opened it" if one.read is False else ""
        yield f"approved by {one.person} on {one.at:%Y-%m-%d %H:%M} UTC{unread}"
    for place, people in missing.items() if request.is_open else ():
        yield f"waits for {place}: {', '.join(people) or 'nobody in people.yml may'}"
    if request.decided_at is not None:
        decision = f": {one_line(request.decision)}" if request.decision else ""
        yield f"{request.state} on {request.decided_at:%Y-%m-%d %H:%M} UTC by {request.decided_by}{decision}"
    for one in request.comments:
        yield f"{one.at:%Y-%m-%d %H:%M} {one.person}: {one_line(one.text)}"


def preview_lines(preview: Mapping[str, Any]) -> Iterator[str]:
    """A numeric preview: periods, slices, what flips, what follows."""
    if "failed" in preview:
        yield f"the preview could not be computed, so one more must approve: {one_line(preview['failed'])}"
    elif "periods" in preview and preview["effect"] is None:
        yield "how much values would change cannot be told, so one more must approve"
    if rows := preview.get("periods"):
        yield ""
        yield from _columns(
            [("period", "old", "new", "difference", "%"), *(shown_row(one["period"], one) for one in rows)]
        )
    if slices := preview.get("slices"):
        yield "\nslices that move most"
        named = ((f"{_members(one['members'])}  {one['period']}", one) for one in slices)
        yield from _columns([shown_row(name, one) for name, one in named])
    if follows := preview.get("downstream"):
        yield "\nfollows in"
        yield from _columns([shown_row(f"{one['metric']}  {one['grain']} {one['period']}", one) for one in follows])
    if preview.get("flips"):
        yield "\nbounds and targets judged otherwise"
    for one in preview.get("flips", ()):
        was, now = (_kept(one[key]) for key in ("old", "new"))
        yield f"{one['metric']} {one['what']} {one['grain']} {one['period']}: was {was}, would be {now}"
    if alerts := preview.get("alerts"):
        was, now = (_fired(alerts[key]) for key in ("old", "new"))
        yield f"\nalerts of the total in the last {alerts['days']} days: {was} as it is, {now} as it would be"
    if people := preview.get("people"):
        yield f"\ntouches {', '.join(people)}"


def version_line(version: Version) -> str:
    """One certified version."""
    since = "" if version.effective is None else f" from {version.effective}"
    by = ", ".join(version.approvers) or "nobody, as the policy says"
    asked = f" CR-{version.request}" if version.request else ""
    told = f"{version.status}{since}{asked} by {version.author}, approved by {by}"
    return f"v{version.number}  {version.at:%Y-%m-%d %H:%M}  {told}: {one_line(version.reason)}"


def entry_line(entry: Entry) -> str:
    """One ledger entry."""
    data = entry.event.data
    said = data.get("reason") or data.get("text") if entry.event.kind != "certified" else f"v{data['number']}"
    return f"{entry.seq}  {entry.at:%Y-%m-%d %H:%M}  {entry.event.actor}  {entry.event.kind} {entry.event.subject}" + (
        f": {one_line(said)}" if said else ""
    )


def _readings(request: Request) -> Iterator[str]:
    """Who opened it as it is now, and who only saw what it was before."""
    now = {one.person: one.at for one in request.readings if one.fingerprint == request.fingerprint}
    if now:
        yield f"read by {', '.join(f'{person} on {at:%Y-%m-%d %H:%M} UTC' for person, at in now.items())}"
    if before := sorted({one.person for one in request.readings} - now.keys()):
        yield f"read before it changed by {', '.join(before)}"


def shown_row(name: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    """Name, old, new, difference, change in percent of one compared value of a preview, as text."""
    percent = one["percent"]
    shown = _NO_VALUE if percent is None else f"{float(percent):+.2f} %"
    return (name, *(_number(one[key]) for key in ("old", "new", "difference")), shown)


def _number(text: str | None) -> str:
    if text is None:
        return _NO_VALUE
    whole = float(text)
    return f"{whole:,.0f}" if abs(whole) >= 1000 else f"{whole:,.4g}"


def _edited(edit: Edit) -> str:
    key, *texts = edit
    was, now = (_NO_VALUE if text is None else one_line(text) for text in texts)
    return f"  {key}: {now}" if texts[0] is None else f"  {key}: {was} → {now}"


def _members(members: Mapping[str, Any]) -> str:
    shown = {name: _NO_VALUE if member is None else one_line(str(member)) for name, member in members.items()}
    return ", ".join(f"{name}={member}" for name, member in shown.items())


def _fired(by_rule: Mapping[str, int]) -> str:
    shown = ", ".join(f"{rule} {count}" for rule, count in by_rule.items())
    return f"{sum(by_rule.values())}{f' ({shown})' if shown else ''}"


def _kept(value: bool | None) -> str:
    return "without value" if value is None else "kept" if value else "missed"


def _columns(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows as aligned columns, the first to the left; Chinese characters are two wide."""
    rows = list(rows)
    widths = [max(_width(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        padded = [f"{' ' * (widths[place] - _width(cell))}{cell}" for place, cell in enumerate(row) if place]
        yield "  ".join([row[0] + " " * (widths[0] - _width(row[0])), *padded]).rstrip()


def _width(text: str) -> int:
    return sum(2 if ord(one) > 0x2E7F else 1 for one in text)
