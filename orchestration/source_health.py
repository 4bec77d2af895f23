"""What a refresh found of each source, kept in the ops store for whoever must say how far a number can be trusted.

Only what differs from what is kept is written, so a refresh with nothing new reads one row per source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metrics_catalog.health import FailedCheck, SourceHealth, latest, record

if TYPE_CHECKING:
    from expectations.clean import CleanResult
    from orchestration.declared import Declared
    from orchestration.ingest.columns import Freshness
    from orchestration.refresh import Report


def keep(declared: Declared, report: Report, run_id: str, now: datetime) -> None:
    """Write how sources came out, also of a refresh that failed. Raises `OpsUnavailable`."""
    from metrics_catalog.ops.store import open_store

    store = open_store(declared.project.ops)
    before = latest(store)
    found = health(declared, report, run_id, now, before)
    record(store, [one for one in found if one.source not in before or not one.same_as(before[one.source])])


def health(
    declared: Declared, report: Report, run_id: str, now: datetime, before: dict[str, SourceHealth]
) -> Iterator[SourceHealth]:
    """Each source as far as the refresh got; what it did not look at stays as it was ``before``."""
    for name, spec in declared.sources.items():
        one = replace(before.get(name, SourceHealth(name, now, run_id)), at=now, run_id=run_id)
        if report.coverages is not None:
            coverage = report.coverages.get(name)
            one = replace(one, late=tuple(sorted(coverage.missing)) if coverage is not None else ())
        one = replace(one, short=report.short.get(name, one.short))
        if name in report.not_loaded:
            one = replace(one, error=report.not_loaded[name])
        elif name in report.loads:
            load, ended = report.loads[name], report.loaded_at.get(name)
            # Where the calendar stands still, as in the demo, nothing becomes overdue.
            due = None if declared.catalog.policy.business_date is not None else _due(spec.freshness, ended)
            one = replace(one, error=None, loaded_at=ended, due=due)
            if load.changed:
                one = replace(one, rows=load.rows_loaded, rejected=load.rows_rejected)
        if name in report.cleans:
            one = _judged(one, report.cleans[name])
        yield one


def _judged(one: SourceHealth, result: CleanResult) -> SourceHealth:
    failed = tuple(
        FailedCheck(outcome.name, outcome.severity, outcome.unexpected_count, outcome.error or outcome.observed)
        for outcome in result.outcomes
        if not outcome.success
    )
    if result.skipped:
        return replace(one, failed=failed, blocked=None)
    blocked = result.message if result.blocked else None
    return replace(one, failed=failed, blocked=blocked, rows=result.batch_rows, quarantined=result.quarantined_rows)


def _due(freshness: Freshness | None, ended: datetime | None) -> datetime | None:
    hours = None if freshness is None else freshness.fail_after_hours
    return None if hours is None or ended is None else ended.astimezone(UTC) + timedelta(hours=hours)
