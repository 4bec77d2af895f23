"""What a refresh hands to monitoring: its sources' owners, what was published, what failed. Knows no Dagster."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestration.faults import SYSTEM, exit_code, message

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog
    from metrics_catalog.monitoring.watching import Watch
    from metrics_catalog.project import Project
    from orchestration.declared import Declared

RUN = "run"  # the kind of fault that a failed run is


def watch(declared: Declared, now: datetime, judge: bool = True, catalog: Catalog | None = None) -> Watch:
    """Bring incidents in line with what is so now. Raises `OpsUnavailable`."""
    from metrics_catalog.monitoring.watching import watch as look

    owners = {name: spec.owner for name, spec in declared.sources.items()}
    return look(declared.project, catalog or declared.catalog, now, owners, judge=judge)


def run_failed(project: Project, catalog: Catalog, job: str, errors: Sequence[BaseException]) -> None:
    """Open an incident for a run that failed by the system; what data is at fault for is an incident of its source.

    Raises `OpsUnavailable`.
    """
    system = [error for error in errors if exit_code(error) == SYSTEM and not _of_source(error)]
    if system:
        tell_failed(project, catalog, job, message(system[0]))


def tell_failed(project: Project, catalog: Catalog, job: str, why: str) -> None:
    """Open an incident for a run of ``job`` that failed, unless there is one. Raises `OpsUnavailable`."""
    from metrics_catalog.monitoring.incidents import system_fault
    from metrics_catalog.ops.store import open_store

    line = (why.strip().splitlines() or ["?"])[0][:300]
    text = {
        "en": f"the run of {job} failed, published values are as they were: {line}",
        "zh": f"任务 {job} 运行失败，已发布数值不变：{line}",
    }
    system_fault(open_store(project.ops), catalog, RUN, job, text, datetime.now(UTC))


def run_succeeded(project: Project, catalog: Catalog, job: str) -> None:
    """A run of ``job`` published again. Raises `OpsUnavailable`."""
    from metrics_catalog.governance.begun import has_store
    from metrics_catalog.monitoring.incidents import system_recovered
    from metrics_catalog.ops.store import open_store

    if has_store(project):
        system_recovered(open_store(project.ops), catalog, RUN, job, datetime.now(UTC))


def _of_source(error: BaseException) -> bool:
    """A source system that cannot be reached is told as that source's."""
    from orchestration.ingest.result import SourceUnavailable

    return isinstance(error, SourceUnavailable)
