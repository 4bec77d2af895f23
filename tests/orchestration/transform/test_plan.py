from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def with_nodes(graph: DbtGraph, *more: Node) -> DbtGraph:
    return DbtGraph({**graph.nodes, **{one.id: one for one in more}}, graph.sources, {}, {})


@pytest.mark.parametrize("kind", ["table", "view", "ephemeral", "incremental"])
def test_a_metric_model_that_joins_what_changed_days_touch_is_rebuilt_whole(graph: DbtGraph, kind: str) -> None:
    """A customer's segment, made of sales: one more sale moves the customer's rows of all days."""
    segmented = with_nodes(
        graph,
        node("segments", "lines", materialized=kind),
        node("by_segment", "lines", "segments", meta={"joins": ["segments"]}),
        node("by_product", "lines", "dim", meta={"joins": ["dim"]}),
        node("day_known", "by_segment", kind="test"),
    )
    by_day, whole = planned(segmented, Change("receipts", frozenset({DAY})))
    assert (by_day.days, whole) == (frozenset({DAY}), Invocation(("by_segment", "day_known"), None))
    assert {"lines", "rollup", "by_product"} < set(by_day.nodes)
    again = planned(segmented, Change("products", None))
    assert [("by_product" in one.nodes, "by_segment" in one.nodes, one.days) for one in again] == [(True, False, None)]


def test_a_joined_table_of_another_daily_source_counts_too(graph: DbtGraph) -> None:
    rated = with_nodes(
        graph, node("rated", "source.products"), node("by_rating", "lines", "rated", meta={"joins": ["rated"]})
    )
    found = planned(rated, Change("products", frozenset({DAY})))
    assert found[-1] == Invocation(("by_rating",), None)


@st.composite
def projects(draw: st.DrawFn) -> tuple[DbtGraph, list[Change]]:
    """Models that read sources and each other, some of them joining what they read; some sources changed."""
    names = [f"source.{number}" for number in range(3)]
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 8))):
        parents = draw(st.lists(st.sampled_from([*names, *(one.id for one in nodes)]), min_size=1, unique=True))
        joins = draw(st.lists(st.sampled_from(parents), unique=True))
        materialized = draw(st.sampled_from(["table", "view", "incremental"]))
        nodes.append(node(f"m{number}", *parents, materialized=materialized, meta={"joins": joins}))
    days = st.none() | st.just(frozenset({DAY}))
    changed = draw(st.dictionaries(st.sampled_from(names), days))
    sources = {name: ("clean", name) for name in names}
    return DbtGraph({one.id: one for one in nodes}, sources, {}, {}), [Change(*one) for one in changed.items()]


@given(projects())
def test_what_is_replaced_by_day_joins_nothing_that_changed(project: tuple[DbtGraph, list[Change]]) -> None:
    graph, changes = project
    moved = graph.downstream({change.source for change in changes})
    found = planned(graph, *changes)
    for invocation in found:
        for one in map(graph.nodes.__getitem__, invocation.nodes if invocation.days else ()):
            assert not moved.intersection(one.joins)
    built = {id_ for invocation in found for id_ in invocation.nodes}
    assert {id_ for id_ in moved if not graph.nodes[id_].is_view} <= built <= moved
