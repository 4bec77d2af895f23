"""The sensor that empties the outbox."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from metrics_catalog.message import Letter, Message
from metrics_catalog.ops.outbox import put
from metrics_catalog.ops.store import open_store, writing
from orchestration.definitions import build


def test_the_sensor_sends_what_waits_and_does_nothing_when_nothing_does(shop: Any) -> None:
    sensor = build(shop.declared()).get_sensor_def("outbox")

    def tick() -> Any:
        with dg.DagsterInstance.ephemeral() as instance, dg.build_sensor_context(instance=instance) as context:
            return sensor.evaluate_tick(context)

    assert tick().skip_message == "nothing waits"
    engine = open_store(shop.project.ops)
    with writing(engine, None) as con:
        put(con, [Letter("INC-1", "slack", "C0", Message("跌了", severity=1))], datetime.now(UTC))
    assert tick().skip_message == "sent 1, put off 0, given up 0"
    assert tick().skip_message == "nothing waits"
    engine.dispose()
