"""Text -> value: what counts as a number, a day, JSON, and what does not."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from orchestration.ingest.casting import Raw, blanked, cast, parameters
from orchestration.ingest.columns import Options
from orchestration.ingest.statement import run

BAD = object()


def read(text: Any, declared: str, raw_type: str = "VARCHAR", required: bool = False, **options: Any) -> Any:
    """The value of ``text`` as ``declared``, or BAD."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        spec = Options(**options)
        expression = "x" if raw_type != "VARCHAR" else blanked("x")
        made = cast(Raw(expression, raw_type), declared, spec, required)
        query = f"SELECT {made.value}, {made.bad or 'false'} FROM (SELECT $x::{raw_type} AS x)"
        row = run(con, query, {**parameters(spec), "x": text}).fetchone()
        assert row is not None
        return BAD if row[1] else row[0]


@pytest.mark.parametrize(
    ("text", "declared", "value"),
    [
        ("12", "bigint", 12),
        (" 12 ", "bigint", 12),
        ("-5.0", "bigint", -5),
        ("9007199254740993", "bigint", 9007199254740993),
        ("1.5", "bigint", BAD),
        ("15e-1", "bigint", BAD),
        ("99999999999999999999", "bigint", BAD),
        ("3000000000", "integer", BAD),
        ("一", "bigint", BAD),
        ("", "bigint", None),
        ("2.5", "double", 2.5),
        ("nan", "double", BAD),
        ("inf", "double", BAD),
        ("3.50", "decimal(18,2)", Decimal("3.50")),
        ("1e30", "decimal(18,2)", BAD),
        ("true", "boolean", True),
        ("也许", "boolean", BAD),
        ("2024-02-29", "date", date(2024, 2, 29)),
        ("2024-02-30", "date", BAD),
        ("2024-03-01T10:00:00Z", "date", date(2024, 3, 1)),
        ("2024-03-01", "timestamp", datetime(2024, 3, 1)),
        ("2024-03-01 10:00:00.25", "timestamp", datetime(2024, 3, 1, 10, 0, 0, 250_000)),
        ("2024-03-01T00:00:00+08:00", "timestamp", datetime(2024, 2, 29, 16)),
        ("2024-03-01 00:00:00-08", "timestamp", datetime(2024, 3, 1, 8)),
        ("2024-03-01T00:00+08", "timestamp", BAD),
        ("2024-03-01T00:00:00Z", "timestamp", datetime(2024, 3, 1)),
        ("yesterday", "timestamp", BAD),
        ('{"城市": ["沪"]}', "json", '{"城市": ["沪"]}'),
        ("{bad", "json", BAD),
        ("  苹果 ", "varchar", "  苹果 "),
        ("", "varchar", None),
    ],
)
def test_text(text: str, declared: str, value: object) -> None:
    assert read(text, declared) == value


@pytest.mark.parametrize(
    ("given", "raw_type", "declared", "value"),
    [
        (5, "INTEGER", "bigint", 5),
        (5.0, "DOUBLE", "bigint", 5),
        (5.5, "DOUBLE", "bigint", BAD),
        (float("nan"), "DOUBLE", "bigint", None),
        (float("nan"), "DOUBLE", "double", None),
        (Decimal("1.50"), "DECIMAL(9,2)", "bigint", BAD),
        (Decimal("100000.00"), "DECIMAL(9,2)", "decimal(4,2)", BAD),
        (5, "BIGINT", "varchar", "5"),
        (["沪", "京"], "VARCHAR[]", "varchar", '["沪","京"]'),
        ({"a": 1}, "STRUCT(a INTEGER)", "json", '{"a":1}'),
        ("2024-03-01 00:00:00+08", "TIMESTAMP WITH TIME ZONE", "timestamp", datetime(2024, 2, 29, 16)),
        (date(2024, 3, 1), "DATE", "timestamp", datetime(2024, 3, 1)),
    ],
)
def test_typed(given: object, raw_type: str, declared: str, value: object) -> None:
    assert read(given, declared, raw_type) == value


def test_a_required_column_needs_a_value() -> None:
    assert read("", "varchar", required=True) is BAD
    assert read(float("nan"), "double", "DOUBLE", required=True) is BAD
    assert read("x", "varchar", required=True) == "x"


def test_formats_and_null_texts_are_the_sources_own() -> None:
    assert read("31/12/2024", "date", date_format="%d/%m/%Y") == date(2024, 12, 31)
    assert read("2024-12-31", "date", date_format="%d/%m/%Y") is BAD
    assert read("31.12.2024 08:30", "timestamp", timestamp_format="%d.%m.%Y %H:%M") == datetime(2024, 12, 31, 8, 30)
    assert read("无", "bigint", null_values=["无"]) is None
    assert read("", "varchar", null_values=["无"]) == ""
