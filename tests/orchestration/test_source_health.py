"""Health of sources after refreshes of the shop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from metrics_catalog.health import SourceHealth, history, latest
from metrics_catalog.ops.store import open_store
from orchestration.definitions import build

Run = Callable[..., bool]


@pytest.fixture
def run(refreshed: Any) -> Run:
    def refresh() -> bool:
        job = build(refreshed.declared()).resolve_job_def("refresh")
        with dg.DagsterInstance.ephemeral() as instance:
            return job.execute_in_process(instance=instance, raise_on_error=False).success

    return refresh


def now(shop: Any) -> dict[str, SourceHealth]:
    return latest(open_store(shop.project.ops))


def test_a_first_refresh_says_how_every_source_is(refreshed: Any) -> None:
    receipts = now(refreshed)["receipts"]
    assert (receipts.rows, receipts.quarantined) == (6, 1)
    assert receipts.late == (date(2024, 3, 3), date(2024, 3, 4), date(2024, 3, 5))
    assert [(one.name, one.rows) for one in receipts.failed] == [("quantity_positive", 1)]
    assert now(refreshed)["products"].late == ()


def test_a_refresh_with_nothing_new_writes_nothing_and_governs_nothing(refreshed: Any, run: Run) -> None:
    from metrics_catalog.governance.begun import record_of

    before = history(open_store(refreshed.project.ops))
    assert record_of(refreshed.project) is None
    assert run()
    assert history(open_store(refreshed.project.ops)) == before


def test_what_changed_is_written_and_the_rest_kept(refreshed: Any, run: Run) -> None:
    before = now(refreshed)
    refreshed.deliver("2024-03-03", [("r5", 1, 1, "2.00")])
    assert run()
    after = now(refreshed)
    assert after["receipts"].late == (date(2024, 3, 4), date(2024, 3, 5))
    assert (after["receipts"].rows, after["receipts"].quarantined) == (1, 0)
    assert after["products"] == before["products"]


def test_a_load_that_is_not_accepted_and_what_mends_it(refreshed: Any, run: Run) -> None:
    refreshed.deliver("2024-03-03", [("r5", 9, 0, "2.00")])
    assert not run()
    receipts = now(refreshed)["receipts"]
    assert receipts.blocked is not None
    assert "1 of 1 rows are bad" in receipts.blocked
    assert receipts.late == (date(2024, 3, 4), date(2024, 3, 5))
    refreshed.deliver("2024-03-03", [("r5", 1, 1, "2.00")])
    assert run()
    assert now(refreshed)["receipts"].blocked is None


def test_a_source_that_cannot_be_loaded(refreshed: Any, run: Run) -> None:
    file = refreshed.project.landing / "products" / "products.jsonl"
    text = file.read_text(encoding="utf-8")
    file.write_text("{broken\n", encoding="utf-8")
    assert not run()
    assert "is not valid JSON" in str(now(refreshed)["products"].error)
    assert now(refreshed)["receipts"].error is None
    file.write_text(text, encoding="utf-8")
    assert run()
    assert now(refreshed)["products"].error is None


def test_a_store_that_cannot_be_written_fails_no_refresh(refreshed: Any, run: Run) -> None:
    from pathlib import Path

    ops = Path(refreshed.project.ops.removeprefix("sqlite:///"))
    for file in ops.parent.glob("ops.db*"):
        file.unlink()
    refreshed.replace("metrics_catalog/policy.yml", "business_date: 2024-03-05", "business_date: 2024-03-04")
    declared = refreshed.declared()
    ops.mkdir()
    from orchestration.refresh import Refresh

    refresh = Refresh(declared, "run", tell=(told := []).append)
    refresh.keep_health()
    assert "the health of sources is not kept: the ops store" in told[0]


def test_what_a_source_promises_decides_when_it_is_overdue(refreshed: Any) -> None:
    from orchestration.refresh import Refresh

    assert now(refreshed)["receipts"].due is None  # the shop's calendar stands still
    refreshed.replace("metrics_catalog/policy.yml", "business_date: 2024-03-05", "closed_days: []")
    refresh = Refresh(refreshed.declared(), "later")
    refresh.land("receipts")
    refresh.keep_health()
    refresh.close()
    due = now(refreshed)["receipts"].due
    assert due is not None
    assert timedelta(hours=47) < due - datetime.now(UTC) < timedelta(hours=48)
