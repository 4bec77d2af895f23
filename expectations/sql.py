"""Names in SQL. Values go in as parameters; the identifiers of this room are quoted here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROW_ID, LOAD_ID, SOURCE_FILE = "_row_id", "_load_id", "_source_file"
BOOKKEEPING = (ROW_ID, SOURCE_FILE, LOAD_ID)


def quote(name: str) -> str:
    """``name`` as an SQL identifier, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def table(schema: str, name: str) -> str:
    """``schema.name`` quoted."""
    return f"{quote(schema)}.{quote(name)}"


def listed(names: Iterable[str], of: str = "") -> str:
    """Comma-separated identifiers, each prefixed with the relation ``of`` when given."""
    prefix = f"{quote(of)}." if of else ""
    return ", ".join(prefix + quote(name) for name in names)


def columns(con: DuckDBPyConnection, schema: str, name: str) -> dict[str, str]:
    """Column names and types of a table in their order; empty when there is no such table."""
    import duckdb

    try:
        rows = con.execute(f"DESCRIBE {table(schema, name)}").fetchall()  # duckdb_columns() lists those of all tables
    except duckdb.CatalogException:
        return {}
    return {str(column): str(kind) for column, kind, *_ in rows}


def scalar(con: DuckDBPyConnection, query: str, values: object = None) -> int:
    """The one whole number a counting query answers; nothing counts as 0."""
    row = con.execute(query, values).fetchone()
    return int(row[0] or 0) if row else 0
