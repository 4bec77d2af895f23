"""Where published tables lie under their root, and the columns of values. Open this to open them with another tool."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from metrics_catalog.published.model import FIXED
from metrics_catalog.published.table import Shape

VALUES = Shape("period", "grain", "metric", ("metric", "slice", "period"))  # members come before period
ROLLUP = Shape("day", None, None, ("day",))
DECIMAL = pa.decimal128(28, 6)
_TYPES = {"period": pa.date32(), "value": DECIMAL, "numerator": DECIMAL, "denominator": DECIMAL}


def values_folder(root: Path) -> Path:
    """The Delta table of values."""
    return root / "values"


def rollup_folder(root: Path, model: str) -> Path:
    """The Delta table of a semantic model's rollup."""
    return root / "rollups" / model


def staging_folder(root: Path) -> Path:
    """Where publishes are prepared, a folder each."""
    return root / "staging"


def values_schema(dimensions: Iterable[str] = ()) -> pa.Schema:
    """The columns of values: the fixed ones, then a text column for each dimension."""
    return columns_of((*FIXED, *dimensions))


def columns_of(names: Iterable[str]) -> pa.Schema:
    """The named columns of values with their types."""
    return pa.schema([(name, type_of(name)) for name in names])


def type_of(column: str) -> pa.DataType:
    """Of a column of values."""
    return _TYPES.get(column, pa.string())
