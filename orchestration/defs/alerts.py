"""Asset ``alerts``: published values judged, incidents up to date. And the sensor that asks again when none answers."""

# Annotations are not postponed here: Dagster reads that of `context` and takes no text.

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster import AssetExecutionContext

from metrics_catalog.governance.begun import has_store, official_catalog
from orchestration.declared import Declared
from orchestration.describe import foreseen, metric_key
from orchestration.resources import KEY, refresh_of

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog
    from metrics_catalog.monitoring.watching import Watch

ALERTS = dg.AssetKey("alerts")
SECONDS = 300  # an alert may be asked for again some minutes late; a look costs a few queries


def definitions(declared: Declared) -> dg.Definitions:
    """The asset, after all metrics, and the sensor."""
    if not declared.catalog.metrics:
        return dg.Definitions()
    return dg.Definitions(assets=[_asset(declared)], sensors=[_unanswered(declared)])


def _asset(declared: Declared) -> dg.AssetsDefinition:
    keys = {name: metric_key(entry.domain, name) for name, entry in declared.catalog.metrics.items()}

    @dg.asset(
        key=ALERTS,
        deps=list(keys.values()),
        description="Incidents: what is unusual in newly published values and why, what is late, failed or held.",
        group_name="monitoring",
        kinds={"alert"},
        required_resource_keys={KEY},
    )
    def alerts(context: AssetExecutionContext) -> Iterator[Any]:
        with foreseen():
            seen = refresh_of(context).watch()
        touched = {name for one in _changed(seen) for name in one.metrics if name in keys}
        for name in sorted(touched):
            state = {"worst_alert": seen.metrics.get(name, 0), "alert": name in seen.metrics}
            yield dg.AssetObservation(asset_key=keys[name], metadata=state)
        yield dg.MaterializeResult(asset_key=ALERTS, metadata=_metadata(seen))

    return alerts


def _changed(seen: "Watch") -> list[Any]:
    return [*seen.synced.opened, *seen.synced.changed, *seen.synced.recovered]


def _metadata(seen: "Watch") -> dict[str, Any]:
    lines = [f"- {one.name} · {one.text('en')}" for one in seen.synced.opened]
    found = {
        "open_incidents": seen.lasting,
        "opened": len(seen.synced.opened),
        "recovered": len(seen.synced.recovered),
        "judged": seen.evaluation.judged,
        "findings": len(seen.evaluation.findings),
        "too_little_data": len(seen.evaluation.too_little),
        "judged_version": seen.version,
        "new": dg.MetadataValue.md("\n".join(lines)) if lines else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _unanswered(declared: Declared) -> dg.SensorDefinition:
    @dg.sensor(
        name="unanswered_alerts",
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells of sources that became overdue, asks the next person, and says again what nobody answers.",
    )
    def unanswered(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if not has_store(declared.project):
            return dg.SkipReason("nothing was ever watched")
        from metrics_catalog.monitoring.insisting import insist
        from metrics_catalog.ops.store import open_store
        from orchestration.alerting import watch

        now, catalog = datetime.now(UTC), official_catalog(declared.project)
        _end_faults(context.instance, declared, catalog, now)
        seen = watch(declared, now, judge=False, catalog=catalog)
        heard = insist(open_store(declared.project.ops), catalog, now)
        for one in heard:
            context.log.info("%s: %s", one.name, one.text("en"))
        if not heard and not _changed(seen):
            return dg.SkipReason("nobody has to be asked")
        return dg.SkipReason(f"{len(heard)} asked again, {len(_changed(seen))} changed")

    return unanswered


def _end_faults(instance: dg.DagsterInstance, declared: Declared, catalog: "Catalog", now: datetime) -> None:
    """A job whose newest run succeeded works again."""
    from metrics_catalog.monitoring.incidents import Incidents
    from metrics_catalog.monitoring.platform_faults import system_recovered
    from metrics_catalog.ops.store import open_store
    from orchestration.alerting import RUN

    store, begins = open_store(declared.project.ops), f"fault:{RUN}:"
    for one in Incidents(store, catalog, lambda: now).found():
        job = one.key.removeprefix(begins)
        if one.key.startswith(begins):
            newest = instance.get_runs(dg.RunsFilter(job_name=job), limit=1)
            if newest and newest[0].status == dg.DagsterRunStatus.SUCCESS:
                system_recovered(store, catalog, RUN, job, now)
