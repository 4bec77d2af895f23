"""The sensor that empties the outbox, here and not in runs: a message must not wait for a run to start."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from orchestration.declared import Declared
from orchestration.notify.outbox import ask, drain, waits

SECONDS = 10  # between two looks; a look that finds nothing is one query
BUDGET_SECONDS = 25.0  # a tick may take 60


def definitions(declared: Declared) -> dg.Definitions:
    """Sensor ``outbox``."""

    @dg.sensor(
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends what waits in the outbox: alerts, requests, reports.",
    )
    def outbox(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ask(declared.project)
        if not waits(declared.project, datetime.now(UTC)):
            return dg.SkipReason("nothing waits")
        done = drain(declared.settings, BUDGET_SECONDS, context.log.info)
        if done is None:
            return dg.SkipReason("somebody else sent it")
        for channel, error in done.errors.items():
            context.log.warning("%s: %s", channel, error)
        return dg.SkipReason(f"sent {done.sent}, put off {done.counts['later']}, given up {done.counts['dead']}")

    return dg.Definitions(sensors=[outbox])
