"""JSON lines and arrays: nested values, missing keys, malformed records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchestration.ingest.result import SourceError

if TYPE_CHECKING:
    from conftest import Room

    from orchestration.ingest.spec import AnySource

REJECTS = "SELECT file, line, column_name, reason, raw FROM ingest.rejects ORDER BY line, column_name"


def people(room: Room, **changes: Any) -> AnySource:
    columns = {"id": "bigint", "name": "varchar", "price": "varchar", "tags": "json"}
    return room.declare("people", {"kind": "files", "path": "people/*", "format": "json", "columns": columns} | changes)


def test_lines_with_nested_values_and_missing_keys(room: Room) -> None:
    lines = ['{"ID": 1, "name": "王芳", "price": 1.10, "tags": {"城市": ["沪", 1.50]}}\r', "", '{"ID": 2, "name": ""}']
    room.deliver("people/一.jsonl", "\n".join(lines))
    room.load(people(room))
    assert room.rows("SELECT id, name, price, tags, _source_file FROM source.people ORDER BY id") == [
        (1, "王芳", "1.1", '{"城市":["沪",1.5]}', "people/一.jsonl"),
        (2, None, None, None, "people/一.jsonl"),
    ]


def test_an_array_keeps_long_ids(room: Room) -> None:
    room.deliver("people/a.json", '[\n  {"id": 9007199254740993, "price": 0.10, "tags": [1.0]} ,\n\n {"id": 2}\n]\n')
    room.load(people(room))
    assert room.rows("SELECT id, price, tags FROM source.people ORDER BY id") == [
        (2, None, None),
        (9007199254740993, "0.1", "[1.0]"),
    ]


def test_an_empty_array_is_a_delivery_an_empty_file_is_not(room: Room) -> None:
    room.deliver("people/a.json", "[]")
    assert room.load(people(room)).rows_loaded == 0
    room.deliver("people/b.json", "\n")
    with pytest.raises(SourceError, match=r"people/b.json:1 the file is empty"):
        room.load(people(room))


def test_malformed_records_are_rejected_with_their_line(room: Room) -> None:
    good = [f'{{"id": {n}}}' for n in range(400)]
    room.deliver("people/a.jsonl", "\n".join(['{"id": 1, "name"', "", "[1]", '{"id": "一"}', *good]))
    assert room.load(people(room)).rows_rejected == 3
    assert room.rows(REJECTS) == [
        ("people/a.jsonl", 1, None, "is not valid JSON", '{"id": 1, "name"'),
        ("people/a.jsonl", 3, None, "is not a JSON object", "[1]"),
        ("people/a.jsonl", 4, "id", '"一" is not a whole number', "一"),
    ]


@pytest.mark.parametrize("text", ['[\n{"id": 1},\n{"id": }]', '[\n{"id": 1}\n{"id": 2}]', '[{"id": 1},\n\n'])
def test_a_malformed_array_is_refused_with_its_line(room: Room, text: str) -> None:
    room.deliver("people/a.json", text)
    with pytest.raises(SourceError, match=r"people/a.json:3 is not valid JSON"):
        room.load(people(room))


def test_new_keys_are_new_columns(room: Room) -> None:
    room.deliver("people/a.jsonl", '{"id": 1, "城市.名": {"a": 1}}')
    with pytest.raises(SourceError, match=r'people/a.jsonl column "城市.名" is not declared'):
        room.load(people(room))
    assert room.load(people(room, on_new_column="add")).new_columns == ("城市_名",)
    assert room.rows('SELECT "城市_名" FROM source.people') == [('{"a":1}',)]


def test_another_encoding_is_read_when_declared_and_placed_when_not(room: Room) -> None:
    room.deliver("people/a.jsonl", '{"id": 1}\n{"id": 2, "name": "王芳"}\n'.encode("gb18030"))
    with pytest.raises(SourceError, match=r"people/a.jsonl:2 is not utf-8 text"):
        room.load(people(room))
    room.load(people(room, options={"encoding": "gb18030"}))
    assert room.rows("SELECT name FROM source.people WHERE id = 2") == [("王芳",)]
