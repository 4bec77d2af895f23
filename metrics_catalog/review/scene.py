"""Everything a review looks at, read once. Asks the stores; judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from math import isclose
from typing import TYPE_CHECKING

from metrics_catalog.catalog import Catalog
from metrics_catalog.decisions.incident import Incident, incidents_of
from metrics_catalog.decisions.record import Decision, listed
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.governance.begun import Definitions
from metrics_catalog.governance.certified import certified_entry
from metrics_catalog.governance.record import METRIC
from metrics_catalog.health import SourceHealth
from metrics_catalog.health import history as health_history
from metrics_catalog.ops.store import reading
from metrics_catalog.published.errors import NotPublished
from metrics_catalog.report_files import ReportFile, read_reports
from metrics_catalog.spec.base import Grain
from metrics_catalog.spec.metric import AnyMetric
from metrics_catalog.spec.review import Review
from metrics_catalog.usage import Used, recorded_since, used

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from metrics_catalog.published.model import Version
    from metrics_catalog.published.reader import Published
    from metrics_catalog.published.snapshot import Snapshot

_MONTH = timedelta(days=31)
Values = Mapping[str, Mapping[date, float]]


@dataclass(frozen=True)
class Scene:
    """``month``: the days reviewed, by the company's calendar; ``since``, ``now``: the time in which people acted.

    ``used``: reads within the policy's ``unused_days``; ``known_since``: the oldest read that is kept. Of a month that
    others followed, ``snapshot`` is the publish that closed it, ``later`` the newest one. ``made_at``: when it is
    reviewed, where that is not ``now``.
    """

    definitions: Definitions
    month: Span
    since: datetime
    now: datetime
    used: Mapping[str, Used]
    known_since: datetime | None
    incidents: tuple[Incident, ...]
    decisions: tuple[Decision, ...]
    health: tuple[SourceHealth, ...]
    snapshot: Snapshot | None
    versions: tuple[Version, ...]
    reports: Mapping[str, ReportFile] = field(default_factory=dict)
    later: Snapshot | None = None
    made_at: datetime | None = None

    @property
    def catalog(self) -> Catalog:
        """The official one."""
        return self.definitions.official

    @property
    def made(self) -> datetime:
        """When it is reviewed."""
        return self.made_at or self.now

    @property
    def policy(self) -> Review:
        """What the review goes by."""
        return self.catalog.policy.review

    @property
    def calendar(self) -> Calendar:
        """How days fall into periods."""
        return Calendar.of(self.catalog)

    @property
    def recent(self) -> list[Incident]:
        """Incidents opened in the time reviewed."""
        return [one for one in self.incidents if one.opened_at >= self.since]

    @cached_property
    def deprecated(self) -> frozenset[str]:
        """Metrics that end already."""
        record = self.definitions.record
        ending = {} if record is None else record.metrics()
        return frozenset(name for name, version in ending.items() if version.status == "deprecated")

    def spec(self, metric: str) -> AnyMetric:
        """A metric as it was certified for ``snapshot``; as it is now where nothing came after."""
        current, record = self.catalog.metrics[metric].spec, self.definitions.record
        if self.later is None or self.snapshot is None or record is None:
            return current
        number = self.snapshot.info.versions.get(metric)
        if number in (None, self.definitions.versions.get(metric)):
            return current
        versions = record.versions.get(METRIC + metric, ())
        return next((certified_entry(one).spec for one in versions if one.number == number), current)

    def totals(self, grain: Grain, metrics: Iterable[str], start: date, end: date) -> Values:
        """Totals by metric and period as they stood; what came only later, as it is now."""
        wanted = tuple(metrics)
        found, later = (_totals(one, grain, wanted, start, end) for one in (self.snapshot, self.later))
        return {name: {**later.get(name, {}), **found.get(name, {})} for name in dict.fromkeys((*found, *later))}

    def now_is(self, grain: Grain, metric: str, period: date, value: float) -> float | None:
        """What is published of a period by now, where that is no longer ``value``."""
        rows = _totals(self.later, grain, (metric,), period, period + timedelta(days=1)).get(metric, {})
        found = rows.get(period, value)
        return None if isclose(found, value, rel_tol=1e-9) else found


def read(
    definitions: Definitions, engine: Engine, published: Published, now: datetime, month: date | None = None
) -> Scene:
    """The scene of a month (its first day; None: that of the last closed day). Raises `OpsUnavailable`."""
    policy, made = definitions.official.policy, now
    closed = policy.closed_through(now)
    span = Calendar().span("month", month or closed)
    if policy.business_date is None and span.end <= now.date():
        now = min(now, datetime.combine(span.end, now.timetz()))  # as it would have been on the first day after
    since = now - _MONTH
    with reading(engine) as con:
        incidents = tuple(one for one in incidents_of(con) if one.opened_at <= now)
    try:
        newest, versions = published.at(), published.versions()
    except NotPublished:
        newest, versions = None, []
    then = newest if closed < span.end else _closing(published, versions, span) or newest
    reads = used(engine, now - timedelta(days=policy.review.unused_days)) if policy.usage.record else {}
    return Scene(
        definitions=definitions,
        month=Span(span.start, min(span.end, closed + timedelta(days=1))),
        since=since,
        now=now,
        used=reads,
        known_since=recorded_since(engine),
        incidents=incidents,
        decisions=tuple(one for one in listed(engine) if one.opened_at <= now),
        health=tuple(one for one in health_history(engine, since) if one.at <= now),
        snapshot=then,
        versions=tuple(one for one in versions if since <= one.info.published_at <= now),
        reports=read_reports(definitions.official.project)[0],
        later=newest if then is not newest else None,
        made_at=made,
    )


def _closing(published: Published, versions: Iterable[Version], month: Span) -> Snapshot | None:
    """The publish that was the first to have the whole month."""
    last = month.end - timedelta(days=1)
    number = next((one.number for one in versions if one.info.closed_through >= last), None)
    return None if number is None else published.at(number)


def _totals(
    snapshot: Snapshot | None, grain: Grain, metrics: Iterable[str], start: date, end: date
) -> dict[str, dict[date, float]]:
    found: dict[str, dict[date, float]] = {}
    if snapshot is None:
        return found
    table = snapshot.values(metrics, grain, (), (), start, end)
    columns = (table.column(name).to_pylist() for name in ("metric", "period", "value"))
    for metric, period, value in zip(*columns, strict=True):
        if value is not None:
            found.setdefault(metric, {})[period] = float(value)
    return found
