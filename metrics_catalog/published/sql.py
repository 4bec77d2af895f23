"""Names in SQL text. Values are parameters wherever DuckDB takes them."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(name: str) -> str:
    """``name`` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    """Quoted identifiers joined by commas."""
    return ", ".join(quoted(name) for name in names)


def literal(text: object) -> str:
    """A string literal, for the statements that take no parameters (COPY, CREATE VIEW)."""
    return "'" + str(text).replace("'", "''") + "'"
