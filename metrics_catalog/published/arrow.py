"""Arrow values without pandas, which `pa.array`, `pa.scalar`, `to_numpy` and `empty_table` import: 0.3 CPU s each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray


def texts(values: Iterable[str | None]) -> pa.Array:
    """An array of strings."""
    builder = pa.lib.StringBuilder()  # pyright: ignore[reportAttributeAccessIssue]
    for value in values:
        builder.append(value)
    return builder.finish()


def text(value: str) -> pa.Scalar:
    """A string."""
    return texts([value])[0]


def numbers(values: NDArray[np.int64]) -> pa.Array:
    """An array of whole numbers, on the same memory."""
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def array(column: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> NDArray[Any]:
    """A column of numbers as one of NumPy; what is null is NaN, so that only floats may have any."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    made = whole.cast(kind)
    return np.from_dlpack(made.fill_null(texts(["nan"]).cast(kind)[0]) if made.null_count else made)


def day(value: date) -> pa.Scalar:
    """A date."""
    return texts([value.isoformat()]).cast(pa.date32())[0]


def empty(schema: pa.Schema) -> pa.Table:
    """A table without rows."""
    return pa.Table.from_batches([], schema)


def null(kind: pa.DataType) -> pa.Scalar:
    """An empty value."""
    return pa.nulls(1, kind)[0]
