"""When a refresh runs and who hears of a failure: job, schedule, sensors. Sensors only look and enqueue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from metrics_catalog.governance.begun import ledger_of
from metrics_catalog.governance.ledger import Entry
from orchestration.approved import KINDS, decided, touched
from orchestration.declared import Declared
from orchestration.landing import Landing, look
from orchestration.platform import FILE
from orchestration.resources import JOB

APPROVALS_SECONDS = 15  # so that an approved value is published within a minute
RELOAD = timedelta(minutes=2)  # `metrics up` loads new definitions in seconds; other servers may never do


def definitions(declared: Declared) -> dg.Definitions:
    """Job ``refresh`` over everything but reports, its schedule, new files, failures."""
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.all() - dg.AssetSelection.key_prefixes("report"),
        description="Land, clean, build, publish: whatever changed since last time.",
    )
    schedule = dg.ScheduleDefinition(
        name="refresh_daily",
        job=job,
        cron_schedule=declared.settings.refresh_cron,
        execution_timezone=declared.catalog.policy.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    sensors = [_new_files(declared), _approved_changes(declared), _run_failed(declared)]
    return dg.Definitions(jobs=[job], schedules=[schedule], sensors=sensors)


def _new_files(declared: Declared) -> dg.SensorDefinition:
    @dg.sensor(
        job_name=JOB,
        minimum_interval_seconds=declared.settings.new_files_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Refreshes when the landing folder changed, nothing is still being written and no refresh runs.",
    )
    def new_files(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        # A refresh delivers the platform's own events itself: that is no reason for another.
        landing = look(declared.project.landing, without=[(declared.project.landing / FILE).parent])
        yield _decide(context, landing)

    return new_files


def _decide(context: dg.SensorEvaluationContext, landing: Landing) -> dg.RunRequest | dg.SkipReason:
    if not landing.files or landing.state == context.cursor:
        return dg.SkipReason("nothing new in the landing folder")
    if landing.writing:
        return dg.SkipReason(f"{landing.writing} is still being written")
    if _is_refreshing(context):
        return dg.SkipReason("a refresh is running")
    context.update_cursor(landing.state)
    return dg.RunRequest(run_key=landing.state, tags={"cause": "new files"})


def _approved_changes(declared: Declared) -> dg.SensorDefinition:
    @dg.sensor(
        job_name=JOB,
        minimum_interval_seconds=APPROVALS_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Refreshes what an approved change touches, once no refresh runs. Cursor: the ledger's last entry.",
    )
    def approved_changes(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        ledger = ledger_of(declared.project)
        seen = int(context.cursor or 0)
        if ledger is None or ledger.newest(*KINDS) <= seen:
            yield dg.SkipReason("nothing was approved since")
            return
        yield _follow(context, declared, [entry for entry in ledger.entries() if entry.seq > seen])

    return approved_changes


def _follow(
    context: dg.SensorEvaluationContext, declared: Declared, entries: Sequence[Entry]
) -> dg.RunRequest | dg.SkipReason:
    approved = decided(entries)
    if approved and _is_refreshing(context):
        return dg.SkipReason("a refresh is running")
    if late := _not_loaded(declared, approved):
        return dg.SkipReason(f"entry {late.seq} of the ledger is newer than these definitions; they are loaded again")
    context.update_cursor(str(entries[-1].seq))
    keys = touched(declared, approved)
    if not keys:
        return dg.SkipReason("what was approved touches no value")
    requests = ", ".join(f"CR-{entry.event.data['request']}" for entry in approved)
    return dg.RunRequest(
        run_key=f"ledger {approved[-1].seq}",
        asset_selection=keys,
        tags={"cause": "approved change", "requests": requests},
    )


def _not_loaded(declared: Declared, entries: Sequence[Entry]) -> Entry | None:
    """An entry that changes definitions and came after these were loaded, for as long as it is worth waiting."""
    record = declared.definitions.record
    loaded = 0 if record is None else record.head.seq
    since = datetime.now(UTC) - RELOAD
    return next((one for one in entries if one.event.kind == "certified" and one.seq > loaded and one.at > since), None)


def _is_refreshing(context: dg.SensorEvaluationContext) -> bool:
    return bool(context.instance.get_run_ids(dg.RunsFilter(job_name=JOB, statuses=_UNFINISHED), limit=1))


_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def _run_failed(declared: Declared) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name="run_failed",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Says which run failed and why; one that ended without saying so itself becomes an incident.",
    )
    def run_failed(context: dg.RunFailureSensorContext) -> None:
        failed = context.get_step_failure_events()
        lines = [context.failure_event.message, *(f"{event.step_key}: {_why(event)}" for event in failed)]
        run = context.dagster_run
        context.log.error("run %s of %s failed\n%s", run.run_id, run.job_name, "\n".join(filter(None, lines)))
        if not failed or run.job_name != JOB:  # a refresh that lived to its end has told
            from orchestration.alerting import tell_failed

            tell_failed(declared.project, declared.catalog, run.job_name, lines[-1] or "it ended without a word")

    return run_failed


def _why(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    given = data.user_failure_data.description if data.user_failure_data else None
    return given or (data.error.message.strip() if data.error else event.message) or ""
