"""Which columns of its parents each column of a model comes from: dbt's compiled SQL, read by sqlglot. Pure."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestration.transform.state import Lineage

if TYPE_CHECKING:
    from sqlglot.lineage import Node

# (schema, table) -> column -> type, as the warehouse says.
Columns = Mapping[tuple[str, str], Mapping[str, str]]


def column_lineage(sql: str, parents: Mapping[tuple[str, str], str], columns: Columns) -> Lineage:
    """Column -> sorted (parent id, column) pairs; empty when the SQL is beyond sqlglot.

    ``parents``: (schema, table) -> id. An expression comes from every column it reads, a constant from none.
    """
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError
    from sqlglot.lineage import lineage

    # A model it cannot follow has no lineage; its warnings would only puzzle.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        tree = parse_one(sql, dialect="duckdb")
        for table in tree.find_all(exp.Table):
            table.set("catalog", None)
        found = lineage(None, tree, _schema(parents, columns), dialect="duckdb", trim_selects=False)
    except (SqlglotError, ValueError, KeyError, AttributeError, RecursionError):
        return {}
    return {name: _leaves(node, parents) for name, node in found.items()}


def _schema(parents: Mapping[tuple[str, str], str], columns: Columns) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for schema, table in parents:
        tree.setdefault(schema, {})[table] = dict(columns.get((schema, table), {}))
    return tree


def _leaves(node: Node, parents: Mapping[tuple[str, str], str]) -> tuple[tuple[str, str], ...]:
    from sqlglot import exp

    found: set[tuple[str, str]] = set()
    for leaf in node.walk():
        table = None if leaf.downstream else leaf.expression.find(exp.Table)
        parent = None if table is None else parents.get((table.db, table.name))
        if parent is not None:
            found.add((parent, exp.to_column(leaf.name).name))
    return tuple(sorted(found))
