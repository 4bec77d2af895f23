"""Pandas is not imported for a parameter, and its values are told from others once it is."""

from __future__ import annotations

import subprocess
import sys

PARAMETERS = """
import sys
import duckdb
from orchestration.frames import spare_pandas
con = duckdb.connect()
spare_pandas(con)
spare_pandas(duckdb.connect())
found = con.execute("select $a, unnest($b)", {"a": "x", "b": [1, 2]}).fetchall()
assert found == [("x", 1), ("x", 2)], found
assert "pandas" not in sys.modules
import pandas
frame = pandas.DataFrame({"a": [1, 2]})
assert con.execute("select sum(a) from frame").fetchall() == [(3,)]
assert con.execute("select $1, $2", [pandas.NaT, pandas.NA]).fetchall() == [(None, None)]
assert list(con.execute("select 1 as one").df()["one"]) == [1]
"""


def test_pandas_is_met_where_somebody_imported_it() -> None:
    done = subprocess.run([sys.executable, "-c", PARAMETERS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_it_a_parameter_imports_pandas() -> None:
    """Else `orchestration.frames` is needed no more."""
    program = "import sys, duckdb; duckdb.connect().execute('select $1', [0]); assert 'pandas' in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
