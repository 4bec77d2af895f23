"""Writes a table of results as a table, CSV, JSON, Parquet or Arrow, to a file or to standard output.

Decimals are written exactly, never as floats: JSON has them as strings. Text a spreadsheet would run as a formula (it
begins with = + - @, tab or carriage return) gets a leading apostrophe in CSV; numbers never do.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Literal, get_args

import pyarrow as pa

from metrics_catalog.published.errors import NotWritable

Format = Literal["table", "csv", "json", "parquet", "arrow"]
FORMATS: tuple[str, ...] = get_args(Format)
SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".txt": "table",
}
BINARY = frozenset({"parquet", "arrow"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(table: pa.Table, kind: Format | None = None, path: Path | None = None) -> None:
    """Write ``table`` to ``path``, or to standard output. ``kind`` defaults to the path's suffix, then to a table.

    Raises `NotWritable` for an unknown format or suffix, a binary format on a terminal, a path that cannot be written.
    """
    kind = kind or _of_suffix(path)
    if kind not in FORMATS:
        raise NotWritable(f'"{kind}" is not a format; there are {", ".join(FORMATS)}')
    if path is None:
        _to_stdout(table, kind)
        return
    try:
        path.write_bytes(as_bytes(table, kind))
    except OSError as error:
        raise NotWritable(f"cannot write {path}: {error.strerror}") from error


def as_bytes(table: pa.Table, kind: Format, width: int | None = None) -> bytes:
    """``table`` in the format ``kind``; ``width`` is the columns a table may take (default: as many as it needs)."""
    makers: dict[str, Callable[[], bytes]] = {
        "table": lambda: _table(table, width).encode(),
        "csv": lambda: _csv(table).encode(),
        "json": lambda: _json(table).encode(),
        "parquet": lambda: _parquet(table),
        "arrow": lambda: _arrow(table),
    }
    return makers[kind]()


def _of_suffix(path: Path | None) -> Format:
    if path is None:
        return "table"
    if path.suffix.lower() not in SUFFIXES:
        raise NotWritable(f"cannot tell the format of {path.name} by its suffix; name one of {', '.join(FORMATS)}")
    return SUFFIXES[path.suffix.lower()]  # pyright: ignore[reportReturnType]


def _to_stdout(table: pa.Table, kind: Format) -> None:
    if kind in BINARY and sys.stdout.isatty():
        raise NotWritable(f"{kind} is not for a terminal; give a file, or send the output on")
    stream: IO[bytes] = sys.stdout.buffer
    sys.stdout.flush()
    stream.write(as_bytes(table, kind))
    stream.flush()


def _csv(table: pa.Table) -> str:
    lines = [table.column_names, *_rows(table)]
    return "".join(",".join(map(_cell, line)) + "\n" for line in lines)


def _cell(value: Any) -> str:
    text = "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else _text(value)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in '",\r\n') else text


def _json(table: pa.Table) -> str:
    rows = [dict(zip(table.column_names, map(_plain, row), strict=True)) for row in _rows(table)]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    return value if isinstance(value, str) else str(value)


def _rows(table: pa.Table) -> Any:
    columns = [column.to_pylist() for column in table.itercolumns()]
    return zip(*columns, strict=True)


def _parquet(table: pa.Table) -> bytes:
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def _arrow(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _table(table: pa.Table, width: int | None) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for field in table.schema:
        right = pa.types.is_decimal(field.type) or pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        shown.add_column(Text(field.name), justify="right" if right else "left", no_wrap=True)
    for row in _rows(table):
        shown.add_row(*(Text(_trimmed(value)) for value in row))
    out = io.StringIO()
    console = Console(file=out, color_system=None, width=width or 100_000, legacy_windows=False)
    console.print(shown)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines() if line.strip()) + "\n"


def _trimmed(value: Any) -> str:
    """For people: a decimal without the zeros its type adds."""
    if isinstance(value, Decimal):
        exact = format(value, "f")
        return exact.rstrip("0").rstrip(".") if "." in exact else exact
    return _text(value)
