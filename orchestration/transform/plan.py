"""What dbt must rebuild: changed input, changed code, missing tables -> invocations. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date

from orchestration.transform.graph import DbtGraph


@dataclass(frozen=True)
class Change:
    """What moved in one clean source since dbt last ran. ``days`` none: anything may have."""

    source: str
    days: frozenset[date] | None


@dataclass(frozen=True)
class Invocation:
    """One ``dbt build``: ids of nodes, parents first, and the days they replace (none: rebuilt whole)."""

    nodes: tuple[str, ...]
    days: frozenset[date] | None


def plan(
    graph: DbtGraph,
    changes: Mapping[str, Change],
    known: Mapping[str, str],
    relations: Set[tuple[str, str]],
    always: Iterable[str] = (),
) -> tuple[Invocation, ...]:
    """At most two invocations: first what only changed days touch, then what is rebuilt whole.

    ``known`` are the fingerprints of the last complete build, ``relations`` the tables that exist; what is below
    ``always`` is rebuilt each time. Nothing that is rebuilt by day stands below something rebuilt whole, or it would
    be rebuilt whole too: the order is always right. So is a metric model that joins what changed days touch: a
    customer's segment, made of sales, moves all rows of the customer.
    A view whose code is as it was shows new days by itself; its tests run.
    """
    named = {table: id_ for id_, table in graph.clean_sources().items()}
    moved = [change for change in changes.values() if change.source in named]
    stale = {node.id for node in graph.nodes.values() if known.get(node.id) != node.fingerprint}
    stale |= {node.id for node in graph.tables if node.relation not in relations}
    whole_sources = {named[change.source] for change in moved if change.days is None}
    whole = graph.downstream({id_ for id_ in stale if graph.nodes[id_].is_table} | whole_sources | set(always))
    whole |= {id_ for id_ in stale if not graph.nodes[id_].is_table}
    by_day = [change for change in moved if change.days]
    reached = graph.downstream({named[change.source] for change in by_day})
    whole |= graph.downstream(graph.joining(reached))
    daily = reached - whole
    daily -= {id_ for id_ in daily if graph.nodes[id_].is_view}
    days = frozenset(day for change in by_day for day in change.days or ())
    found = (Invocation(_ordered(graph, daily), days), Invocation(_ordered(graph, whole), None))
    return tuple(invocation for invocation in found if invocation.nodes)


def _ordered(graph: DbtGraph, wanted: set[str]) -> tuple[str, ...]:
    return tuple(id_ for id_ in graph.nodes if id_ in wanted)
