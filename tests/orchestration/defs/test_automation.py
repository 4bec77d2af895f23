from __future__ import annotations

import os
import time
from typing import Any

import dagster as dg
import pytest

from orchestration.definitions import build
from orchestration.platform import FILE


@pytest.fixture
def new_files(shop: Any) -> dg.SensorDefinition:
    for file in shop.project.landing.rglob("*.*"):
        os.utime(file, (time.time() - 60, time.time() - 60))
    return build(shop.declared()).get_sensor_def("new_files")


def tick(sensor: dg.SensorDefinition, instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        return sensor.evaluate_tick(context)


def test_new_files_ask_for_one_refresh(shop: Any, new_files: dg.SensorDefinition) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        first = tick(new_files, instance)
        assert [request.job_name or "refresh" for request in first.run_requests] == ["refresh"]
        again = tick(new_files, instance, first.cursor)
        assert not again.run_requests
        assert "nothing new" in again.skip_message
        file = shop.deliver("2024-03-03", [("r5", 1, 1, "1.00")])
        assert "still being written" in tick(new_files, instance, first.cursor).skip_message
        os.utime(file, (time.time() - 60, time.time() - 60))
        third = tick(new_files, instance, first.cursor)
        assert third.run_requests[0].run_key != first.run_requests[0].run_key


def test_what_a_refresh_delivers_itself_asks_for_no_other(shop: Any, new_files: dg.SensorDefinition) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        first = tick(new_files, instance)
        own = shop.project.landing / FILE
        own.parent.mkdir()
        own.write_text("[]\n", encoding="utf-8")
        assert "nothing new" in tick(new_files, instance, first.cursor).skip_message


def test_new_files_wait_for_a_running_refresh(new_files: dg.SensorDefinition) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run = _running(instance)
        waiting = tick(new_files, instance)
        assert not waiting.run_requests
        assert "a refresh is running" in waiting.skip_message
        assert waiting.cursor is None
        instance.report_run_canceled(run)
        assert tick(new_files, instance).run_requests


def _running(instance: dg.DagsterInstance) -> dg.DagsterRun:
    @dg.job(name="refresh")
    def job() -> None:
        return

    return instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)


@pytest.fixture
def approved(shop: Any) -> Any:
    shop.declared()
    shop.certify()
    return shop


def sensor(shop: Any) -> dg.SensorDefinition:
    from orchestration.generate import read_current

    return build(read_current(shop.settings)).get_sensor_def("approved_changes")


def test_an_approved_change_asks_for_what_it_touches_once(approved: Any) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        first = tick(sensor(approved), instance)
        assert not first.run_requests, "what was certified as it stood changes nothing"
        approved.change("net_sales", "expr: amount_usd", "expr: amount_usd * 2")
        second = tick(sensor(approved), instance, first.cursor)
        [request] = second.run_requests
        assert {key.to_user_string() for key in request.asset_selection} == {
            "metric/sales/net_sales",
            "metrics/sales_by_store_daily",
        }
        assert (request.tags["cause"], request.tags["requests"]) == ("approved change", "CR-1")
        again = tick(sensor(approved), instance, second.cursor)
        assert not again.run_requests
        assert "nothing was approved" in again.skip_message


def test_an_approved_change_waits_for_a_running_refresh_and_then_catches_up(approved: Any) -> None:
    approved.change("net_sales", "expr: amount_usd", "expr: amount_usd * 2")
    approved.change("receipts", "direction: up", "direction: down")
    loaded = sensor(approved)
    with dg.DagsterInstance.ephemeral() as instance:
        run = _running(instance)
        waiting = tick(loaded, instance)
        assert not waiting.run_requests
        assert "a refresh is running" in waiting.skip_message
        instance.report_run_canceled(run)
        [request] = tick(loaded, instance, waiting.cursor).run_requests
        assert request.tags["requests"] == "CR-1, CR-2"


def test_older_definitions_wait_to_be_loaded_again_but_not_for_ever(
    approved: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.defs import automation

    old = sensor(approved)
    approved.change("net_sales", "expr: amount_usd", "expr: amount_usd * 2")
    with dg.DagsterInstance.ephemeral() as instance:
        waiting = tick(old, instance)
        assert not waiting.run_requests
        assert "loaded again" in waiting.skip_message
        monkeypatch.setattr(automation, "RELOAD", automation.RELOAD * 0)
        assert len(tick(old, instance, waiting.cursor).run_requests) == 1


def test_nothing_is_approved_where_nothing_is_certified(shop: Any) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert not tick(sensor(shop), instance).run_requests
    assert not shop.project.state.joinpath("ops.db").exists()


def test_an_empty_landing_folder_asks_for_nothing(shop: Any, new_files: dg.SensorDefinition) -> None:
    import shutil

    shutil.rmtree(shop.project.landing)
    with dg.DagsterInstance.ephemeral() as instance:
        assert not tick(new_files, instance).run_requests


def test_the_daily_refresh_follows_the_settings(shop: Any) -> None:
    schedule = build(shop.declared()).get_schedule_def("refresh_daily")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * *", "Asia/Shanghai")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert schedule.job_name == "refresh"
    with dg.build_schedule_context() as context:
        assert len(schedule.evaluate_tick(context).run_requests or []) == 1


def test_a_failed_run_is_said_with_its_cause(shop: Any, capfd: pytest.CaptureFixture[str]) -> None:
    shop.deliver("2024-03-03", [("r5", "x", "y", "z")])
    definitions = build(shop.declared())
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("refresh").execute_in_process(instance=instance, raise_on_error=False)
        assert not result.success
        failed = result.get_run_failure_event()
        context = dg.build_run_status_sensor_context(
            sensor_name="run_failed", dagster_instance=instance, dagster_run=result.dagster_run, dagster_event=failed
        ).for_run_failure()
        capfd.readouterr()
        definitions.get_sensor_def("run_failed")(context)
    said = capfd.readouterr().err
    assert "receipts_2024-03-03.csv:2" in said
    assert result.run_id in said
