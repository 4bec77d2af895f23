"""What a refresh hands to monitoring: its sources' owners, what was published, what failed. Knows no Dagster."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestration.faults import message

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog
    from metrics_catalog.monitoring.watching import Watch
    from metrics_catalog.project import Project
    from orchestration.declared import Declared
    from orchestration.refresh import Report

RUN = "run"  # the kind of fault that a failed run is


def watch(declared: Declared, now: datetime, judge: bool = True, catalog: Catalog | None = None) -> Watch:
    """Bring incidents in line with what is so now. Raises `OpsUnavailable`."""
    from metrics_catalog.monitoring.watching import watch as look

    owners = {name: spec.owner for name, spec in declared.sources.items()}
    return look(declared.project, catalog or declared.catalog, now, owners, judge=judge)


def run_ended(declared: Declared, report: Report, job: str) -> None:
    """Open an incident for a run that failed, or end it; what a source is at fault for is an incident of the source.

    Raises `OpsUnavailable`.
    """
    from orchestration.ingest.result import SourceError, SourceUnavailable

    of_sources = (SourceError, SourceUnavailable)
    failures = () if report.transformed is None else report.transformed.failures
    why = [message(error) for error in report.errors if not isinstance(error, of_sources)] + [
        str(one) for one in failures
    ]
    if why:
        tell_failed(declared.project, declared.catalog, job, why[0])
    elif report.published is not None and not report.errors:
        _succeeded(declared.project, declared.catalog, job)


def tell_failed(project: Project, catalog: Catalog, job: str, why: str) -> None:
    """Open an incident for a run of ``job`` that failed, unless there is one. Raises `OpsUnavailable`."""
    from metrics_catalog.monitoring.platform_faults import system_fault
    from metrics_catalog.ops.store import open_store

    line = (why.strip().splitlines() or ["?"])[0][:300]
    text = {
        "en": f"the run of {job} failed, published values are as they were: {line}",
        "zh": f"任务 {job} 运行失败，已发布数值不变：{line}",
    }
    system_fault(open_store(project.ops), catalog, RUN, job, text, datetime.now(UTC))


def _succeeded(project: Project, catalog: Catalog, job: str) -> None:
    from metrics_catalog.governance.begun import has_store
    from metrics_catalog.monitoring.platform_faults import system_recovered
    from metrics_catalog.ops.store import open_store

    if has_store(project):
        system_recovered(open_store(project.ops), catalog, RUN, job, datetime.now(UTC))
