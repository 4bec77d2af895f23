"""The folder a publish is prepared in: streams written aside as Parquet, and the tidying of folders left behind."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from metrics_catalog.published import table
from metrics_catalog.published.errors import BadInput
from metrics_catalog.published.model import FIXED, KEY, NUMBERS
from metrics_catalog.published.places import staging_folder
from metrics_catalog.published.sql import literal, quoted

# ruff: noqa: S608 - names go through quoted(), values are parameters

NUMBER = "decimal(28, 6)"
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_MOVED = "moved.json"


def connect(folder: Path, memory: str) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that spills to ``folder`` above ``memory``."""
    return duckdb.connect(
        config={"memory_limit": memory, "temp_directory": str(folder / "spill"), "preserve_insertion_order": False}
    )


def made(root: Path, run_id: str) -> Path:
    """An empty staging folder for ``run_id``. Raises `BadInput` when the id cannot be a folder name."""
    if not _RUN_ID.fullmatch(run_id):
        raise BadInput(f'run id "{run_id}" may hold only letters, digits, "_", "." and "-"')
    folder = staging_folder(root) / run_id
    folder.mkdir(parents=True)
    return folder


def stage_values(con: duckdb.DuckDBPyConnection, rows: Any, path: Path) -> list[str]:
    """Write a stream of values to ``path``; returns its dimensions. Numbers that do not fit are told in ``_unfit``."""
    reader = _reader(rows)
    names = reader.schema.names
    dimensions = _dimensions(names)
    con.register("incoming", reader)
    con.execute(f"copy ({_values_query(names, dimensions)}) to {literal(path)} (format parquet, compression lz4_raw)")
    con.unregister("incoming")
    return dimensions


def stage_rollup(con: duckdb.DuckDBPyConnection, rows: Any, path: Path) -> pa.Schema:
    """Write a stream of rollup rows (column ``day`` and others) to ``path``; returns its schema."""
    reader = _reader(rows)
    if "day" not in reader.schema.names:
        raise BadInput('a rollup needs a column "day"')
    con.register("incoming", reader)
    cast = ", ".join('"day"::date as "day"' if name == "day" else quoted(name) for name in reader.schema.names)
    con.execute(f"copy (select {cast} from incoming) to {literal(path)} (format parquet, compression lz4_raw)")
    con.unregister("incoming")
    return con.execute("select * from read_parquet($path) limit 0", {"path": str(path)}).to_arrow_table().schema


def remember_moved(folder: Path, paths: Iterable[Path]) -> None:
    """Note files about to enter tables, so that a later publish can remove them if this one dies before its commit."""
    (folder / _MOVED).write_text(json.dumps([str(path) for path in paths]))


def clean(root: Path) -> None:
    """Remove the staging folders of publishes that died, and the files they put into tables without committing."""
    for folder in sorted(staging_folder(root).glob("*")):
        moved = folder / _MOVED
        if moved.exists():
            for path in _read_moved(moved):
                _remove_orphan(path)
        shutil.rmtree(folder)


def _read_moved(moved: Path) -> list[Path]:
    try:
        return [Path(name) for name in json.loads(moved.read_text())]
    except ValueError:  # died while writing it: nothing had been moved yet
        return []


def _remove_orphan(path: Path) -> None:
    delta = table.opened(path.parent)
    if delta is None or path.name not in {Path(uri).name for uri in delta.file_uris()}:
        path.unlink(missing_ok=True)


def _reader(rows: Any) -> pa.RecordBatchReader:
    if isinstance(rows, pa.RecordBatchReader):
        return rows
    if not hasattr(rows, "__arrow_c_stream__"):
        raise BadInput(f"rows must be an Arrow stream (table, reader, DuckDB relation), not {type(rows).__name__}")
    return pa.RecordBatchReader.from_stream(rows)


def _dimensions(names: list[str]) -> list[str]:
    missing = [name for name in (*KEY, *NUMBERS, "definition") if name not in names]
    if missing:
        raise BadInput(f"values lack the column(s) {', '.join(missing)}")
    dimensions = [name for name in names if name not in FIXED]
    reserved = {*FIXED, "_unfit"}
    taken = [name for name in dimensions if name.lower() in reserved or "," in name]
    if taken:
        raise BadInput(f'"{taken[0]}" cannot be a dimension: the name is used by published values or has a comma')
    return dimensions


def _values_query(names: list[str], dimensions: list[str]) -> str:
    keys = ["metric::varchar as metric", "grain::varchar as grain", "period::date as period", "slice::varchar as slice"]
    numbers = [f"try_cast({quoted(name)} as {NUMBER}) as {quoted(name)}" for name in NUMBERS]
    members = [f"{quoted(name)}::varchar as {quoted(name)}" for name in dimensions]
    unfit = " ".join(
        f"when {quoted(name)} is not null and try_cast({quoted(name)} as {NUMBER}) is null"
        f" then '{name} ' || {quoted(name)}::varchar"
        for name in NUMBERS
    )
    parts = [*keys, *numbers, "definition::varchar as definition", *members, f"case {unfit} end as _unfit"]
    return f"select {', '.join(parts)} from incoming"
