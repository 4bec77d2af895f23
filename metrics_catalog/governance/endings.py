"""How a metric ends: deprecated, taken back, retired when its grace is over; then its file is gone too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from metrics_catalog.governance.clerk import Refused
from metrics_catalog.governance.proposals import Proposal
from metrics_catalog.governance.record import METRIC, Record, Request, Version
from metrics_catalog.located import InvalidFiles, suggest

if TYPE_CHECKING:
    from metrics_catalog.governance.office import Office

Ending = Literal["deprecate", "revive", "retire"]


def ending(record: Record, name: str, change: Ending, successor: str | None, until: date) -> Proposal:
    """What to ask for, to end a certified metric or take its deprecation back. Raises `Refused`."""
    known = record.metrics()
    if name not in known:
        raise Refused(_unknown(record, name))
    if successor is not None and (successor not in known or successor == name):
        raise Refused(f'the successor "{successor}" is not another certified metric')
    version = known[name]
    if change == "revive" and version.status != "deprecated":
        raise Refused(f"{name} is not deprecated")
    return Proposal(
        version.subject,
        (change,),
        version.domain,
        version.path,
        None,
        version.number,
        successor=successor,
        until=until if change == "deprecate" else None,
    )


def over(record: Record, today: date) -> dict[str, Version]:
    """Deprecated metrics that should no longer be computed."""
    return {name: one for name, one in record.metrics().items() if one.until is not None and one.until < today}


def retire_overdue(office: Office, now: datetime) -> Iterator[str]:
    """Ask to retire each metric whose grace is over, once; says what became of it and whom it concerns."""
    for name, version in over(office.record, now.date()).items():
        concerned = ", ".join(office.concerned(name)) or "nobody of people.yml"
        try:
            request = _asked(office.record, version) or office.retire_after_grace(name)
        except (Refused, InvalidFiles) as refused:
            yield f"{name}: its grace ended on {version.until}, but {refused}; it concerns {concerned}"
            continue
        yield f"{name}: its grace ended on {version.until}; {_told(office, request)}; it concerns {concerned}"


def remove_file(root: Path, record: Record, name: str) -> bool:
    """Remove the file of a metric that was just retired, if it is the certified one, letter for letter."""
    version = record.current(METRIC + name)
    file = None if version is None else root / version.path
    if version is None or version.status != "retired" or file is None or not file.is_file():
        return False
    if file.read_text(encoding="utf-8-sig") != version.text:
        return False
    file.unlink()
    return True


def _asked(record: Record, version: Version) -> Request | None:
    """The last request to retire it from here; who refused one need not do so again, who never answered is asked."""
    found = [
        one
        for one in record.requests.values()
        if (one.subject, one.changes, one.base) == (version.subject, ("retire",), version.number)
        and one.state != "expired"
    ]
    return found[-1] if found else None


def _told(office: Office, request: Request) -> str:
    if request.state == "approved":
        return f"it is retired ({request.name})"
    if not request.is_open:
        return f"{request.name} to retire it was {request.state}: retire or revive it"
    waiting = sorted({one for people in office.desk.missing(request).values() for one in people})
    return f"{request.name} to retire it waits for {', '.join(waiting) or 'somebody there is not'}"


def _unknown(record: Record, name: str) -> str:
    if last := record.retired(name):
        return f"{name} was retired on {last.at:%Y-%m-%d}; to have it again, put its file back and propose it"
    if not record.begun:
        return "nothing is certified yet; `metrics certify` begins that"
    return f'there is no certified metric "{name}"{suggest(name, record.metrics())}'
