"""Incidents nobody answers: the next person is told, and after a while it is said again. Not in quiet hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.book import Book, added, quiet_until
from metrics_catalog.monitoring.incident import Incident
from metrics_catalog.monitoring.routing import addresses
from metrics_catalog.ops.store import reading, writing
from metrics_catalog.ops.tables import incidents
from metrics_catalog.ops.times import stamp
from metrics_catalog.spec.alerting import Severity

if TYPE_CHECKING:
    from sqlalchemy import Engine


def insist(store: Engine, catalog: Catalog, now: datetime) -> list[Incident]:
    """Escalate and renotify what is due at ``now``; returns the incidents that were heard again.

    Writes nothing when nothing is due. Raises `OpsUnavailable`.
    """
    with reading(store) as con:
        due = [one for one in Book(con, catalog.policy, now).lasting() if _due(catalog, one, now)]
    if not due:
        return []
    with writing(store, incidents) as con:
        book = Book(con, catalog.policy, now)
        still = [one for one in book.lasting() if one.number in {other.number for other in due}]
        return [_heard_again(book, catalog, one, kind) for one in still if (kind := _due(catalog, one, now))]


def any_open(store: Engine) -> bool:
    """Whether anybody may have to be asked again."""
    with reading(store) as con:
        return (
            con.execute(sa.select(incidents.c.number).where(incidents.c.state == "open").limit(1)).first() is not None
        )


def _due(catalog: Catalog, one: Incident, now: datetime) -> str | None:
    alerts = catalog.policy.alerts
    if one.state != "open" or one.is_snoozed(now) or quiet_until(catalog.policy, one.severity, now) is not None:
        return None
    severity = cast(Severity, one.severity)
    asked, heard = one.data.get("asked", 1), one.notified_at
    hours = alerts.escalate_hours.get(severity)
    since = datetime.fromisoformat(one.data["escalated_at"]) if "escalated_at" in one.data else one.opened_at
    if hours is not None and asked < len(one.behind) and now - since >= timedelta(hours=hours):
        return "escalated"
    hours = alerts.renotify_hours.get(severity)
    return "renotified" if hours is not None and now - heard >= timedelta(hours=hours) else None


def _heard_again(book: Book, catalog: Catalog, one: Incident, kind: str) -> Incident:
    at = stamp(book.now)
    data = {**one.data, "notified_at": at, "untold": False}
    if kind == "renotified":
        said = {"en": f"{one.name} is still open: {one.text('en')}", "zh": f"{one.name} 仍未处理：{one.text('zh')}"}
        return book.save(replace(one, data=data), kind, said=said)
    asked = one.data.get("asked", 1)
    person = one.behind[asked]
    told = added(one.recipients, tuple(addresses(catalog.people, person, "escalated")))
    data |= {"asked": asked + 1, "escalated_at": at, "recipients": told}
    said = {
        "en": f"Nobody has answered {one.name}; {person} is asked now.",
        "zh": f"{one.name} 无人接手，现请 {person} 处理。",
    }
    return book.save(replace(one, data=data), kind, said=said, to=person)
