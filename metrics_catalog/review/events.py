"""What people and the platform did, as rows of a source like any other: the platform is measured by its own metrics.

No names of people. A day's rows are final once the day is over, so that what was published of it stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from metrics_catalog.decisions.incident import Incident, incidents_of
from metrics_catalog.governance.begun import Definitions
from metrics_catalog.health import history as health_history
from metrics_catalog.ops.store import reading
from metrics_catalog.ops.tables import incident_events, report_issues
from metrics_catalog.review.checks.noisy import REAL
from metrics_catalog.usage import history as reads

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from metrics_catalog.published.model import Version
    from metrics_catalog.spec.policy import Policy

SOURCE = "platform_events"
_HOUR = 3600


@dataclass(frozen=True)
class Event:
    """One row. ``kind``: approval, alert, acknowledged, resolved, read, restated, standing, loaded, delivered.

    ``subject``: the metric, source or report; ``channel``: the face, channel or source. ``hours``: how long it took;
    ``counted`` of ``total``: real of resolved, certified of all, reads.
    """

    event_id: str
    day: date
    kind: str
    subject: str
    channel: str = ""
    hours: Decimal | None = None
    counted: int = 1
    total: int = 1


def events(
    definitions: Definitions, engine: Engine, versions: tuple[Version, ...] | list[Version], now: datetime
) -> list[Event]:
    """Everything up to the last day that is over, in order. Raises `OpsUnavailable`."""
    policy = definitions.official.policy
    when = _Calendar(policy, now)
    found = [
        *_approvals(definitions, when),
        *_alerts(engine, when),
        *_reads(engine, when),
        *_publishes(definitions, versions, when),
        *_loads(engine, when),
        *_deliveries(engine, when),
    ]
    closed = policy.closed_through(now)
    return sorted((one for one in found if one.day <= closed), key=lambda one: (one.day, one.kind, one.event_id))


def as_lines(found: list[Event]) -> str:
    """The file: one JSON object a line; without any, the empty array that a delivery without records is."""
    return (
        "[]\n"
        if not found
        else "".join(json.dumps(asdict(one), ensure_ascii=False, default=str) + "\n" for one in found)
    )


def with_forgotten(found: list[Event], delivered: str) -> list[Event]:
    """The same, with reads that were delivered before and are deleted by now: what was published of them stays."""
    first = min((one.day for one in found if one.kind == "read"), default=date.max).isoformat()
    rows = [json.loads(line) for line in delivered.splitlines() if line.startswith("{")]
    old = [row for row in rows if row["kind"] == "read" and row["day"] < first]
    return [*(Event(**{**row, "day": date.fromisoformat(row["day"])}) for row in old), *found]


class _Calendar:
    """Times -> business days. Where the policy names the business date, today is that day: a demo's people act now."""

    def __init__(self, policy: Policy, now: datetime) -> None:
        self._zone = ZoneInfo(policy.timezone)
        today = now.astimezone(self._zone).date()
        self._ahead = today - policy.business_date if policy.business_date is not None else timedelta(0)

    def day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date() - self._ahead


def _approvals(definitions: Definitions, when: _Calendar) -> Iterator[Event]:
    requests = () if definitions.record is None else definitions.record.requests.values()
    for one in requests:
        if one.decided_at is not None and one.state in ("approved", "rejected"):
            hours = _hours(one.opened_at, one.decided_at)
            yield Event(one.name, when.day(one.decided_at), "approval", one.metric or one.subject, one.state, hours)


def _alerts(engine: Engine, when: _Calendar) -> Iterator[Event]:
    acknowledged = sa.select(incident_events.c.incident, sa.func.min(incident_events.c.at).label("at"))
    acknowledged = acknowledged.where(incident_events.c.kind == "acknowledged").group_by(incident_events.c.incident)
    with reading(engine) as con:
        known = incidents_of(con)
        answered = {row.incident: datetime.fromisoformat(row.at) for row in con.execute(acknowledged)}
    for one in known:
        subject = one.metric or one.key[:80]
        for channel in _channels(one):
            yield Event(f"{one.name}/{channel}", when.day(one.opened_at), "alert", subject, channel)
        if one.number in answered:
            at = answered[one.number]
            yield Event(f"{one.name}/ack", when.day(at), "acknowledged", subject, hours=_hours(one.opened_at, at))
        if one.state == "resolved" and one.closed_at is not None:
            hours, real = _hours(one.opened_at, one.closed_at), int(one.reason in REAL)
            yield Event(f"{one.name}/end", when.day(one.closed_at), "resolved", subject, one.reason, hours, real)


def _channels(one: Incident) -> list[str]:
    told: Any = one.data.get("recipients", ())
    return sorted({str(each["channel"]) for each in told if isinstance(each, Mapping)}) or ["console"]


def _reads(engine: Engine, when: _Calendar) -> Iterator[Event]:
    counts: dict[tuple[date, str, str], int] = {}
    for one in reads(engine):
        key = (when.day(one.at), one.metric, one.face)
        counts[key] = counts.get(key, 0) + 1
    for (day, metric, face), count in counts.items():
        yield Event(f"{day}/{metric}/{face}", day, "read", metric, face, counted=count)


def _publishes(
    definitions: Definitions, versions: tuple[Version, ...] | list[Version], when: _Calendar
) -> Iterator[Event]:
    """Restated metrics of each publish; how many metrics were certified at the first one of a day."""
    seen: set[date] = set()
    total = len(definitions.official.metrics)
    for version in versions:
        day = when.day(version.info.published_at)
        for metric in version.info.notes:
            yield Event(f"v{version.number}/{metric}", day, "restated", metric)
        if day not in seen:
            seen.add(day)
            certified = len(version.info.versions)
            known = max(len(version.info.definitions), certified, 1) or total
            yield Event(f"v{version.number}", day, "standing", "catalog", counted=certified, total=known)


def _loads(engine: Engine, when: _Calendar) -> Iterator[Event]:
    """How old each source's newest load was at the first refresh of a day, late or not."""
    seen: set[tuple[date, str]] = set()
    for one in health_history(engine):
        key = (when.day(one.at), one.source)
        if one.loaded_at is None or key in seen or one.source == SOURCE:
            continue
        seen.add(key)
        on_time = int(not (one.late or one.blocked or one.error))
        yield Event(
            f"{key[0]}/{one.source}", key[0], "loaded", one.source, one.source, _hours(one.loaded_at, one.at), on_time
        )


def _deliveries(engine: Engine, when: _Calendar) -> Iterator[Event]:
    with reading(engine) as con:
        for row in con.execute(sa.select(report_issues).where(report_issues.c.state.in_(("made", "failed")))):
            day = when.day(datetime.fromisoformat(row.made_at).astimezone(UTC))
            yield Event(row.key[:200], day, "delivered", row.report, row.report, counted=int(row.state == "made"))


def _hours(start: datetime, end: datetime) -> Decimal:
    return Decimal(str(round(max(0.0, (end - start).total_seconds()) / _HOUR, 2)))
