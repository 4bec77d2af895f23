"""Reads what one issue needs of a project: definitions, numbers, what is known of them. Then copies are pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from metrics_catalog.engine.periods import Calendar
from metrics_catalog.governance.begun import Definitions, definitions_of
from metrics_catalog.monitoring.calendar import known_days
from metrics_catalog.monitoring.facts import scene
from metrics_catalog.own_grains import EVER, OutsideSpine
from metrics_catalog.project import Project
from metrics_catalog.published.model import Version
from metrics_catalog.published.reader import Published
from metrics_catalog.published.snapshot import Snapshot
from metrics_catalog.report_files import ReportFile
from metrics_catalog.reporting.copy import Issue
from metrics_catalog.reporting.facts import COURSE
from metrics_catalog.reporting.numbers import Numbers
from metrics_catalog.reporting.trust import trust
from metrics_catalog.spec.base import Grain
from metrics_catalog.spec.policy import Policy
from metrics_catalog.spec.report import Report, Trend


@dataclass(frozen=True)
class Source:
    """What issues are made from; cheap to keep for several reports."""

    project: Project
    definitions: Definitions
    published: Published

    @classmethod
    def of(cls, project: Project) -> Source:
        """Of a project. Raises `InvalidFiles`, `OpsUnavailable`, `Damaged`."""
        return cls(project, definitions_of(project), Published(project.published))

    @property
    def policy(self) -> Policy:
        """The company's calendar."""
        return self.definitions.official.policy


def last_period(calendar: Calendar, grain: Grain, through: date) -> date:
    """First day of the last period that is over when ``through`` is. Raises `OutsideSpine`."""
    span = calendar.span(grain, through)
    return span.start if span.end == through + timedelta(days=1) else calendar.back(grain, span.start, 1, grain)


def make(
    source: Source,
    report: ReportFile,
    now: datetime,
    period: date | None = None,
    as_of: int | date | datetime | None = None,
    since: int | None = None,
) -> Issue:
    """An issue about ``period`` (None: the last one published), by the newest publish or the one ``as_of``.

    ``since``: the publish the issue before was made from. Raises `NotPublished`, `OpsUnavailable`, and `OutsideSpine`
    where the time spine says no period to report on.
    """
    snapshot = source.published.at(as_of)
    catalog, grain = source.definitions.official, report.spec.grain
    through = min(snapshot.info.closed_through, catalog.policy.closed_through(now))
    calendar = Calendar.of(catalog)
    first = period or last_period(calendar, grain, through)
    if first == EVER:
        raise OutsideSpine(f"no {grain} is over that the time spine knows the beginning of")
    numbers = Numbers(snapshot, catalog, *_window(report.spec, calendar, first))
    seen = replace(scene(source.project, catalog, now, since, source.published), published=snapshot.info)
    if as_of is not None:
        seen = replace(seen, health=())  # that of sources is known of now only
    shown = [name for name in report.spec.metrics if name in catalog.metrics]
    span = numbers.calendar.span(grain, first)
    known = trust(seen, shown, span, _between(source.published, since, snapshot))
    values = (numbers.value(name, grain, first) for name in shown)
    is_empty = bool(shown) and all(cell is None or cell.value is None for cell in values)
    gone = tuple(name for name in report.spec.metrics if name not in catalog.metrics)
    known = replace(known, gone=gone, is_empty=is_empty)
    days = known_days(catalog.policy, numbers.calendar.back(grain, first, 1, "year"), span.end)
    return Issue(report, source.definitions, numbers, known, days, first, now)


def _between(published: Published, since: int | None, snapshot: Snapshot) -> Sequence[Version]:
    """Publishes after the one the issue before was made from."""
    if since is None:
        return ()
    return [one for one in published.versions() if since < one.number <= snapshot.version]


def _window(report: Report, calendar: Calendar, period: date) -> tuple[date, date]:
    """Days of which numbers are needed: the longest trend, and a year before it."""
    trends = [section.periods for section in report.sections if isinstance(section, Trend)]
    first = calendar.back(report.grain, period, max([COURSE, *trends]), report.grain)
    earlier = calendar.back(report.grain, first, 1, "year")
    begin = earlier if earlier == EVER else earlier - timedelta(days=7)
    return begin, calendar.next(report.grain, period)
