"""Runs SQL with named parameters, giving each statement only those it mentions (DuckDB refuses more)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PARAMETER = re.compile(r"\$([a-z_][a-z0-9_]*)")


def run(con: DuckDBPyConnection, query: str, values: Mapping[str, object]) -> DuckDBPyConnection:
    """Execute ``query``; ``values`` may hold more names than it uses."""
    names = set(_PARAMETER.findall(query))
    return con.execute(query, {name: value for name, value in values.items() if name in names})
