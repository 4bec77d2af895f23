"""Job and sensor of the review: due decisions are measured, packs kept and told once, triggers seen once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import sqlalchemy as sa

from metrics_catalog.ops.store import open_store, reading, writing
from metrics_catalog.ops.tables import decisions, incidents, outbox
from metrics_catalog.review.triggers import Trigger
from orchestration.defs.review import JOB, definitions, requests
from orchestration.reviewing import Wanted

NOW = datetime(2024, 3, 10, 8, tzinfo=UTC)


def built(shop: Any) -> dg.Definitions:
    return definitions(shop.declared())


def run(shop: Any, **config: str) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        job = built(shop).resolve_job_def(JOB)
        given = {"ops": {"write_review": {"config": config}}}
        return job.execute_in_process(instance=instance, run_config=given)


def look(shop: Any, cursor: str | None = None) -> Any:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        sensor = next(one for one in built(shop).sensors or [] if one.name == "review_wanted")
        assert isinstance(sensor, dg.SensorDefinition)
        return sensor.evaluate_tick(context)


def letters(shop: Any) -> list[str]:
    with reading(open_store(shop.project.ops)) as con:
        return [one.key for one in con.execute(sa.select(outbox))]


def test_the_job_writes_a_pack_and_tells_the_stewards_once(refreshed: Any) -> None:
    refreshed.certify()
    assert run(refreshed, cause="month").success
    assert run(refreshed, cause="month").success
    kept = sorted(refreshed.project.state.glob("reports/review/*/review.zh.html"))
    assert len(kept) in (1, 2), "two within one second are one"
    assert kept[0].parent.name.startswith("2024-03-")
    told = [key for key in letters(refreshed) if key.startswith("review/")]
    assert told == ["review/month/2024-03/console/fang", "review/month/2024-03/console/li"]


def test_a_monthly_review_is_about_the_month_before_its_tick_however_late_it_runs(shop: Any) -> None:
    def month(at: datetime) -> str:
        schedule = next(iter(built(shop).schedules or ()))
        assert isinstance(schedule, dg.ScheduleDefinition)
        with dg.build_schedule_context(scheduled_execution_time=at) as context:
            (asked,) = list(schedule.evaluate_tick(context).run_requests or [])
        return asked.run_config["ops"]["write_review"]["config"]["month"]

    tick = datetime(2024, 3, 1, 7, 30, tzinfo=UTC)
    assert month(tick) == "", "the calendar of the shop stands still"
    shop.replace("metrics_catalog/policy.yml", "business_date: 2024-03-05", "")
    assert month(tick) == "2024-02-01"
    assert month(datetime(2024, 2, 29, 23, 30, tzinfo=UTC)) == "2024-02-01", "1 March in Shanghai"


def test_a_run_for_what_is_due_measures_and_writes_nothing(refreshed: Any) -> None:
    assert run(refreshed, cause="due").success
    assert not list(refreshed.project.state.glob("reports/review/*"))


def test_the_sensor_wants_a_review_for_each_cause_once(refreshed: Any) -> None:
    quiet = look(refreshed)
    assert quiet.skip_message == "no decision is due and nothing asks for a review"
    at = (datetime.now(UTC) - timedelta(days=4)).isoformat(timespec="milliseconds")
    row = {"key": "k", "state": "open", "severity": 2, "metric": "net_sales", "opened_at": at, "updated_at": at}
    with writing(open_store(refreshed.project.ops), incidents) as con:
        con.execute(sa.insert(incidents).values(number=901, data=json.dumps({"cause": "move"}), **row))
    first = look(refreshed, quiet.cursor)
    (asked,) = first.run_requests or []
    assert asked.run_config["ops"]["write_review"]["config"]["cause"] == "unanswered"
    assert asked.tags["events"] == "INC-901"
    assert look(refreshed, first.cursor).run_requests == []


def test_a_decision_that_is_due_is_measured_by_a_run_of_its_own(refreshed: Any) -> None:
    from metrics_catalog.decisions.desk import Decisions, Said
    from metrics_catalog.governance.begun import official_catalog

    refreshed.write_people()
    before = datetime(2024, 2, 20, tzinfo=UTC)
    refreshed.replace("metrics_catalog/policy.yml", "business_date: 2024-03-05", "business_date: 2024-02-29")
    desk = Decisions(open_store(refreshed.project.ops), official_catalog(refreshed.project), lambda: before)
    desk.decide("net_sales", Said("look", expect="by 2024-03-02"), "wei")
    refreshed.replace("metrics_catalog/policy.yml", "business_date: 2024-02-29", "business_date: 2024-03-05")
    (asked,) = look(refreshed).run_requests or []
    assert asked.tags["cause"] == "due"
    assert run(refreshed, cause="due").success
    with reading(open_store(refreshed.project.ops)) as con:
        assert con.execute(sa.select(decisions.c.state)).scalars().all() == ["measured"]
    assert any(key.startswith("decision/1/measured/") for key in letters(refreshed))
    assert look(refreshed).skip_message


def test_requests_measure_again_when_an_hour_has_passed() -> None:
    found = Wanted(due=("D-1",))
    keys = [next(iter(requests(found, [], NOW + timedelta(minutes=n)))).run_key for n in (0, 30, 60)]  # pyright: ignore
    assert keys[0] == keys[1] != keys[2]
    both = next(iter(requests(found, [Trigger("target", "x/1")], NOW)))
    assert isinstance(both, dg.RunRequest)
    assert both.tags["cause"] == "target"


def test_a_project_that_was_never_refreshed_wants_nothing(shop: Any) -> None:
    assert look(shop).skip_message
    assert not shop.project.state.joinpath("ops.db").exists()
