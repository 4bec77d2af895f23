"""What people read of a metric's standing, and that a draft never stops what is certified."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from metrics_catalog.governance.begun import definitions_of, official_catalog
from metrics_catalog.governance.office import Wish
from metrics_catalog.governance.record import Version
from metrics_catalog.governance.status import Status, statuses
from metrics_catalog.located import InvalidFiles
from metrics_catalog.published.model import PublishInfo

NOW = datetime(2026, 11, 25, tzinfo=UTC)
NET_SALES = "metrics_catalog/metrics/sales/net_sales.yml"
VERSION = Version("metric/a", 2, "certified", "sales", "a.yml", "", "", "ana", ("wei",), "better", NOW, 9)


def told(refreshed: Any, **publish: Any) -> dict[str, str]:
    last = PublishInfo("run", NOW, date(2024, 3, 5), **publish) if publish else None
    return {name: str(one) for name, one in statuses(definitions_of(refreshed.project), last).items()}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status("a", "draft"), "draft"),
        (Status("a", "proposed"), "proposed"),
        (Status("a", "certified", VERSION), "certified v2"),
        (Status("a", "certified", VERSION, edited=True, held="late rows of tills (CR-7)"),
         "certified v2; edited; held: late rows of tills (CR-7)"),
        (Status("a", "deprecated", replace(VERSION, successor="b", until=date(2026, 12, 25))),
         "deprecated, use b until 2026-12-25"),
        (Status("a", "retired", replace(VERSION, successor="b")), "retired on 2026-11-25, use b"),
    ],
)  # fmt: skip
def test_a_standing_in_words(status: Status, words: str) -> None:
    assert str(status) == words


def test_from_draft_to_certified_to_edited_to_asked_for(refreshed: Any) -> None:
    refreshed.declared()
    assert told(refreshed) == {"net_sales": "draft", "receipts": "draft"}
    refreshed.certify()
    assert told(refreshed) == {"net_sales": "certified v1", "receipts": "certified v1"}
    refreshed.replace(NET_SALES, "agg: sum", "agg: max")
    assert told(refreshed)["net_sales"] == "certified v1; edited"
    refreshed.office().propose("net_sales", "ana", Wish("better"))
    assert told(refreshed)["net_sales"] == "certified v1; edited (CR-1)"
    text = (refreshed.project.root / NET_SALES).read_text("utf-8")
    text = text.replace("Net sales", "Refunds").replace("净销售额", "退款")
    refreshed.write("metrics_catalog/metrics/sales/refunds.yml", text)
    assert told(refreshed)["refunds"] == "proposed"


def test_what_is_held_is_said_with_its_request(refreshed: Any) -> None:
    refreshed.declared()
    refreshed.certify()
    mark = {"why": "changed code: fct_sales", "prints": "", "digest": "x", "request": "CR-7"}
    found = told(refreshed, held=("net_sales", "receipts"), marks={"net_sales": mark})
    assert found["net_sales"] == "certified v1; held: changed code: fct_sales (CR-7)"
    assert found["receipts"] == "certified v1; held: its new values failed the audit"


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (NET_SALES, "agg: sum", "agg: summ"),
        (NET_SALES, "expr: amount_usd", "expr: amount_used"),
        ("metrics_catalog/people.yml", "members: [wei]", "members: [wie]"),
        ("metrics_catalog/people.yml", "teams:", "team:"),
        ("metrics_catalog/policy.yml", "timezone:", "time_zone:"),
    ],
)
def test_a_draft_with_a_fault_stops_nothing_that_is_certified(refreshed: Any, path: str, old: str, new: str) -> None:
    refreshed.declared()
    refreshed.certify()
    before = official_catalog(refreshed.project)
    refreshed.replace(path, old, new)
    definitions = definitions_of(refreshed.project)
    assert definitions.official.metrics == before.metrics
    assert definitions.official.people == before.people
    assert definitions.official.policy == before.policy
    assert path in {problem.path for problem in definitions.problems}
    assert refreshed.declared().catalog.metrics == before.metrics


def test_what_is_certified_and_no_longer_fits_the_data_does_stop(refreshed: Any) -> None:
    refreshed.declared()
    refreshed.certify()
    refreshed.replace("dbt_project/models/marts/sales/fct_sales.yml", "amount_usd", "amount")
    with pytest.raises(InvalidFiles):
        refreshed.declared()
