"""Assets ``metric/<domain>/<metric>``: the official values, computed, audited and published in one commit."""

# Annotations are not postponed here: Dagster reads that of `context` and takes no text.

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster import AssetExecutionContext

from metrics_catalog.catalog import Entry
from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.rollup import Rollups, rollups
from metrics_catalog.governance.card import preview_lines, version_line
from metrics_catalog.spec.base import said
from orchestration.declared import Declared
from orchestration.defs.dbt import keys_by_id
from orchestration.describe import check_result, foreseen, metric_key, owners
from orchestration.faults import Failed
from orchestration.resources import KEY, refresh_of

if TYPE_CHECKING:
    from metrics_catalog.governance.status import Status
    from metrics_catalog.outcome import MetricOutcome, PublishOutcome

SUMS = "slices_add_up"
# A daily refresh publishes within a day; a day more without one, and Dagster shows the metric as stale.
STALE_HOURS, OVERDUE_HOURS = 48, 30
CERTIFIED = "certified"
CHECKS = {
    CERTIFIED: "Its definition is certified; a deprecated one warns. There once something of the project is certified.",
    "complete": "Every closed period is there: no daily source still owes a day.",
    "no_unapproved_restatement": "No published value of a closed period would change without a reason or an approval.",
    SUMS: "The slices of an additive metric add up to its total.",
    "values_valid": "Values have the right type and range, one per period and slice.",
}


def definitions(declared: Declared) -> dg.Definitions:
    """One multi-asset for all metrics: what changed together is published together."""
    from metrics_catalog.governance.status import statuses

    catalog = declared.catalog
    keys = {name: metric_key(entry.domain, name) for name, entry in catalog.metrics.items()}
    known, stored = statuses(declared.definitions, None), rollups(catalog)
    governed = declared.definitions.record is not None  # before that one line of the summary says so, not every metric
    additive = {name for name, formula in formulas(catalog).items() if formula.adds_up}

    @dg.multi_asset(
        name="metrics",
        specs=[_spec(declared, stored, entry, known[name]) for name, entry in catalog.metrics.items()],
        check_specs=[
            dg.AssetCheckSpec(check, asset=key, description=description)
            for name, key in keys.items()
            for check, description in CHECKS.items()
            if (check != SUMS or name in additive) and (check != CERTIFIED or governed)
        ],
        can_subset=True,
        required_resource_keys={KEY},
    )
    def publish(context: AssetExecutionContext) -> Iterator[Any]:
        with foreseen():
            outcome = refresh_of(context).publish()
        # All of one kind together: the log is read anew after what was published, and written in few goes.
        selected = {name: key for name, key in keys.items() if key in context.selected_asset_keys}
        for name, key in selected.items():
            if (metric := outcome.metrics[name]).state != "held":
                yield dg.MaterializeResult(asset_key=key, metadata=_published(metric, outcome, known[name]))
        for name, key in selected.items():
            waiting = _waiting(outcome, _daily_sources(declared, name))
            for result in _checks(key, outcome.metrics[name], waiting, known[name]):
                if dg.AssetCheckKey(key, str(result.check_name)) in context.selected_asset_check_keys:
                    yield result
        if held := [reason for one in outcome.metrics.values() for reason in one.reasons]:
            with foreseen():
                raise Failed("\n".join(f"held back: {reason}" for reason in held), 1)

    return dg.Definitions(assets=[publish] if keys else [])


def _spec(declared: Declared, stored: Rollups, entry: Entry, status: "Status") -> dg.AssetSpec:
    catalog, spec, version = declared.catalog, entry.spec, status.version
    number = {} if version is None else {"certified_version": str(version.number)}
    certified = {"certified": version_line(version)} if version is not None else {}
    return dg.AssetSpec(
        key=metric_key(entry.domain, entry.name),
        deps=_parents(declared, stored, entry.name),
        description=f"{spec.label.en} · {spec.label.zh}\n\n" + said(spec.description, "en"),
        group_name=entry.domain,
        owners=owners(catalog.people, spec.owner),
        kinds={"metric", "delta"},
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=STALE_HOURS), warn_window=timedelta(hours=OVERDUE_HOURS)
        ),
        tags={
            "domain": entry.domain,
            "tier": str(spec.tier),
            "type": spec.type,
            "owner": spec.owner,
            "state": status.state,
            **number,
        },
        metadata={
            "unit": spec.unit,
            "grains": ", ".join(spec.grains),
            "file": entry.document.path,
            "state": str(status),
            "definition": calculations(catalog)[entry.name],
            **certified,
        },
    )


def _parents(declared: Declared, stored: Rollups, name: str) -> list[dg.AssetKey]:
    """The marts a metric is computed from, their rollups, and the values of entities that its filters look up."""
    catalog = declared.catalog
    keys = keys_by_id(declared.graph)
    nodes = [catalog.semantics.model(model).node for model in catalog.models(name)]
    tables = {rollup.table for rollup in stored.of(catalog.models(name))}
    tables |= {lookup.model for lookup in formulas(catalog)[name].lookups}
    nodes += [node.id for node in declared.graph.tables if node.name in tables]
    return sorted({keys[node] for node in nodes})


def _daily_sources(declared: Declared, name: str) -> set[str]:
    semantics = declared.catalog.semantics
    nodes = [semantics.model(model).node for model in declared.catalog.models(name)]
    clean = declared.graph.clean_sources()
    return {clean[id_] for node in nodes for id_ in semantics.upstream(node) if id_ in clean}


def _published(metric: "MetricOutcome", outcome: "PublishOutcome", status: "Status") -> dict[str, Any]:
    """Metadata of a materialisation."""
    found = {
        "state": metric.state,
        "periods": metric.periods,
        "rows": metric.rows,
        "closed_through": outcome.closed_through.isoformat(),
        "definition": metric.definition,
        "version": outcome.version,
        "certified_version": None if status.version is None else status.version.number,
        "restated": metric.note,
    }
    return {name: value for name, value in found.items() if value is not None}


def _waiting(outcome: "PublishOutcome", sources: set[str]) -> str | None:
    """Days that sources of a metric still owe, in words."""
    owed = [
        f"{source} {days[0]}" + (f" and {len(days) - 1} more" if days[1:] else "")
        for source, days in outcome.waiting.items()
        if source in sources
    ]
    return ", ".join(owed) or None


def _checks(
    key: dg.AssetKey, metric: "MetricOutcome", waiting: str | None, status: "Status"
) -> Iterator[dg.AssetCheckResult]:
    sums = [finding for finding in metric.findings if f"[{SUMS}]" in finding]
    others = [finding for finding in metric.findings if finding not in sums]
    yield check_result(key, CERTIFIED, status.state == "certified", state=str(status))
    yield check_result(key, "complete", not waiting, waiting_for=waiting)
    yield check_result(key, SUMS, not sums, error=True, findings="\n".join(sums) or None)
    yield check_result(key, "values_valid", not others, error=True, findings="\n".join(others) or None)
    hold, changes = metric.hold, None
    if hold is not None and hold.request is not None:
        changes = "\n".join(preview_lines(hold.request.preview)).strip()
    yield check_result(
        key,
        "no_unapproved_restatement",
        hold is None,
        error=True,
        why=None if hold is None else hold.why,
        request=None if hold is None or hold.request is None else hold.request.name,
        would_change=changes,
    )
