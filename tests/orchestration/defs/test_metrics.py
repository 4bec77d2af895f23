"""A metric as Dagster shows it: its version and state, its checks, and what is held."""

from __future__ import annotations

from typing import Any

import dagster as dg

from orchestration.definitions import build
from orchestration.generate import read_current

NET_SALES = dg.AssetKey(["metric", "sales", "net_sales"])
MART = "dbt_project/models/marts/sales/fct_sales.sql"


def refresh(shop: Any) -> dg.ExecuteInProcessResult:
    job = build(read_current(shop.settings)).resolve_job_def("refresh")
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(instance=instance, raise_on_error=False)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {one.check_name: one for one in result.get_asset_check_evaluations() if one.asset_key == NET_SALES}


def materialized(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    found = {event.asset_key: event.materialization for event in result.get_asset_materialization_events()}
    return {name: value.value for name, value in found[NET_SALES].metadata.items()}


def test_an_asset_says_its_version_and_state(certified: Any) -> None:
    draft = build(certified.declared()).resolve_asset_graph().get(NET_SALES)
    assert (draft.tags["state"], draft.tags["certified_version"]) == ("certified", "1")
    assert (draft.tags["tier"], draft.tags["owner"]) == ("1", "data")
    assert "approved by wei: first use" in draft.metadata["certified"]
    certified.approve(certified.office().end("net_sales", "ana", "unused", "deprecate", "receipts").id)
    ended = build(certified.declared()).resolve_asset_graph().get(NET_SALES)
    assert ended.tags["state"] == "deprecated"
    assert str(ended.metadata["state"]).startswith("deprecated, use receipts until ")


def test_a_new_version_is_published_with_its_number_and_the_note(certified: Any) -> None:
    certified.change("net_sales", "expr: amount_usd", "expr: amount_usd * 2")
    result = refresh(certified)
    assert result.success
    said = materialized(result)
    assert (said["certified_version"], said["restated"]) == (2, "certified net_sales v2")
    assert said["definition"] == build(certified.declared()).resolve_asset_graph().get(NET_SALES).metadata["definition"]
    assert checks(result)["certified"].passed


def test_what_is_held_is_an_error_of_its_own_check_until_it_is_approved(certified: Any) -> None:
    refresh(certified)
    certified.replace(MART, "quantity, amount_usd", "quantity, amount_usd * 2 as amount_usd")
    result = refresh(certified)
    assert not result.success
    found = checks(result)["no_unapproved_restatement"]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    said: dict[str, Any] = {name: value.value for name, value in found.metadata.items()}
    assert said["why"] == "changed code: fct_sales"
    assert said["request"] == "CR-1"
    assert "+100.00 %" in said["would_change"]
    assert checks(result)["values_valid"].passed
    assert NET_SALES not in {event.asset_key for event in result.get_asset_materialization_events()}
    still = checks(refresh(certified))["no_unapproved_restatement"]
    assert still.metadata["request"].value == "CR-1", "one that waits says the same"
    certified.approve(1)
    released = refresh(certified)
    assert released.success
    assert checks(released)["no_unapproved_restatement"].passed
    assert materialized(released)["restated"] == "changed code: fct_sales"


def test_nothing_is_checked_against_what_is_certified_before_something_is(refreshed: Any) -> None:
    assert "certified" not in checks(refresh(refreshed))
    assert build(refreshed.declared()).resolve_asset_graph().get(NET_SALES).tags["state"] == "draft"
    refreshed.certify()
    found = checks(refresh(refreshed))["certified"]
    assert (found.passed, found.metadata["state"].value) == (True, "certified v1")
