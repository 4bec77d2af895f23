"""Our own two types of expectation, in SQL: ``references`` (a foreign key) and ``unique_rows`` (no row twice).

Great Expectations has both only as a set of values or for a whole table. Here they stay right for increments: a verdict
about a row can change only for rows that are new or were found bad before, so only those are looked at, unless the
referenced source was loaded again. No import of Great Expectations, so a late product releases its lines cheaply.
"""
# ruff: noqa: S608  # names are quoted by sql.py, values are parameters

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from expectations.quarantine import FINDINGS, NOTHING, REASONS, rows_after
from expectations.sql import BOOKKEEPING, LOAD_ID, ROW_ID, columns, listed, quote, scalar, table
from expectations.suite import ExpectationSpec

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Judged:
    """Rows looked at and rows found bad among them."""

    elements: int
    unexpected: int


def find(con: DuckDBPyConnection, source: str, spec: ExpectationSpec, since: int) -> Judged:
    """Add every bad row of ``spec`` to the findings; count those of loads after ``since``. Raises duckdb.Error."""
    changed = _changed(source, since)
    query = _references(source, spec, changed) if spec.type == "references" else _unique(con, source, spec, changed)
    values = {"reason": spec.name} | ({"since": since} if changed else {})
    con.execute(f"INSERT INTO {FINDINGS} {query}", values)
    return Judged(
        rows_after(con, source, since),
        scalar(con, f"SELECT count(*) FROM {FINDINGS} WHERE reason = $1 AND {LOAD_ID} > $2", [spec.name, since]),
    )


def _changed(source: str, since: int) -> str:
    """Condition on ``s``: a row whose verdict can have changed; empty when that is every row."""
    if since == NOTHING:
        return ""
    bad_before = f"SELECT {ROW_ID} FROM {table('quarantine', source)} WHERE list_contains({REASONS}, $reason)"
    return f"(s.{LOAD_ID} > $since OR s.{ROW_ID} IN ({bad_before}))"


def _references(source: str, spec: ExpectationSpec, changed: str) -> str:
    column, field = quote(spec.kwargs["column"]), quote(spec.kwargs["field"])
    return (
        f"SELECT s.{ROW_ID}, s.{LOAD_ID}, $reason FROM {table('source', source)} s"
        f" ANTI JOIN {table('source', spec.kwargs['source'])} r ON s.{column} = r.{field}"
        f" WHERE s.{column} IS NOT NULL AND {changed or 'true'}"
    )


def _unique(con: DuckDBPyConnection, source: str, spec: ExpectationSpec, changed: str) -> str:
    """Rows that have an equal one with a lower row id; missing values are equal to each other."""
    landed = table("source", source)
    declared = [name for name in columns(con, "source", source) if name not in BOOKKEEPING]
    names = list(spec.kwargs.get("columns") or declared)
    equal = " AND ".join(f"s.{quote(name)} IS NOT DISTINCT FROM {{0}}.{quote(name)}" for name in names)
    keys = listed(names, "s")
    candidates = f"SELECT {keys}, s.{ROW_ID}, s.{LOAD_ID} FROM {landed} s WHERE {changed or 'true'}"
    # Keys that no candidate has need no counting; when every row is a candidate there are none.
    narrowed = f"SEMI JOIN candidates c ON {equal.format('c')}" if changed else ""
    return (
        f"WITH candidates AS {'MATERIALIZED' if changed else 'NOT MATERIALIZED'} ({candidates}), firsts AS ("
        f"SELECT {keys}, min(s.{ROW_ID}) AS first FROM {landed} s {narrowed} GROUP BY {keys} HAVING count(*) > 1)"
        f" SELECT s.{ROW_ID}, s.{LOAD_ID}, $reason FROM candidates s"
        f" JOIN firsts f ON {equal.format('f')} AND s.{ROW_ID} > f.first"
    )
