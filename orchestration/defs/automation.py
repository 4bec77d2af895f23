"""When a refresh runs and who hears of a failure: job, schedule, sensors. Sensors only look and enqueue."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from orchestration.declared import Declared
from orchestration.landing import Landing, look

JOB = "refresh"


def definitions(declared: Declared) -> dg.Definitions:
    """Job ``refresh`` over everything, its schedule, new files, failures."""
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.all(),
        description="Land, clean, build, publish: whatever changed since last time.",
    )
    schedule = dg.ScheduleDefinition(
        name="refresh_daily",
        job=job,
        cron_schedule=declared.settings.refresh_cron,
        execution_timezone=declared.catalog.policy.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    return dg.Definitions(jobs=[job], schedules=[schedule], sensors=[_new_files(declared), run_failed])


def _new_files(declared: Declared) -> dg.SensorDefinition:
    @dg.sensor(
        job_name=JOB,
        minimum_interval_seconds=declared.settings.new_files_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Refreshes when the landing folder changed, nothing is still being written and no refresh runs.",
    )
    def new_files(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        landing = look(declared.project.landing)
        yield _decide(context, landing)

    return new_files


def _decide(context: dg.SensorEvaluationContext, landing: Landing) -> dg.RunRequest | dg.SkipReason:
    if not landing.files or landing.state == context.cursor:
        return dg.SkipReason("nothing new in the landing folder")
    if landing.writing:
        return dg.SkipReason(f"{landing.writing} is still being written")
    unfinished = dg.RunsFilter(job_name=JOB, statuses=_UNFINISHED)
    if context.instance.get_run_ids(unfinished, limit=1):
        return dg.SkipReason("a refresh is running")
    context.update_cursor(landing.state)
    return dg.RunRequest(run_key=landing.state, tags={"cause": "new files"})


_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.run_failure_sensor(default_status=dg.DefaultSensorStatus.RUNNING)
def run_failed(context: dg.RunFailureSensorContext) -> None:
    """Say in the log which run failed and why."""
    lines = [context.failure_event.message]
    for event in context.get_step_failure_events():
        data = event.step_failure_data
        given = data.user_failure_data.description if data.user_failure_data else None
        why = given or (data.error.message.strip() if data.error else event.message)
        lines.append(f"{event.step_key}: {why}")
    context.log.error(
        "run %s of %s failed\n%s",
        context.dagster_run.run_id,
        context.dagster_run.job_name,
        "\n".join(filter(None, lines)),
    )
