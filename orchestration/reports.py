"""Delivers reports: what the schedule, the sensor and the command do alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from metrics_catalog.spec.base import GRAINS
from orchestration.faults import USAGE, Failed
from orchestration.settings import Settings

if TYPE_CHECKING:
    from metrics_catalog.reporting.issues import Outcome


def deliver(settings: Settings, name: str, tell: Callable[[str], None] = lambda text: None) -> Outcome:
    """Make what is due of a report and put its letters in the outbox. Raises `Failed`, `OpsUnavailable`."""
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.report_files import read_reports
    from metrics_catalog.reporting import issues
    from metrics_catalog.reporting.making import Source

    project = settings.locate()
    found, problems = read_reports(project)
    if name not in found:
        why = "; ".join(str(one) for one in problems if one.path.endswith(f"/{name}.yml"))
        raise Failed(why or f'there is no report "{name}"', USAGE)
    engine = open_store(project.ops)
    try:
        return issues.deliver(Source.of(project), engine, found[name], datetime.now(UTC), tell)
    finally:
        engine.dispose()


def shown(settings: Settings, own: bool = False) -> Path | None:
    """The folder of the report that comes most often, just made: page, PDF, picture, and what Slack is sent.

    ``own``: of those about the platform itself. None where there is no such report, or not all of its period is
    published. Raises `OpsUnavailable`.
    """
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.report_files import read_reports
    from metrics_catalog.reporting import shelf
    from metrics_catalog.reporting.making import Source
    from orchestration.platform import own_metrics
    from orchestration.report_formats import rendered

    project = settings.locate()
    for_all = [one for one in read_reports(project)[0].values() if one.spec.audience.per is None]
    if not for_all:
        return None
    source, now = Source.of(project), datetime.now(UTC)
    itself = own_metrics(source.definitions.official)
    wanted = [one for one in for_all if itself.issuperset(one.spec.metrics) == own]
    if not wanted or source.published.at().info.closed_through < source.policy.closed_through(now):
        return None
    name = min(wanted, key=lambda one: (*GRAINS, one.spec.grain).index(one.spec.grain)).name
    deliver(settings, name)
    made = [row for row in shelf.rows(open_store(project.ops), name) if row.state == "made"]
    if not made:
        return None
    newest = next((row for row in made if row.data["language"] == "en"), made[0])
    folder = project.state / str(newest.path)
    aside = project.issues / name / "slack.json"
    aside.write_bytes(rendered(shelf.body_of(project, newest), "slack"))
    return folder


def unfinished(settings: Settings) -> list[str]:
    """Reports of which something waits or failed, and may come out better now. Cheap: one query when there is none."""
    from metrics_catalog.governance.begun import has_store
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.published.history import latest
    from metrics_catalog.published.places import values_folder
    from metrics_catalog.report_files import read_reports
    from metrics_catalog.reporting import shelf
    from metrics_catalog.reporting.issues import wants_another_try

    project, now = settings.locate(), datetime.now(UTC)
    if not has_store(project):
        return []
    engine = open_store(project.ops)
    try:
        rows = shelf.unfinished(engine)
    finally:
        engine.dispose()
    if not rows:
        return []
    found, _ = read_reports(project)
    last = latest(values_folder(project.published))
    newest = None if last is None else last.number
    again = (
        row.report
        for row in rows
        if row.report in found and wants_another_try(row, newest, found[row.report].spec, now)
    )
    return sorted(set(again))
