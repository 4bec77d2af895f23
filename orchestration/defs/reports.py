"""Assets ``report/<name>`` with a schedule each, and the sensor that takes up what waited for data or failed.

None is part of ``refresh``: a report is made when it is due, whatever was refreshed then. A file that cannot be read is
left out and said; it stops nothing.
"""

# Annotations are not postponed here: Dagster reads that of `context` and takes no text.

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from dagster import AssetExecutionContext

from metrics_catalog.report_files import ReportFile, read_reports
from metrics_catalog.spec.base import said
from orchestration.declared import Declared
from orchestration.describe import foreseen, metric_key, owners
from orchestration.faults import SYSTEM, Failed
from orchestration.reports import deliver, unfinished

RETRIES = dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL)
LOOK_SECONDS = 60  # between two looks for what waits; one query when nothing does


def definitions(declared: Declared) -> dg.Definitions:
    """An asset, a job and a schedule for each report; sensor ``unfinished_reports``."""
    found, problems = read_reports(declared.project)
    for problem in problems:
        dg.get_dagster_logger().warning("report left out: %s", problem)
    assets = [_asset(declared, report) for report in found.values()]
    jobs = [dg.define_asset_job(f"report_{name}", dg.AssetSelection.assets(asset_key(name))) for name in found]
    schedules = [_schedule(declared, report) for report in found.values() if report.spec.schedule]
    sensors = [_unfinished(declared, jobs)] if jobs else []
    return dg.Definitions(assets=assets, jobs=jobs, schedules=schedules, sensors=sensors)


def asset_key(name: str) -> dg.AssetKey:
    """``report/<name>``."""
    return dg.AssetKey(["report", name])


def _asset(declared: Declared, report: ReportFile) -> dg.AssetsDefinition:
    spec, catalog = report.spec, declared.catalog
    known = [catalog.metrics[name] for name in spec.metrics if name in catalog.metrics]

    @dg.asset(
        key=asset_key(report.name),
        deps=[metric_key(entry.domain, entry.name) for entry in known],
        description=f"{spec.label.en} · {spec.label.zh}\n\n{said(spec.description or '', 'en')}".strip(),
        group_name="reports",
        owners=owners(catalog.people, spec.owner),
        kinds={"report"},
        tags={"owner": spec.owner, "grain": spec.grain},
        metadata={"file": report.document.path, "schedule": spec.schedule or "", "on_late": spec.on_late},
        retry_policy=RETRIES,
    )
    def made(context: AssetExecutionContext) -> dg.MaterializeResult:
        with foreseen():
            outcome = deliver(declared.settings, report.name, context.log.info)
            if outcome.errors:
                raise Failed("\n".join(outcome.errors), SYSTEM)
        if outcome.waiting:
            context.log.warning("%s waits: %s", report.name, outcome.waiting)
        told = {"period": str(outcome.period), "copies": outcome.made, "copies_before": outcome.already}
        return dg.MaterializeResult(metadata={**told, "letters": outcome.letters, "waiting": outcome.waiting or ""})

    return made


def _schedule(declared: Declared, report: ReportFile) -> dg.ScheduleDefinition:
    """A run makes what is due when it runs, so of several missed ticks the first makes it and the rest find it made."""
    return dg.ScheduleDefinition(
        name=f"report_{report.name}",
        job_name=f"report_{report.name}",
        cron_schedule=str(report.spec.schedule),
        execution_timezone=declared.catalog.policy.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _unfinished(declared: Declared, jobs: Sequence[Any]) -> dg.SensorDefinition:
    reports = {job.name.removeprefix("report_") for job in jobs}

    @dg.sensor(
        jobs=jobs,
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Takes up reports that wait for data once it is there, and those that failed, after a while.",
    )
    def unfinished_reports(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        names = [name for name in unfinished(declared.settings) if name in reports and not _runs(context, name)]
        if not names:
            yield dg.SkipReason("nothing waits that could be made now")
        for name in names:
            yield dg.RunRequest(job_name=f"report_{name}", tags={"cause": "unfinished report"})

    return unfinished_reports


def _runs(context: dg.SensorEvaluationContext, name: str) -> bool:
    statuses = [
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
    ]
    return bool(context.instance.get_run_ids(dg.RunsFilter(job_name=f"report_{name}", statuses=statuses), limit=1))
