"""One dbt stage: look what is new, build what stands below it, remember what was built."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from metrics_catalog.built_columns import keep_built_columns
from metrics_catalog.built_periods import keep_built_periods
from metrics_catalog.located import Problem
from metrics_catalog.own_grains import declared
from metrics_catalog.project import Project
from metrics_catalog.read_semantics import read_semantics
from orchestration import warehouse
from orchestration.settings import Settings
from orchestration.tables import row_count
from orchestration.transform import blame, runner, state
from orchestration.transform.blame import DbtFailed
from orchestration.transform.graph import DbtGraph, Node
from orchestration.transform.lineage import column_lineage
from orchestration.transform.plan import Invocation, plan
from orchestration.transform.runner import NodeResult
from orchestration.transform.state import NodeState

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Tell = Callable[[str], None]
Mode = Literal["skipped", "days", "whole"]


@dataclass(frozen=True)
class TransformResult:
    """What dbt did. ``nodes``: every node as it now stands; ``built``: ids of those built or tested in this run.

    ``failures`` are located problems of models that did not build and tests that did not pass; then nothing is
    remembered and the next run does the same work again.
    """

    mode: Mode
    built: frozenset[str]
    nodes: Mapping[str, NodeState]
    seconds: Mapping[str, float]
    failures: tuple[Problem, ...]


def transform(
    project: Project, settings: Settings, graph: DbtGraph, only: Collection[str] | None = None, tell: Tell | None = None
) -> TransformResult:
    """Bring dbt's tables up to date with the clean views; ``only``: rebuild these nodes whole instead, and their tests.

    Raises `InvalidFiles` when dbt could not start on the project's files, `DbtFailed` when dbt itself failed.
    """
    with closing(warehouse.connect(project)) as con:
        state.prepare(con)
        now = state.accepted(con)
        invocations = _chosen(graph, only) if only is not None else _planned(project, con, graph, now)
        whole = [id_ for invocation in invocations if invocation.days is None for id_ in invocation.nodes]
        if whole:
            state.forget(con, whole)
        before = state.nodes(con)
        marks = now if only is None else {name: now[name] for name in _all_below(graph, only) if name in now}
        if not invocations:  # the warehouse may stay open: dbt has nothing to do
            return _ended(con, project, graph, "skipped", {}, before, marks)
    results = _run(project, settings, graph, invocations, tell or (lambda message: None))
    mode = "days" if invocations[-1].days is not None else "whole"
    with closing(warehouse.connect(project)) as con:
        return _ended(con, project, graph, mode, results, before, marks)


def _ended(
    con: DuckDBPyConnection,
    project: Project,
    graph: DbtGraph,
    mode: Mode,
    results: Mapping[str, NodeResult],
    before: Mapping[str, NodeState],
    marks: Mapping[str, tuple[int, str]],
) -> TransformResult:
    """What came of it, remembered unless something failed."""
    failures = tuple(_problems(project, graph, results.values()))
    nodes = {**before, **_states(con, project, graph, results, before)}
    if not failures:
        if project.is_dbt:
            keep_built_columns(read_semantics(project.manifest), project, _columns(con))
        own_grains = declared({id_: node.raw for id_, node in graph.nodes.items()})
        failures = tuple(keep_built_periods(con, own_grains, project))
    if not failures:
        _remember(con, graph, [nodes[id_] for id_ in results], marks)
    seconds = {result.id: result.seconds for result in results.values()}
    return TransformResult(mode, frozenset(results), nodes, seconds, failures)


def _chosen(graph: DbtGraph, only: Collection[str]) -> tuple[Invocation, ...]:
    wanted = {*only, *(test.id for id_ in only for test in graph.tests.get(id_, ()))}
    nodes = tuple(id_ for id_ in graph.nodes if id_ in wanted)
    return (Invocation(nodes, None),) if nodes else ()


def _all_below(graph: DbtGraph, only: Collection[str]) -> Iterator[str]:
    """Sources of which everything below is among ``only``: once that is built, their loads are."""
    for id_, name in graph.clean_sources().items():
        below = {node for node in graph.downstream({id_}) if graph.nodes[node].is_table}
        if below and below <= set(only):
            yield name


def _planned(
    project: Project, con: DuckDBPyConnection, graph: DbtGraph, now: Mapping[str, tuple[int, str]]
) -> tuple[Invocation, ...]:
    known = {id_: node.fingerprint for id_, node in state.nodes(con).items() if node.fingerprint is not None}
    always = graph.foreign_sources() if project.is_dbt else ()
    return plan(graph, state.changes(con, state.seen(con), now), known, state.relations(con), always)


def _run(
    project: Project, settings: Settings, graph: DbtGraph, invocations: Sequence[Invocation], tell: Tell
) -> dict[str, NodeResult]:
    results: dict[str, NodeResult] = {}

    def on_node(result: NodeResult) -> None:
        node = graph.nodes[result.id]
        if result.failed or node.is_table:
            tell(f"dbt {node.name}: {result.status}")

    for invocation in invocations:
        nodes = [graph.nodes[id_] for id_ in invocation.nodes]
        # dbt builds an ephemeral model into its children and says nothing of it.
        found = {node.id: NodeResult(node.id, "success", "", 0.0, 0) for node in nodes if node.is_ephemeral}
        select = [node.selector for node in nodes if not node.is_ephemeral]
        found |= {result.id: result for result in runner.build(project, settings, select, invocation.days, on_node)}
        results |= found
        if any(result.failed for result in found.values()):
            break
        if silent := [node.name for node in nodes if node.id not in found]:
            raise DbtFailed(f"dbt ended without building {', '.join(silent)}")
    return results


def _problems(project: Project, graph: DbtGraph, results: Collection[NodeResult]) -> Iterator[Problem]:
    for result in results:
        if not result.failed:
            continue
        node = graph.nodes[result.id]
        text = blame.plain(result.message)
        if not node.is_table:
            text = f"{_test(node)}: {text}{_query(project, node)}"
        problem = blame.located(project, text, path=node.path)
        if problem is not None:
            yield problem


def _test(node: Node) -> str:
    column = node.raw.get("column_name")
    return f'test {node.name} of column "{column}"' if column else f"test {node.name}"


def _query(project: Project, test: Node) -> str:
    """Where the query is that shows the rows a test found."""
    if "test_metadata" not in test.raw:
        return ""
    parts = (test.path, test.raw["path"]) if test.raw.get("test_metadata") else (test.path,)
    compiled = project.target.joinpath("compiled", test.raw["package_name"], *parts)
    return f"; its query is {compiled.relative_to(project.root).as_posix()}" if compiled.is_file() else ""


def _states(
    con: DuckDBPyConnection,
    project: Project,
    graph: DbtGraph,
    results: Mapping[str, NodeResult],
    before: Mapping[str, NodeState],
) -> dict[str, NodeState]:
    built = [graph.nodes[id_] for id_ in results if graph.nodes[id_].is_table]
    columns = _columns(con) if built else {}
    found: dict[str, NodeState] = {}
    for id_, result in results.items():
        node, old = graph.nodes[id_], before.get(id_)
        lineage: state.Lineage = {}
        if node.kind == "model":
            current = old is not None and old.fingerprint == node.fingerprint
            lineage = old.lineage if old is not None and current else _lineage(project, graph, id_, columns)
        stored = node.relation is not None and not node.is_view
        rows = row_count(con, *node.relation) if stored and node.relation else None
        found[id_] = NodeState(
            id_, node.fingerprint, result.status, blame.plain(result.message), result.failures, rows, lineage
        )
    return found


def _columns(con: DuckDBPyConnection) -> dict[tuple[str, str], dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    query = "select schema_name, table_name, column_name, data_type from duckdb_columns() order by column_index"
    for schema, table, column, kind in con.execute(query).fetchall():
        found.setdefault((schema, table), {})[column] = kind
    return found


def _lineage(
    project: Project, graph: DbtGraph, id_: str, columns: Mapping[tuple[str, str], Mapping[str, str]]
) -> state.Lineage:
    node = graph.nodes[id_]
    compiled = project.target / "compiled" / node.raw["package_name"] / node.path
    if not compiled.is_file():
        return {}
    parents: dict[tuple[str, str], str] = {}
    for parent in node.parents:
        if parent in graph.sources:
            parents[graph.relations[parent]] = parent
        elif parent in graph.nodes and (relation := graph.nodes[parent].relation):
            parents[relation] = parent
    return column_lineage(compiled.read_text("utf-8"), parents, columns)


def _remember(
    con: DuckDBPyConnection, graph: DbtGraph, states: Sequence[NodeState], marks: Mapping[str, tuple[int, str]]
) -> None:
    con.begin()
    try:
        state.remember(con, states)
        state.keep_only(con, graph)
        state.mark_seen(con, marks)
    except BaseException:
        con.rollback()
        raise
    con.commit()
