"""Parquet: typed columns, schemas that differ between files, rejects by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from orchestration.ingest.result import SourceError

if TYPE_CHECKING:
    from conftest import Room

    from orchestration.ingest.spec import AnySource


def write(room: Room, name: str, query: str) -> None:
    path = room.project.landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    duckdb.connect().execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


def stock(room: Room, **changes: Any) -> AnySource:
    columns = {"store": "bigint", "item": "varchar", "price": "decimal(18,2)", "tags": "json"}
    return room.declare(
        "stock", {"kind": "files", "path": "*.parquet", "format": "parquet", "columns": columns} | changes
    )


def test_files_of_different_schemas_load_together(room: Room) -> None:
    write(room, "一.parquet", "SELECT 1::INTEGER AS Store, '苹果' AS item, 3.5::DOUBLE AS price, ['红'] AS tags")
    write(room, "二.parquet", "SELECT '[]' AS tags, 2.0::DOUBLE AS store, '梨' AS item, 1.25::DECIMAL(9,2) AS price")
    assert room.load(stock(room)).rows_loaded == 2
    assert room.rows("SELECT store, item, price::VARCHAR, tags, _source_file FROM source.stock ORDER BY store") == [
        (1, "苹果", "3.50", '["红"]', "一.parquet"),
        (2, "梨", "1.25", "[]", "二.parquet"),
    ]


def test_values_that_do_not_fit_are_rejected_by_row(room: Room) -> None:
    write(
        room,
        "a.parquet",
        "SELECT n + CASE n WHEN 7 THEN 0.5 ELSE 0 END AS store, 'x' AS item, 1 AS price, '[]' AS tags"
        " FROM range(1, 500) t(n)",
    )
    assert room.load(stock(room)).rows_rejected == 1
    assert room.rows("SELECT file, line, column_name, reason FROM ingest.rejects") == [
        ("a.parquet", 7, "store", '"7.5" is not a whole number')
    ]


def test_a_file_that_is_not_parquet_is_named(room: Room) -> None:
    room.deliver("a.parquet", "id\n1\n")
    with pytest.raises(SourceError, match=r"a.parquet is not a Parquet file: ") as caught:
        room.load(stock(room))
    assert str(room.project.root) not in str(caught.value)


def test_a_missing_column_is_named(room: Room) -> None:
    write(room, "a.parquet", "SELECT 1 AS store, 'x' AS item, '[]' AS tags")
    with pytest.raises(SourceError, match=r'a.parquet column "price" is missing; found: store, item, tags'):
        room.load(stock(room))
