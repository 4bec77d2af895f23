"""Assets ``clean/<name>``: each source judged by its suite; every expectation is an asset check."""

# Annotations are not postponed here: Dagster reads that of `context` and takes no text.

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster import AssetExecutionContext

from expectations.suite import ExpectationSpec, Suite
from orchestration.declared import Declared
from orchestration.describe import check_result, clean_key, foreseen, lineage, owners, schema, source_key
from orchestration.ingest.spec import AnySource
from orchestration.refresh import accept
from orchestration.resources import KEY, refresh_of

if TYPE_CHECKING:
    from expectations.clean import CleanResult

TOLERANCE = "within_tolerance"


def definitions(declared: Declared) -> dg.Definitions:
    """One asset per source."""
    assets = [_asset(declared, spec, declared.suites[spec.name]) for spec in declared.sources.values()]
    return dg.Definitions(assets=assets)


def _asset(declared: Declared, spec: AnySource, suite: Suite) -> dg.AssetsDefinition:
    key, source = clean_key(spec.name), source_key(spec.name)
    parents = [source, *(source_key(name) for name in sorted(suite.references - {spec.name}))]

    @dg.asset(
        key=key,
        deps=parents,
        description=f"{spec.description} Rows that did not pass are in quarantine.{spec.name}.",
        group_name=spec.domain,
        owners=owners(declared.catalog.people, spec.owner),
        kinds={"greatexpectations", "duckdb"},
        tags={"domain": spec.domain},
        metadata=schema({name: (column.type, column.description) for name, column in spec.columns.items()}),
        check_specs=list(_checks(key, suite)),
        required_resource_keys={KEY},
    )
    def judge(context: AssetExecutionContext) -> Iterator[Any]:
        refresh = refresh_of(context)
        with foreseen():
            result = refresh.clean(spec.name)
        if not result.blocked:
            rows = refresh.report.rows[f"clean.{spec.name}"]
            columns = {name: [(source, name)] for name in spec.columns}
            yield dg.MaterializeResult(asset_key=key, metadata={**_metadata(result, rows), **lineage(columns)})
        yield from _results(key, suite, result)
        with foreseen():
            accept(result)

    return judge


def _checks(key: dg.AssetKey, suite: Suite) -> Iterator[dg.AssetCheckSpec]:
    yield dg.AssetCheckSpec(
        TOLERANCE,
        asset=key,
        description=f"At most {suite.tolerance:.2%} of a load's rows are bad, and nothing critical failed.",
        blocking=True,
    )
    for spec in suite.expectations:
        blocking = spec.severity == "critical"
        metadata = {"type": spec.type, "severity": spec.severity, "kwargs": dg.MetadataValue.json(spec.kwargs)}
        yield dg.AssetCheckSpec(
            spec.name, asset=key, description=_note(spec) or spec.type, blocking=blocking, metadata=metadata
        )


def _note(spec: ExpectationSpec) -> str:
    if isinstance(spec.note, str):
        return spec.note
    return " · ".join(text for text in (spec.note.en, spec.note.zh) if text)


def _metadata(result: "CleanResult", rows: int) -> dict[str, Any]:
    return {
        "dagster/row_count": rows,
        "dagster/relation_identifier": f"clean.{result.source}",
        "changed": not result.skipped,
        "rows_judged": result.batch_rows,
        "rows_quarantined": result.quarantined_rows,
    }


def _results(key: dg.AssetKey, suite: Suite, result: "CleanResult") -> Iterator[dg.AssetCheckResult]:
    share = None if result.skipped else round(result.share, 6)
    yield check_result(key, TOLERANCE, not result.blocked, error=result.blocked, share=share)
    known = {spec.name for spec in suite.expectations}
    for outcome in result.outcomes:
        if outcome.name in known:
            yield check_result(
                key,
                outcome.name,
                outcome.success,
                error=result.level(outcome) == "error",
                bad_rows=outcome.unexpected_count,
                rows=outcome.element_count,
                observed=outcome.observed,
                problem=outcome.error,
                quarantined=outcome.quarantined or None,
            )
