"""Plans that are written together are there for whoever looks, as Dagster's own log would have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from orchestration.event_log import KeptSqliteEventLogStorage


@dg.asset(check_specs=[dg.AssetCheckSpec("sound", asset="sales")])
def sales() -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    yield dg.MaterializeResult()
    yield dg.AssetCheckResult(passed=True, check_name="sound")


@dg.asset(deps=[sales])
def report() -> None:
    return


def run_in(folder: Path, storage: str, module: str) -> tuple[Sequence[object], list[str], list[str]]:
    """(kind, asset) of every event of a run; assets the index knows; outcomes of the check."""
    config = {"event_log_storage": {"module": module, "class": storage, "config": {"base_dir": str(folder / "runs")}}}
    folder.mkdir()
    with dg.instance_for_test(overrides=config, temp_dir=str(folder)) as instance:
        result = dg.materialize([sales, report], instance=instance)
        events = [record.event_log_entry for record in instance.get_records_for_run(result.run_id).records]
        kinds = [(one.dagster_event_type, one.dagster_event.asset_key) for one in events if one.dagster_event]
        assets = sorted(key.to_user_string() for key in instance.all_asset_keys())
        check = dg.AssetCheckKey(dg.AssetKey("sales"), "sound")
        history = instance.event_log_storage.get_asset_check_execution_history(check, limit=10)
        return kinds, assets, [one.status.value for one in history]


def test_a_run_leaves_what_dagsters_own_log_would_have(tmp_path: Path) -> None:
    theirs = run_in(tmp_path / "theirs", "SqliteEventLogStorage", SqliteEventLogStorage.__module__)
    ours = run_in(tmp_path / "ours", KeptSqliteEventLogStorage.__name__, KeptSqliteEventLogStorage.__module__)
    assert ours == theirs
    assert ours[1:] == (["report", "sales"], ["SUCCEEDED"])


def test_plans_are_stored_before_anybody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = KeptSqliteEventLogStorage(str(tmp_path))
    with dg.instance_for_test() as instance:
        monkeypatch.setattr(instance, "_event_storage", storage)
        job = dg.define_asset_job("all").resolve(
            asset_graph=dg.Definitions(assets=[sales, report]).resolve_asset_graph()
        )
        run = instance.create_run_for_job(job)
        planned = storage.get_logs_for_run(run.run_id)
        assert [str(one.dagster_event_type and one.dagster_event_type.value) for one in planned].count(
            "ASSET_MATERIALIZATION_PLANNED"
        ) == 2
        storage.dispose()
