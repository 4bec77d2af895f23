"""Assets ``source/<name>``: one per file in orchestration/sources, landed by orchestration.ingest."""

# Annotations are not postponed here: Dagster reads that of `context` and takes no text.

import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster import AssetExecutionContext

from orchestration.declared import Declared
from orchestration.describe import check_result, foreseen, owners, schema, source_key
from orchestration.ingest.columns import Freshness, Partition
from orchestration.ingest.spec import AnySource
from orchestration.resources import KEY, refresh_of

if TYPE_CHECKING:
    from orchestration.ingest.load import LoadResult
    from orchestration.refresh import Report


def definitions(declared: Declared) -> dg.Definitions:
    """One asset per source."""
    # Dagster announces backfill_policy as beta each time it is used; it is how a range of days loads in one run.
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        return dg.Definitions(assets=[_asset(declared, spec) for spec in declared.sources.values()])


def _asset(declared: Declared, spec: AnySource) -> dg.AssetsDefinition:
    key = source_key(spec.name)
    partition: Partition | None = getattr(spec, "partition", None)
    checks = ["no_rejects", *(["fresh"] if spec.freshness else [])]

    @dg.asset(
        key=key,
        description=spec.description,
        group_name=spec.domain,
        owners=owners(declared.catalog.people, spec.owner),
        kinds={getattr(spec, "format", spec.kind), "duckdb"},
        tags={"domain": spec.domain, "load": spec.load},
        metadata={
            "label": f"{spec.label.en} · {spec.label.zh}",
            **schema({name: (column.type, column.description) for name, column in spec.columns.items()}),
        },
        partitions_def=_partitions(declared, partition) if partition else None,
        backfill_policy=dg.BackfillPolicy.single_run() if partition else None,
        freshness_policy=_freshness_policy(spec.freshness),
        check_specs=[dg.AssetCheckSpec(name, asset=key, description=_CHECKS[name]) for name in checks],
        required_resource_keys={KEY},
    )
    def land(context: AssetExecutionContext) -> Iterator[Any]:
        refresh = refresh_of(context)
        with foreseen():
            asked = _asked_days(context) if partition else None
            result = refresh.land(spec.name, asked)
        if partition and asked is None:
            yield from _materialized_days(key, partition, result.files_loaded)
        yield dg.MaterializeResult(asset_key=key, metadata=_metadata(refresh.report, spec.name, result))
        yield check_result(key, "no_rejects", not result.rows_rejected, rows_rejected=result.rows_rejected)
        if spec.freshness:
            yield _fresh(key, spec.freshness, refresh.report.loaded_at[spec.name])

    return land


_CHECKS = {
    "no_rejects": "Every row of the last load could be read; those that could not are in ingest.rejects.",
    "fresh": "The newest load is not older than the source promises.",
}


def _partitions(declared: Declared, partition: Partition) -> dg.DailyPartitionsDefinition:
    closed = declared.catalog.policy.business_date
    end = None if closed is None else (closed + timedelta(days=1)).isoformat()
    return dg.DailyPartitionsDefinition(start_date=partition.start.isoformat(), end_date=end)


def _freshness_policy(freshness: Freshness | None) -> dg.FreshnessPolicy | None:
    if freshness is None or freshness.fail_after_hours is None:
        return None
    warn = freshness.warn_after_hours
    return dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=freshness.fail_after_hours),
        warn_window=timedelta(hours=warn) if warn and warn < freshness.fail_after_hours else None,
    )


def _asked_days(context: AssetExecutionContext) -> tuple[date, date] | None:
    if not (context.has_partition_key or context.has_partition_key_range):
        return None
    asked = context.partition_key_range
    return date.fromisoformat(asked.start), date.fromisoformat(asked.end)


def _materialized_days(
    key: dg.AssetKey, partition: Partition, files: Sequence[str]
) -> Iterator[dg.AssetMaterialization]:
    """A refresh of everything asks for no day; each daily file it loads fills that day all the same."""
    days = {day for file in files if (day := partition.day(file)) is not None}
    for day in sorted(days):
        yield dg.AssetMaterialization(asset_key=key, partition=day.isoformat())


def _metadata(report: "Report", name: str, result: "LoadResult") -> dict[str, Any]:
    return {
        "dagster/row_count": report.rows[f"source.{name}"],
        "dagster/relation_identifier": f"source.{name}",
        "changed": result.changed,
        "rows_loaded": result.rows_loaded,
        "rows_deleted": result.rows_deleted,
        "rows_rejected": result.rows_rejected,
        **({"load_id": result.load_id} if result.load_id is not None else {}),
    }


def _fresh(key: dg.AssetKey, freshness: Freshness, loaded_at: datetime | None) -> dg.AssetCheckResult:
    if loaded_at is None:
        return check_result(key, "fresh", False, error=True)
    age = (datetime.now(UTC) - loaded_at).total_seconds() / 3600
    late = freshness.fail_after_hours is not None and age > freshness.fail_after_hours
    stale = freshness.warn_after_hours is not None and age > freshness.warn_after_hours
    return check_result(key, "fresh", not (late or stale), error=late, age_hours=round(age, 1))
