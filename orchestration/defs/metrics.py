"""Assets ``metric/<domain>/<metric>``: the official values, computed, audited and published in one commit."""

# Annotations are not postponed here: Dagster reads that of `context` and takes no text.

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster import AssetExecutionContext

from metrics_catalog.catalog import Entry
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.rollup import Rollups, rollups
from orchestration.declared import Declared
from orchestration.defs.dbt import keys_by_id
from orchestration.describe import check_result, foreseen, metric_key, owners
from orchestration.faults import Failed
from orchestration.resources import KEY, refresh_of

if TYPE_CHECKING:
    from metrics_catalog.refresh import MetricOutcome, PublishOutcome

SUMS = "slices_add_up"
CHECKS = {
    "complete": "Every closed period is there: no daily source still owes a day.",
    SUMS: "The slices of an additive metric add up to its total.",
    "values_valid": "Values have the right type and range, one per period and slice.",
}


def definitions(declared: Declared) -> dg.Definitions:
    """One multi-asset for all metrics: what changed together is published together."""
    catalog = declared.catalog
    keys = {name: metric_key(entry.domain, name) for name, entry in catalog.metrics.items()}
    additive = {name for name, formula in formulas(catalog).items() if formula.adds_up}

    stored = rollups(catalog)

    @dg.multi_asset(
        name="metrics",
        specs=[_spec(declared, stored, entry) for entry in catalog.metrics.values()],
        check_specs=[
            dg.AssetCheckSpec(check, asset=key, description=description)
            for name, key in keys.items()
            for check, description in CHECKS.items()
            if check != SUMS or name in additive
        ],
        can_subset=True,
        required_resource_keys={KEY},
    )
    def publish(context: AssetExecutionContext) -> Iterator[Any]:
        with foreseen():
            outcome = refresh_of(context).publish()
        for name, key in keys.items():
            if key in context.selected_asset_keys:
                yield from _events(context, key, outcome.metrics[name], outcome, _daily_sources(declared, name))
        held = [one for one in outcome.metrics.values() if one.state == "held"]
        if held:
            with foreseen():
                raise Failed("\n".join(f"held back: {finding}" for one in held for finding in one.findings), 1)

    return dg.Definitions(assets=[publish] if keys else [])


def _spec(declared: Declared, stored: Rollups, entry: Entry) -> dg.AssetSpec:
    catalog, spec = declared.catalog, entry.spec
    return dg.AssetSpec(
        key=metric_key(entry.domain, entry.name),
        deps=_parents(declared, stored, entry.name),
        description=f"{spec.label.en} · {spec.label.zh}\n\n{spec.description}",
        group_name=entry.domain,
        owners=owners(catalog.people, spec.owner),
        kinds={"metric", "delta"},
        tags={"domain": entry.domain, "tier": str(spec.tier), "type": spec.type},
        metadata={"unit": spec.unit, "grains": ", ".join(spec.grains), "file": entry.document.path},
    )


def _parents(declared: Declared, stored: Rollups, name: str) -> list[dg.AssetKey]:
    """The marts a metric is computed from, and their rollups."""
    catalog = declared.catalog
    keys = keys_by_id(declared.graph)
    nodes = [catalog.semantics.model(model).node for model in catalog.models(name)]
    tables = {rollup.table for rollup in stored.of(catalog.models(name))}
    nodes += [node.id for node in declared.graph.tables if node.name in tables]
    return sorted({keys[node] for node in nodes})


def _daily_sources(declared: Declared, name: str) -> set[str]:
    semantics = declared.catalog.semantics
    nodes = [semantics.model(model).node for model in declared.catalog.models(name)]
    clean = declared.graph.clean_sources()
    return {clean[id_] for node in nodes for id_ in semantics.upstream(node) if id_ in clean}


def _events(
    context: AssetExecutionContext,
    key: dg.AssetKey,
    metric: "MetricOutcome",
    outcome: "PublishOutcome",
    sources: set[str],
) -> Iterator[Any]:
    if metric.state != "held":
        metadata = {
            "state": metric.state,
            "periods": metric.periods,
            "rows": metric.rows,
            "closed_through": outcome.closed_through.isoformat(),
            **({"version": outcome.version} if outcome.version is not None else {}),
        }
        yield dg.MaterializeResult(asset_key=key, metadata=metadata)
    waiting = {source: days for source, days in outcome.waiting.items() if source in sources}
    sums = [finding for finding in metric.findings if "[slices_add_up]" in finding]
    others = [finding for finding in metric.findings if finding not in sums]
    owed = ", ".join(
        f"{source} {days[0]}" + (f" and {len(days) - 1} more" if days[1:] else "") for source, days in waiting.items()
    )
    results = (
        check_result(key, "complete", not waiting, waiting_for=owed or None),
        check_result(key, SUMS, not sums, error=True, findings="\n".join(sums) or None),
        check_result(key, "values_valid", not others, error=True, findings="\n".join(others) or None),
    )
    for result in results:
        if dg.AssetCheckKey(key, str(result.check_name)) in context.selected_asset_check_keys:
            yield result
