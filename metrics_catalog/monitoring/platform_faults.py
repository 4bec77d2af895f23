"""What is wrong with the platform itself, a run, a channel, an address: an incident until it works again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.alert_message import Besides
from metrics_catalog.monitoring.book import Book
from metrics_catalog.monitoring.cause import Explained
from metrics_catalog.monitoring.following import opened
from metrics_catalog.monitoring.incident import Incident, read
from metrics_catalog.monitoring.routing import recipients
from metrics_catalog.monitoring.trouble import Trouble
from metrics_catalog.ops.store import reading, writing
from metrics_catalog.ops.tables import incidents
from metrics_catalog.spec.alerting import Severity

if TYPE_CHECKING:
    from sqlalchemy import Engine


def system_fault(
    store: Engine,
    catalog: Catalog,
    kind: str,
    subject: str,
    text: Mapping[str, str],
    now: datetime,
    severity: Severity = 2,
    avoid: Collection[str] = (),
    about: Collection[str] = (),
) -> Incident:
    """Something of the platform fails, as ``channel`` ``slack``: its open incident, or a new one.

    ``text``: what, by language. ``avoid``: channels and addresses by which it cannot be told. ``about``: the single
    things that fail; those of an incident that somebody resolved open no other. Raises `OpsUnavailable`.
    """
    trouble = Trouble(_key(kind, subject), Explained("fault", (subject,)), severity, text=text)
    with writing(store, incidents) as con:
        book = Book(con, catalog.policy, now)
        known = _lasting(book, trouble.key)
        if known is not None:
            joined = sorted({*known.data.get("about", ()), *about})
            return (
                book.keep(replace(known, data={**known.data, "about": joined})) if set(about) - _about(known) else known
            )
        for one in book.resolved(trouble.key) if about else ():
            if set(about) <= _about(one):
                return one
        made = opened(catalog, trouble, book.now, Besides(), stands=False)
        told = [vars(one) for one in recipients(catalog, trouble, avoid)]
        return book.open(replace(made, data={**made.data, "recipients": told, "fault": True, "about": sorted(about)}))


def system_recovered(
    store: Engine, catalog: Catalog, kind: str, subject: str, now: datetime, said: Mapping[str, str] | None = None
) -> Incident | None:
    """What failed works again (``said``: in other words); the incident that is over by it. Raises `OpsUnavailable`."""
    key = _key(kind, subject)
    with reading(store) as con:  # nearly always nothing is wrong, and nobody should wait for that
        if _lasting(Book(con, catalog.policy, now), key) is None:
            return None
    with writing(store, incidents) as con:
        book = Book(con, catalog.policy, now)
        known = _lasting(book, key)
        if known is None:
            return None
        words = said or {"en": f"{subject} works again.", "zh": f"{subject} 已恢复正常。"}
        told = {"en": f"{known.name}: {words['en']}", "zh": f"{known.name}：{words['zh']}"}
        return book.save(replace(known, state="recovered", closed_at=book.now), "recovered", said=told)


def known_faults(store: Engine, kind: str) -> dict[str, Incident]:
    """The newest incident of each subject of a kind that did not recover. Raises `OpsUnavailable`."""
    begins = _key(kind, "")
    wanted = incidents.c.key.startswith(begins, autoescape=True) & (incidents.c.state != "recovered")
    with reading(store) as con:
        rows = con.execute(sa.select(incidents).where(wanted).order_by(incidents.c.number))
        return {one.key.removeprefix(begins): one for one in map(read, rows)}


def _key(kind: str, subject: str) -> str:
    return f"fault:{kind}:{subject}"[:300]


def _lasting(book: Book, key: str) -> Incident | None:
    return next((one for one in book.lasting() if one.key == key), None)


def _about(incident: Incident) -> set[str]:
    return set(incident.data.get("about", ()))
