"""What is remembered of dbt's last complete build, in the warehouse itself: a new warehouse remembers nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from duckdb import DuckDBPyConnection

from orchestration.transform.graph import DbtGraph
from orchestration.transform.plan import Change

STAGE = "dbt"
_REFERENCES = "references of "
_TABLES = """
create schema if not exists build;
create table if not exists build.nodes (
    unique_id varchar primary key,
    fingerprint varchar,
    status varchar not null,
    message varchar not null,
    failures bigint not null,
    row_count bigint,
    lineage varchar not null
)
"""

Lineage = Mapping[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class NodeState:
    """A node as last built. ``row_count`` none for views; ``lineage``: column -> (parent id, column) pairs."""

    id: str
    fingerprint: str | None
    status: str
    message: str
    failures: int
    row_count: int | None
    lineage: Lineage


def prepare(con: DuckDBPyConnection) -> None:
    """Make the bookkeeping table."""
    con.execute(_TABLES)


def nodes(con: DuckDBPyConnection) -> dict[str, NodeState]:
    """Every node remembered, by id."""
    rows = con.execute(
        "select unique_id, fingerprint, status, message, failures, row_count, lineage from build.nodes"
    ).fetchall()
    return {row[0]: NodeState(*row[:6], lineage=_lineage(row[6])) for row in rows}


def forget(con: DuckDBPyConnection, ids: Iterable[str]) -> None:
    """Before a rebuild: should it not finish, these nodes are built again whatever their code says then."""
    con.execute("update build.nodes set fingerprint = null where list_contains(?, unique_id)", [list(ids)])


def remember(con: DuckDBPyConnection, states: Iterable[NodeState]) -> None:
    """Store nodes as built."""
    rows = [[s.id, s.fingerprint, s.status, s.message, s.failures, s.row_count, json.dumps(s.lineage)] for s in states]
    if rows:  # all at once: a statement for each costs 3 ms
        columns = [list(column) for column in zip(*rows, strict=True)]
        con.execute(f"insert or replace into build.nodes select {', '.join(['unnest(?)'] * len(columns))}", columns)


def keep_only(con: DuckDBPyConnection, graph: DbtGraph) -> None:
    """Drop the memory of nodes that left the project."""
    con.execute("delete from build.nodes where not list_contains(?, unique_id)", [list(graph.nodes)])


def relations(con: DuckDBPyConnection) -> frozenset[tuple[str, str]]:
    """Tables and views that exist, as (schema, name)."""
    query = (
        "select schema_name, table_name from duckdb_tables()"
        " union all select schema_name, view_name from duckdb_views() where not internal"
    )
    return frozenset(con.execute(query).fetchall())


def seen(con: DuckDBPyConnection) -> dict[str, tuple[int, str]]:
    """Per source, the load and the suite fingerprint the last complete build read."""
    return _bookmarks(con, STAGE)


def accepted(con: DuckDBPyConnection) -> dict[str, tuple[int, str]]:
    """Per source, the load its clean view shows and a fingerprint of what its rows were judged by.

    The loads of the sources it refers to are part of that: when they move, rows landed long ago may leave or enter.
    """
    query = "select stage, source, load_id from ingest.bookmarks where starts_with(stage, $1) order by all"
    judged_by: dict[str, str] = {}
    for stage, reference, load_id in con.execute(query, [_REFERENCES]).fetchall():
        source = stage.removeprefix(_REFERENCES)
        judged_by[source] = judged_by.get(source, "") + f" {reference}:{load_id}"
    return {
        source: (load_id, fingerprint + judged_by.get(source, ""))
        for source, (load_id, fingerprint) in _bookmarks(con, "clean").items()
    }


def mark_seen(con: DuckDBPyConnection, marks: Mapping[str, tuple[int, str]]) -> None:
    """Remember what the build that just finished read."""
    for source, (load_id, fingerprint) in marks.items() - seen(con).items():
        con.execute(
            "insert or replace into ingest.bookmarks (stage, source, load_id, fingerprint) values (?, ?, ?, ?)",
            [STAGE, source, load_id, fingerprint],
        )


def changes(
    con: DuckDBPyConnection, before: Mapping[str, tuple[int, str]], now: Mapping[str, tuple[int, str]]
) -> dict[str, Change]:
    """Sources whose clean rows moved between two sets of bookmarks, with the days they moved on."""
    found: dict[str, Change] = {}
    for source, (load_id, fingerprint) in now.items():
        last, suite = before.get(source, (0, None))
        if suite != fingerprint:
            found[source] = Change(source, None)
        elif load_id != last:
            found[source] = Change(source, changed_days(con, source, last, load_id))
    return {source: change for source, change in found.items() if change.days is None or change.days}


def changed_days(con: DuckDBPyConnection, source: str, after: int, until: int) -> frozenset[date] | None:
    """Business days that loads after ``after`` up to ``until`` touched; None when anything may have changed."""
    query = "select distinct day from ingest.changes where source = ? and load_id > ? and load_id <= ?"
    days = con.execute(query, [source, after, until]).fetchall()
    return None if (None,) in days else frozenset(day for (day,) in days)


def corrected(con: DuckDBPyConnection, source: str, after: int, until: int) -> bool:
    """Whether loads after ``after`` up to ``until`` took away rows that were there before, to replace them or not."""
    query = "select count(*) from ingest.loads where source = ? and load_id > ? and load_id <= ? and rows_deleted > 0"
    row = con.execute(query, [source, after, until]).fetchone()
    return row is not None and row[0] > 0


def _bookmarks(con: DuckDBPyConnection, stage: str) -> dict[str, tuple[int, str]]:
    query = "select source, load_id, fingerprint from ingest.bookmarks where stage = ?"
    return {source: (load_id, fingerprint) for source, load_id, fingerprint in con.execute(query, [stage]).fetchall()}


def _lineage(text: str) -> dict[str, tuple[tuple[str, str], ...]]:
    data: dict[str, Any] = json.loads(text)
    return {column: tuple((parent, name) for parent, name in pairs) for column, pairs in data.items()}
