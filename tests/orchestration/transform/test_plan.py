from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from orchestration.transform.graph import DbtGraph, Node
from orchestration.transform.plan import Change, Invocation, plan

DAY = date(2024, 3, 1)


def node(name: str, *parents: str, kind: str = "model", fingerprint: str = "new", **config: Any) -> Node:
    raw = {"config": {"materialized": "table", **config}, "schema": "marts", "alias": name}
    return Node(name, name, kind, f"models/{name}.sql", f"fqn:{name}", parents, fingerprint, raw)


@pytest.fixture
def graph() -> DbtGraph:
    """receipts -> stg -> lines -> rollup; products -> dim -> report <- lines; one test of lines and dim."""
    nodes = [
        node("stg", "source.receipts"),
        node("dim", "source.products"),
        node("lines", "stg"),
        node("known", "lines", "dim", kind="test"),
        node("unique_lines", "lines", kind="test"),
        node("rollup", "lines"),
        node("report", "lines", "dim"),
    ]
    sources = {f"source.{name}": ("clean", name) for name in ("receipts", "products")}
    return DbtGraph({one.id: one for one in nodes}, sources, {}, {})


def planned(graph: DbtGraph, *changes: Change, **known: str | None) -> tuple[Invocation, ...]:
    fingerprints = dict.fromkeys(graph.nodes, "new") | known
    relations = {one.relation for one in graph.tables if one.relation}
    return plan(
        graph,
        {change.source: change for change in changes},
        {key: value for key, value in fingerprints.items() if value},
        relations,
    )


def test_nothing_moved_nothing_to_do(graph: DbtGraph) -> None:
    assert planned(graph) == ()


def test_changed_days_reach_all_below_with_their_tests(graph: DbtGraph) -> None:
    days = frozenset({DAY})
    nodes = ("stg", "lines", "known", "unique_lines", "rollup", "report")
    assert planned(graph, Change("receipts", days)) == (Invocation(nodes, days),)


def test_what_also_reads_a_reloaded_source_is_rebuilt_whole_and_last(graph: DbtGraph) -> None:
    days = frozenset({DAY})
    found = planned(graph, Change("receipts", days), Change("products", None))
    assert found == (
        Invocation(("stg", "lines", "unique_lines", "rollup"), days),
        Invocation(("dim", "known", "report"), None),
    )


def test_changed_code_rebuilds_itself_and_all_below(graph: DbtGraph) -> None:
    assert planned(graph, lines="old") == (Invocation(("lines", "known", "unique_lines", "rollup", "report"), None),)


def test_a_new_test_runs_alone(graph: DbtGraph) -> None:
    assert planned(graph, unique_lines=None) == (Invocation(("unique_lines",), None),)


def test_changed_code_beats_changed_days(graph: DbtGraph) -> None:
    found = planned(graph, Change("receipts", frozenset({DAY})), lines="old")
    assert found == (
        Invocation(("stg",), frozenset({DAY})),
        Invocation(("lines", "known", "unique_lines", "rollup", "report"), None),
    )


def test_a_table_that_is_gone_is_rebuilt(graph: DbtGraph) -> None:
    found = plan(
        graph, {}, dict.fromkeys(graph.nodes, "new"), {("marts", name) for name in ("stg", "dim", "lines", "rollup")}
    )
    assert found == (Invocation(("report",), None),)


def test_a_source_dbt_does_not_read_changes_nothing(graph: DbtGraph) -> None:
    assert planned(graph, Change("weather", None)) == ()


def test_an_ephemeral_model_passes_changes_on(graph: DbtGraph) -> None:
    nodes = {**graph.nodes, "stg": node("stg", "source.receipts", materialized="ephemeral")}
    found = planned(DbtGraph(nodes, graph.sources, {}, {}), Change("receipts", None))
    assert found[0].nodes[:2] == ("stg", "lines")


def test_a_view_shows_changed_days_by_itself(graph: DbtGraph) -> None:
    days = frozenset({DAY})
    nodes = {**graph.nodes, "stg": node("stg", "source.receipts", materialized="view")}
    nodes["stg_unique"] = node("stg_unique", "stg", kind="test")
    viewed = DbtGraph(nodes, graph.sources, {}, {})
    below = ("lines", "known", "unique_lines", "rollup", "report", "stg_unique")
    assert planned(viewed, Change("receipts", days)) == (Invocation(below, days),)
    assert planned(viewed, Change("receipts", days), stg=None)[0].nodes[0] == "stg", "its code changed"
