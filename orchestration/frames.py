"""DuckDB without importing pandas for nothing. Knows no tables."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PANDAS = "pandas"


class _Known(ModuleType):
    """Pandas as far as somebody imported it; it imports nothing itself."""

    def __getattr__(self, name: str) -> Any:
        real = sys.modules.get(_PANDAS)
        if real is None or real is self or name.startswith("__"):
            raise AttributeError(name)
        return getattr(real, name)


def spare_pandas(connection: DuckDBPyConnection) -> None:
    """Have DuckDB look for pandas' values only where pandas is.

    With the first parameter of a process it imports pandas, 0.26 CPU s, to tell its NaT and NA from other values: there
    are none before somebody imported it. It keeps the module it finds, so this matters once; here that is `_Known`.
    """
    if _PANDAS in sys.modules or _met:
        return
    sys.modules[_PANDAS] = stand_in = _Known(_PANDAS)
    try:
        connection.execute("select $1", [0]).fetchall()
    finally:
        _met.append(stand_in)
        if sys.modules.get(_PANDAS) is stand_in:
            del sys.modules[_PANDAS]


_met: list[_Known] = []
