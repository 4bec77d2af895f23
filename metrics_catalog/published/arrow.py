"""Arrow values without pandas, which `pa.array`, `pa.scalar` and `empty_table` import: a second each process."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pyarrow as pa


def texts(values: Iterable[str | None]) -> pa.Array:
    """An array of strings."""
    builder = pa.lib.StringBuilder()  # pyright: ignore[reportAttributeAccessIssue]
    for value in values:
        builder.append(value)
    return builder.finish()


def text(value: str) -> pa.Scalar:
    """A string."""
    return texts([value])[0]


def day(value: date) -> pa.Scalar:
    """A date."""
    return texts([value.isoformat()]).cast(pa.date32())[0]


def empty(schema: pa.Schema) -> pa.Table:
    """A table without rows."""
    return pa.Table.from_batches([], schema)


def null(kind: pa.DataType) -> pa.Scalar:
    """An empty value."""
    return pa.nulls(1, kind)[0]
