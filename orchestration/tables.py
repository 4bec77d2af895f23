"""Small questions to the warehouse about its tables. The one place here that writes a table's name into SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def row_count(con: DuckDBPyConnection, schema: str, name: str) -> int:
    """Rows of a table, from its statistics (no scan); 0 when there is no such table."""
    import duckdb

    try:
        row = con.execute(f"select count(*) from {quoted(schema)}.{quoted(name)}").fetchone()  # noqa: S608 quoted names
    except duckdb.CatalogException:
        return 0
    return 0 if row is None else int(row[0])


def quoted(name: str) -> str:
    """A name as an SQL identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'
