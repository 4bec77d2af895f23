"""Events that are written together are there for whoever looks, as Dagster's own log would have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from orchestration.event_log import KeptSqliteEventLogStorage

SALES = dg.AssetKey("sales")
DAYS = ("2017-01-01", "2017-01-02", "2017-01-03")


@dg.asset(check_specs=[dg.AssetCheckSpec(name, asset=SALES) for name in ("sound", "fresh")])
def sales() -> Iterator[Any]:
    for day in DAYS:
        yield dg.AssetMaterialization(SALES, partition=day, tags={"day": day})
    yield dg.MaterializeResult(metadata={"rows": 3})
    yield dg.AssetCheckResult(passed=True, check_name="sound", metadata={"bad": 0})
    yield dg.AssetCheckResult(passed=False, check_name="fresh", severity=dg.AssetCheckSeverity.WARN)


@dg.multi_asset(
    specs=[dg.AssetSpec(name, deps=[sales]) for name in ("report", "letter", "unsaid")],
    check_specs=[
        dg.AssetCheckSpec(name, asset=asset)
        for asset, name in (("report", "sent"), ("report", "read"), ("letter", "posted"))
    ],
    can_subset=True,
)
def reports() -> Iterator[Any]:
    yield dg.MaterializeResult(asset_key="report")
    yield dg.MaterializeResult(asset_key="letter")
    yield dg.AssetCheckResult(passed=True, asset_key="report", check_name="sent")
    yield dg.AssetCheckResult(passed=True, asset_key="letter", check_name="posted")


@dg.asset(deps=[sales])
def broken() -> None:
    raise ValueError


ASSETS = [sales, reports, broken]


def run_in(folder: Path, storage: str, module: str) -> dict[str, Any]:
    """All that the log has to say after a run, and after an outcome that no run planned."""
    config = {"event_log_storage": {"module": module, "class": storage, "config": {"base_dir": str(folder / "runs")}}}
    folder.mkdir()
    with dg.instance_for_test(overrides=config, temp_dir=str(folder)) as instance:
        result = dg.materialize(ASSETS, instance=instance, raise_on_error=False)
        instance.report_runless_asset_event(dg.AssetCheckEvaluation(SALES, "sound", passed=False, metadata={}))
        events = [record.event_log_entry for record in instance.get_records_for_run(result.run_id).records]
        return {
            "events": [
                (one.dagster_event_type, one.step_key, one.dagster_event.asset_key)
                for one in events
                if one.dagster_event
            ],
            "assets": {
                one.asset_entry.asset_key: entry(one.asset_entry, result.run_id) for one in instance.get_asset_records()
            },
            "materializations": [
                (
                    one.storage_id,
                    one.partition_key,
                    (one.asset_materialization.tags or {}).get("day") if one.asset_materialization else None,
                )
                for one in instance.fetch_materializations(SALES, limit=10).records
            ],
            "days": instance.get_materialized_partitions(SALES),
            "checks": {
                name: [
                    outcome(one) for one in instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
                ]
                for name, key in CHECKS.items()
            },
        }


CHECKS = {
    name: dg.AssetCheckKey(dg.AssetKey(asset), name)
    for asset, name in (
        ("sales", "sound"),
        ("sales", "fresh"),
        ("report", "sent"),
        ("report", "read"),
        ("letter", "posted"),
    )
}


def entry(one: Any, run_id: str) -> tuple[Any, ...]:
    last = one.last_materialization_record
    return one.last_run_id == run_id, last and (last.storage_id, last.partition_key)


def outcome(one: Any) -> tuple[Any, ...]:
    told = one.event and one.event.dagster_event and one.event.dagster_event.event_specific_data
    target = getattr(told, "target_materialization_data", None)
    return one.status.value, type(told).__name__, getattr(told, "passed", None), target and target.storage_id


def test_a_run_leaves_what_dagsters_own_log_would_have(tmp_path: Path) -> None:
    theirs = run_in(tmp_path / "theirs", "SqliteEventLogStorage", SqliteEventLogStorage.__module__)
    ours = run_in(tmp_path / "ours", KeptSqliteEventLogStorage.__name__, KeptSqliteEventLogStorage.__module__)
    for part, said in theirs.items():
        assert ours[part] == said, part
    statuses = {name: [one[0] for one in found] for name, found in ours["checks"].items()}
    assert statuses == {
        "sound": ["FAILED", "SUCCEEDED"],
        "fresh": ["FAILED"],
        "sent": ["SUCCEEDED"],
        "read": ["PLANNED"],
        "posted": ["SUCCEEDED"],
    }
    assert ours["days"] == set(DAYS)
    assert {key.to_user_string(): bool(last) for key, (_, last) in ours["assets"].items()} == {
        "sales": True,
        "report": True,
        "letter": True,
        "unsaid": False,
        "broken": False,
    }


def test_outcomes_of_assets_told_together_are_about_these_and_read_them_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []
    plain = SqliteEventLogStorage.get_asset_records

    def noted(storage: SqliteEventLogStorage, keys: Any = None) -> Any:
        read.append(keys)
        return plain(storage, keys)

    config = {
        "event_log_storage": {
            "module": KeptSqliteEventLogStorage.__module__,
            "class": KeptSqliteEventLogStorage.__name__,
            "config": {"base_dir": str(tmp_path / "runs")},
        }
    }
    with dg.instance_for_test(overrides=config, temp_dir=str(tmp_path)) as instance:
        for _ in range(2):
            dg.materialize([sales], instance=instance)
            monkeypatch.setattr(SqliteEventLogStorage, "get_asset_records", noted)
            dg.materialize([sales, reports], instance=instance, selection=[reports])
            monkeypatch.setattr(SqliteEventLogStorage, "get_asset_records", plain)
            for name in ("sent", "posted"):
                newest = instance.fetch_materializations(CHECKS[name].asset_key, limit=1).records[0]
                found = instance.event_log_storage.get_asset_check_execution_history(CHECKS[name], limit=1)[0]
                assert outcome(found)[-1] == newest.storage_id
            assert [len(keys) for keys in read] == [1, 2]  # sales above, then both at once
            read.clear()


def test_a_burst_is_read_by_another_process_once_the_step_has_ended(tmp_path: Path) -> None:
    """Servers look at the same files while a run is under way."""
    seen: list[int] = []

    @dg.asset(deps=[sales])
    def looks() -> None:
        other = SqliteEventLogStorage(str(tmp_path / "runs"))
        seen.append(len(other.fetch_materializations(SALES, limit=10).records))
        other.dispose()

    config = {
        "event_log_storage": {
            "module": KeptSqliteEventLogStorage.__module__,
            "class": KeptSqliteEventLogStorage.__name__,
            "config": {"base_dir": str(tmp_path / "runs")},
        }
    }
    with dg.instance_for_test(overrides=config, temp_dir=str(tmp_path)) as instance:
        dg.materialize([sales, looks], instance=instance)
    assert seen == [len(DAYS) + 1]


def test_plans_are_stored_before_anybody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = KeptSqliteEventLogStorage(str(tmp_path))
    with dg.instance_for_test() as instance:
        monkeypatch.setattr(instance, "_event_storage", storage)
        job = dg.define_asset_job("all").resolve(
            asset_graph=dg.Definitions(assets=[sales, reports]).resolve_asset_graph()
        )
        run = instance.create_run_for_job(job)
        planned = storage.get_logs_for_run(run.run_id)
        assert [str(one.dagster_event_type and one.dagster_event_type.value) for one in planned].count(
            "ASSET_MATERIALIZATION_PLANNED"
        ) == 4
        storage.dispose()


def test_what_belongs_to_no_run_is_stored_at_once(tmp_path: Path) -> None:
    """Its process may end without a word."""
    ours, theirs = (kind(str(tmp_path)) for kind in (KeptSqliteEventLogStorage, SqliteEventLogStorage))
    with dg.instance_for_test() as instance:
        instance._event_storage = ours
        instance.report_runless_asset_event(dg.AssetMaterialization(SALES))
        assert len(theirs.fetch_materializations(SALES, limit=10).records) == 1
    ours.dispose()
    theirs.dispose()
