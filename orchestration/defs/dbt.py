"""dbt's models as assets and its tests as asset checks, from the manifest; run by orchestration.transform."""

# Annotations are not postponed here: Dagster reads that of `context` and takes no text.

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster import AssetExecutionContext

from orchestration.declared import Declared
from orchestration.describe import check_result, clean_key, foreseen, lineage, schema
from orchestration.faults import Failed
from orchestration.resources import KEY, refresh_of
from orchestration.transform.graph import CLEAN, DbtGraph, Node

if TYPE_CHECKING:
    from orchestration.transform.run import TransformResult


def node_key(node: Node) -> dg.AssetKey:
    """``<schema>/<table>``."""
    return dg.AssetKey(list(node.relation or (node.raw["schema"], node.name)))


def keys_by_id(graph: DbtGraph) -> dict[str, dg.AssetKey]:
    """Asset key of every table and source of the dbt project, by dbt id."""
    found = {node.id: node_key(node) for node in graph.tables}
    for id_, (source, table) in graph.sources.items():
        found[id_] = clean_key(table) if source == CLEAN else dg.AssetKey([source, table])
    return found


def definitions(declared: Declared) -> dg.Definitions:
    """One multi-asset for the whole dbt project."""
    graph = declared.graph
    keys = keys_by_id(graph)
    names = {node.id: _check_names(graph, node) for node in graph.tables}

    @dg.multi_asset(
        name="dbt",
        specs=[_spec(node, keys, graph) for node in graph.tables],
        check_specs=[
            dg.AssetCheckSpec(name, asset=keys[node.id], description=graph.nodes[test].raw.get("description") or None)
            for node in graph.tables
            for test, name in names[node.id].items()
        ],
        can_subset=True,
        required_resource_keys={KEY},
    )
    def build(context: AssetExecutionContext) -> Iterator[Any]:
        selected = context.selected_asset_keys
        chosen = [node for node in graph.tables if keys[node.id] in selected]
        refresh = refresh_of(context)
        with foreseen():
            result = refresh.transform(None if len(chosen) == len(graph.tables) else [node.id for node in chosen])
        told = [node for node in chosen if _is_current(node, result)]
        for node in told:
            yield _built(node, result, keys)
        for node in told:
            yield from _tested(keys[node.id], names[node.id], result, context.selected_asset_check_keys)
        if result.failures:
            with foreseen():
                raise Failed("\n".join(map(str, result.failures)), 1)

    return dg.Definitions(assets=[build] if graph.tables else [])


def _spec(node: Node, keys: Mapping[str, dg.AssetKey], graph: DbtGraph) -> dg.AssetSpec:
    raw = node.raw
    columns = {name: (one.get("data_type") or "", one.get("description") or "") for name, one in raw["columns"].items()}
    return dg.AssetSpec(
        key=keys[node.id],
        deps=sorted({keys[parent] for parent in _parents(node, graph) if parent in keys}),
        description=raw.get("description") or None,
        group_name=_group(node),
        kinds={"dbt", "duckdb"},
        tags={"layer": raw["fqn"][1] if len(raw["fqn"]) > 1 else "models"},
        metadata={
            "dagster/relation_identifier": ".".join(node.relation or ()),
            "materialized": raw["config"]["materialized"],
            **schema({name: given for name, given in columns.items() if any(given)}),
        },
    )


def _parents(node: Node, graph: DbtGraph) -> Iterator[str]:
    """Tables above; an ephemeral model is no table, so its own parents stand for it."""
    for parent in node.parents:
        above = graph.nodes.get(parent)
        if above is not None and above.is_table and above.relation is None:
            yield from _parents(above, graph)
        else:
            yield parent


def _group(node: Node) -> str:
    """dbt's own group; else the domain folder of marts and intermediate models; else the layer."""
    layer, *folders = node.raw["fqn"][1:-1] or ["models"]
    name = node.raw["config"].get("group") or (folders[0] if folders and layer != "staging" else layer)
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def _check_names(graph: DbtGraph, node: Node) -> dict[str, str]:
    """A name per test, unique among the tests of one table."""
    found: dict[str, str] = {}
    for test in graph.tests.get(node.id, ()):
        name = test.name if test.name not in found.values() else f"{test.name}_{test.id.rsplit('.', 1)[1]}"
        found[test.id] = name
    return found


def _is_current(node: Node, result: "TransformResult") -> bool:
    """Whether its table is what it should be after this run."""
    state = result.nodes.get(node.id)
    if state is None or (state.status != "success" and node.id in result.built):
        return False
    return node.id in result.built or not result.failures


def _built(node: Node, result: "TransformResult", keys: Mapping[str, dg.AssetKey]) -> dg.MaterializeResult:
    state = result.nodes[node.id]
    columns = {
        column: [(keys[parent], name) for parent, name in parents if parent in keys]
        for column, parents in state.lineage.items()
    }
    return dg.MaterializeResult(
        asset_key=keys[node.id],
        metadata={
            "changed": node.id in result.built,
            **({"dagster/row_count": state.row_count} if state.row_count is not None else {}),
            **({"seconds": round(result.seconds[node.id], 3)} if node.id in result.seconds else {}),
            **lineage(columns),
        },
    )


def _tested(
    key: dg.AssetKey, tests: Mapping[str, str], result: "TransformResult", selected: Collection[dg.AssetCheckKey]
) -> Iterator[dg.AssetCheckResult]:
    for test, name in tests.items():
        outcome = result.nodes.get(test)
        if outcome is not None and outcome.status != "skipped" and dg.AssetCheckKey(key, name) in selected:
            passed = outcome.status in ("pass", "success")
            error = outcome.status in ("fail", "error")
            yield check_result(
                key, name, passed, error=error, failures=outcome.failures, message=outcome.message or None
            )
