"""Reports in Dagster: an asset and a schedule each, outside the refresh; what waits or failed is taken up again."""

from __future__ import annotations

import json
from typing import Any

import dagster as dg
import pytest

from metrics_catalog.ops.store import open_store
from metrics_catalog.reporting import issues, shelf
from orchestration.definitions import build
from orchestration.reports import shown, unfinished

REPORT = """\
label: {en: Daily, zh: 日报}
owner: data
grain: day
schedule: "0 8 * * *"
audience: {teams: [data]}
sections:
  - {type: headline, metrics: [net_sales]}
  - {type: trend, metrics: [net_sales], periods: 3}
"""


def with_report(shop: Any, text: str = REPORT) -> dg.Definitions:
    """The shop on the day after its last delivery, with a report."""
    shop.replace("metrics_catalog/policy.yml", "2024-03-05", "2024-03-02")
    folder = shop.project.reports
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "daily.yml").write_text(text, encoding="utf-8")
    (folder / "broken.yml").write_text("label: {en: Broken}\n", encoding="utf-8")
    return build(shop.declared())


def run(definitions: dg.Definitions) -> Any:
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def("report_daily")
        return job.execute_in_process(instance=instance, raise_on_error=False)


def rows(shop: Any) -> list[shelf.Row]:
    engine = open_store(shop.project.ops)
    found = shelf.rows(engine)
    engine.dispose()
    return found


def test_a_report_is_an_asset_with_a_schedule_outside_the_refresh(refreshed: Any) -> None:
    definitions = with_report(refreshed)
    asset = definitions.resolve_asset_graph().get(dg.AssetKey(["report", "daily"]))
    assert dg.AssetKey(["metric", "sales", "net_sales"]) in asset.parent_keys
    schedule = definitions.get_schedule_def("report_daily")
    assert (schedule.cron_schedule, schedule.default_status) == ("0 8 * * *", dg.DefaultScheduleStatus.RUNNING)
    refresh = definitions.resolve_job_def("refresh").asset_layer.executable_asset_keys
    assert asset.key not in refresh
    assert dg.AssetKey(["metric", "sales", "net_sales"]) in refresh


def test_a_run_makes_it_once_with_page_pdf_and_picture(refreshed: Any) -> None:
    definitions = with_report(refreshed)
    first, again = run(definitions), run(definitions)
    assert first.success
    assert again.success
    counts = [one.asset_materializations_for_node("report__daily")[0].metadata for one in (first, again)]
    assert [int(one["copies"].value) for one in counts] == [1, 0]
    (row,) = rows(refreshed)
    assert (row.state, row.period.isoformat()) == ("made", "2024-03-02")
    assert {kind for kind in ("html", "pdf", "png") if shelf.file_of(refreshed.project, row, kind)} == {
        "html",
        "pdf",
        "png",
    }
    assert shelf.body_of(refreshed.project, row)["blocks"][0]["cards"][0]["value"] == "$12.50"


def test_a_renderer_that_fails_fails_the_run_with_its_words_and_is_taken_up_again(
    refreshed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(body: Any) -> bytes:
        raise RuntimeError("no fonts")

    monkeypatch.setattr("orchestration.defs.reports.RETRIES", dg.RetryPolicy(max_retries=0))
    monkeypatch.setitem(issues._RENDERERS, "pdf", broken)
    definitions = with_report(refreshed)
    failed = run(definitions)
    assert not failed.success
    told = [one.step_failure_data for one in failed.all_events if one.is_step_failure]
    assert "pdf: RuntimeError: no fonts" in str(told[0].user_failure_data or told[0].error)
    assert unfinished(refreshed.settings) == [], "not at once"
    monkeypatch.setattr(issues, "AGAIN", issues.AGAIN * 0)
    assert unfinished(refreshed.settings) == ["daily"]
    sensor = definitions.get_sensor_def("unfinished_reports")
    with dg.DagsterInstance.ephemeral() as instance, dg.build_sensor_context(instance=instance) as context:
        asked = sensor.evaluate_tick(context).run_requests
    assert asked is not None
    assert [one.job_name for one in asked] == ["report_daily"]
    monkeypatch.undo()
    assert run(definitions).success
    assert unfinished(refreshed.settings) == []


def test_what_there_is_to_show(refreshed: Any, shop: Any) -> None:
    assert shown(refreshed.settings) is None, "no report yet"
    with_report(refreshed)
    folder = shown(refreshed.settings)
    assert folder is not None
    assert (folder / "report.html").is_file()
    assert json.loads((folder.parents[1] / "slack.json").read_text("utf-8"))["blocks"]
