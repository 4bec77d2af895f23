"""Job ``review``: decisions that are due are measured, then the review is written; monthly, and when something asks."""

# Annotations are not postponed here: Dagster reads that of `context` and takes no text.

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg
from dagster import OpExecutionContext

from orchestration.declared import Declared
from orchestration.describe import foreseen
from orchestration.reviewing import MONTH, Wanted, look, measure, review

if TYPE_CHECKING:
    from metrics_catalog.review.triggers import Trigger

JOB = "review"
MONTHLY = "30 7 1 * *"  # after the refresh that closes the month
TICK_SECONDS = 600  # a look reads incidents, the ledger and the last publish: half a second
DUE = "due"  # the cause that only measures decisions


def definitions(declared: Declared) -> dg.Definitions:
    """The job, its monthly schedule, and one sensor for all that asks for it in between."""
    job = _job(declared)
    return dg.Definitions(jobs=[job], schedules=[_monthly(declared, job)], sensors=[_wanted(declared)])


def _monthly(declared: Declared, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Reviews the month before its tick, however late it runs; that of a fixed business date."""
    policy = declared.catalog.policy

    @dg.schedule(
        name="review_monthly",
        job=job,
        cron_schedule=MONTHLY,
        execution_timezone=policy.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def review_monthly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        due = context.scheduled_execution_time.astimezone(ZoneInfo(policy.timezone)).date()
        month = (due.replace(day=1) - timedelta(days=1)).replace(day=1)
        about = "" if policy.business_date is not None else month.isoformat()
        return dg.RunRequest(run_config=_config(MONTH, "", about), tags={"cause": MONTH})

    return review_monthly


def _job(declared: Declared) -> dg.JobDefinition:
    @dg.op(
        config_schema={
            "cause": dg.Field(str, default_value="demand", description="month, demand, due, or what triggered it."),
            "event": dg.Field(str, default_value="", description="What exactly it is for; the same is told once."),
            "month": dg.Field(str, default_value="", description="First day of the month; else that of the last day."),
        },
        description="Measures decisions that are due; unless that is all, writes the review and tells who governs.",
    )
    def write_review(context: OpExecutionContext) -> None:
        config, now = context.op_config, datetime.now(UTC)
        with foreseen():
            for one in measure(declared.project, now):
                context.log.info("%s measured: %s", one.name, (one.outcome or {}).get("verdict"))
            if config["cause"] == DUE:
                return
            month = date.fromisoformat(config["month"]) if config["month"] else None
            made = review(declared.project, config["cause"], config["event"], now, month)
        context.log.info("%s items, %s letters, kept in %s", made.items, made.told, made.folder)
        context.add_output_metadata({"items": made.items, "letters": made.told, "folder": str(made.folder)})

    @dg.job(
        name=JOB, description="Review of the metric system: unused, noisy, slow, missed, open, and what came of it."
    )
    def review_job() -> None:
        write_review()

    return review_job


def _wanted(declared: Declared) -> dg.SensorDefinition:
    @dg.sensor(
        name="review_wanted",
        job_name=JOB,
        minimum_interval_seconds=TICK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Decisions due; series that keep breaking, unanswered alerts, changed definitions, missed targets.",
    )
    def review_wanted(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        found = look(declared.project, datetime.now(UTC))
        seen = set(json.loads(context.cursor or "[]"))
        new = [one for one in found.triggers if one.event not in seen]
        context.update_cursor(json.dumps(sorted(one.event for one in found.triggers)))
        yield from requests(found, new, datetime.now(UTC))

    return review_wanted


def requests(found: Wanted, new: "Sequence[Trigger]", now: datetime) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run for all that is new, which measures what is due too; else one an hour that only measures."""
    if new:
        event = _digest([one.event for one in new])
        tags = {"cause": new[0].cause, "events": ", ".join(one.event for one in new)[:200]}
        yield dg.RunRequest(run_key=event, run_config=_config(new[0].cause, event), tags=tags)
    elif found.due:
        event = _digest(found.due)
        yield dg.RunRequest(run_key=f"{event} {now:%Y-%m-%d %H}", run_config=_config(DUE, event), tags={"cause": DUE})
    else:
        yield dg.SkipReason("no decision is due and nothing asks for a review")


def _config(cause: str, event: str, month: str = "") -> dict[str, object]:
    return {"ops": {"write_review": {"config": {"cause": cause, "event": event, "month": month}}}}


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
