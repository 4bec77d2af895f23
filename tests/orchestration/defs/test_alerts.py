"""The asset and the sensor of alerts, on the shop."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from metrics_catalog.monitoring.incidents import Incidents
from metrics_catalog.ops.store import open_store
from orchestration.alerting import tell_failed
from orchestration.definitions import build


def incidents(shop: Any) -> Incidents:
    return Incidents(open_store(shop.project.ops), shop.declared().catalog, lambda: datetime.now(UTC))


def names(shop: Any) -> list[str]:
    return [one.text("en") for one in incidents(shop).found()]


def test_a_refresh_says_what_is_open_and_where(refreshed: Any) -> None:
    refreshed.deliver("2024-03-03", [("r5", 1, 1, "2.00")])
    job = build(refreshed.declared()).resolve_job_def("refresh")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
        said = instance.get_latest_materialization_event(dg.AssetKey("alerts"))
        assert said is not None
        assert said.asset_materialization is not None
        data = {name: one.value for name, one in said.asset_materialization.metadata.items()}
        seen = instance.fetch_observations(dg.AssetKey(["metric", "sales", "net_sales"]), limit=1).records
    assert result.success
    assert data["open_incidents"] == 1
    assert data["judged_version"] is not None
    assert [one.asset_observation.metadata["alert"].value for one in seen if one.asset_observation] == [True]
    assert names(refreshed) == [
        "Data late or missing: receipts: 4 Mar 2024 and 1 more day not delivered (2 metrics wait for it)"
    ]


def test_the_sensor_ends_what_works_again_and_asks_again(refreshed: Any) -> None:
    declared = refreshed.declared()
    tell_failed(declared.project, declared.catalog, "report_weekly", "boom\nmore")
    assert "Platform fault: the run of report_weekly failed, published values are as they were: boom" in names(
        refreshed
    )
    tick = build(declared).get_sensor_def("unanswered_alerts")
    with dg.DagsterInstance.ephemeral() as instance:
        said = tick(dg.build_sensor_context(instance))
        assert "nobody has to be asked" in str(getattr(said, "skip_message", said))
        assert len(names(refreshed)) == 2
        instance.create_run_for_job(  # the newest run of that job
            build(declared).resolve_job_def("refresh"), status=dg.DagsterRunStatus.SUCCESS
        )
        tell_failed(declared.project, declared.catalog, "refresh", "boom")
        tick(dg.build_sensor_context(instance))
    assert [one for one in names(refreshed) if "refresh" in one] == []
