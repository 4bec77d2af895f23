"""CSV: what is a row, what is a reject and on which line, encodings, headers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from orchestration.ingest.result import SourceError

if TYPE_CHECKING:
    from conftest import Room

GOOD = "1,苹果,2,3.50,2024-03-01 09:00:00"
REJECTS = "SELECT file, line, column_name, reason, raw FROM ingest.rejects ORDER BY file, line, column_name"


def many(count: int) -> list[str]:
    return [f"{n},梨,1,1.00,2024-03-01" for n in range(100, 100 + count)]


def test_rejects_say_file_line_column_and_reason(room: Room) -> None:
    bad = [
        '2,"两\n行",1.5,1.00,2024-03-01',
        "3,桃,,x,2024-02-30",
        "4,杏",
        "5,李,1,1.00,2024-03-01,more",
        '6,"坏"了,1,1.00,2024-03-01',
    ]
    room.deliver_orders("一日.csv", GOOD, *bad, *many(500))
    result = room.load(room.orders())
    assert (result.rows_read, result.rows_loaded, result.rows_rejected) == (506, 501, 5)
    assert room.rows("SELECT rows_read, rows_loaded, rows_rejected FROM ingest.loads") == [(506, 501, 5)]
    found = room.rows(REJECTS)
    assert [row[:4] for row in found[:3]] == [
        ("orders/一日.csv", 3, "qty", '"1.5" is not a whole number'),
        ("orders/一日.csv", 5, "amount", '"x" is not a decimal(18,2)'),
        ("orders/一日.csv", 5, "sold_at", '"2024-02-30" is not a timestamp'),
    ]
    assert [(row[1], row[2]) for row in found[3:]] == [(6, None), (7, None), (8, None)]
    assert "Expected Number of Columns: 5 Found: 2" in found[3][3]
    assert found[4][4] == "5,李,1,1.00,2024-03-01,more"
    assert room.rows("SELECT count(*) FROM source.orders WHERE _row_id < 0 OR id BETWEEN 2 AND 6") == [(0,)]


def test_more_rejects_than_allowed_change_nothing(room: Room) -> None:
    room.deliver_orders("一日.csv", GOOD)
    room.load(room.orders())
    before = room.state()
    room.deliver_orders("一日.csv", *many(50), "x,梨,1,1.00,2024-03-01", "y,梨,1,1.00,2024-03-01")
    with pytest.raises(SourceError) as caught:
        room.load(room.orders(max_rejects=0.03))
    assert str(caught.value).splitlines() == [
        "orders: 2 of 52 rows cannot be read, more than max_rejects: 0.03; nothing was changed",
        '  orders/一日.csv:52 id: "x" is not a whole number',
        '  orders/一日.csv:53 id: "y" is not a whole number',
    ]
    assert room.state() == before
    assert room.load(room.orders(max_rejects=0.04)).rows_rejected == 2


def test_a_required_value_that_is_missing_is_placed(room: Room) -> None:
    columns = {"id": {"type": "bigint", "required": True}, "item": "varchar", "sold_at": "timestamp"}
    room.deliver("orders/a.csv", "id,item,sold_at\n1,甲,2024-03-01\nNULL,乙,2024-03-01\n")
    spec = room.orders(columns=columns, max_rejects=0.5, options={"null_values": ["", "NULL"]})
    assert room.load(spec).rows_rejected == 1
    assert room.rows(REJECTS) == [("orders/a.csv", 3, "id", "has no value", None)]


def test_only_the_files_with_bad_rows_are_complained_about(room: Room) -> None:
    room.deliver_orders("a.csv", GOOD)
    room.deliver_orders("b.csv", "x,梨,1,1.00,2024-03-01")
    room.deliver("orders/c.csv", "item,id,qty,amount,sold_at\n桃,z,1,1.00,2024-03-01\n")
    room.load(room.orders(max_rejects=0.9))
    assert [row[:3] for row in room.rows(REJECTS)] == [("orders/b.csv", 2, "id"), ("orders/c.csv", 2, "id")]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "big5"])
def test_other_encodings_are_read_when_declared(room: Room, encoding: str) -> None:
    text = f"{room.header}\n1,蘋果,2,3.50,2024-03-01 09:00:00\n2,梨,x,1,2024-03-01\n"
    room.deliver("orders/一日.csv", text.encode(encoding))
    room.load(room.orders(options={"encoding": encoding}, max_rejects=0.5))
    assert room.rows("SELECT item, _source_file FROM source.orders") == [("蘋果", "orders/一日.csv")]
    assert [row[:3] for row in room.rows(REJECTS)] == [("orders/一日.csv", 3, "qty")]


def test_a_wrong_encoding_is_placed(room: Room) -> None:
    room.deliver("orders/a.csv", f"{room.header}\n{GOOD}\n".encode("gbk"))
    with pytest.raises(SourceError, match=r"(?s)1 of 1 rows cannot be read.*orders/a.csv:2 .*not utf-8 encoded"):
        room.load(room.orders())
    room.deliver("orders/a.csv", "订单,项目\n1,苹果\n".encode("gbk"))
    with pytest.raises(SourceError, match=r"orders/a.csv:1 is not utf-8 text; set options.encoding"):
        room.load(room.orders())
    room.deliver("orders/a.csv", f"{room.header}\n1,a,2,3,2024-03-01\n{GOOD}\n")
    with pytest.raises(SourceError, match=r"orders/a.csv:3 is not ascii text; set options.encoding"):
        room.load(room.orders(options={"encoding": "ascii"}))


def test_a_byte_order_mark_is_no_part_of_a_name(room: Room) -> None:
    room.deliver("orders/a.csv", f"{room.header}\r\n{GOOD}\r\n".encode("utf-8-sig"))
    room.load(room.orders())
    assert room.rows("SELECT id, sold_at FROM source.orders") == [(1, datetime(2024, 3, 1, 9))]


@pytest.mark.parametrize("content", ["", " \n"])
def test_an_empty_file_is_refused_a_bare_header_is_not(room: Room, content: str) -> None:
    room.deliver("orders/a.csv", content)
    with pytest.raises(SourceError, match=r"orders/a.csv:1 the file is empty"):
        room.load(room.orders())
    room.deliver_orders("a.csv")
    result = room.load(room.orders())
    assert (result.rows_loaded, result.days) == (0, frozenset())


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("id;item\n1;'甲;乙'\n", {"delimiter": ";", "quote": "'", "escape": "'"}),
        ("1\t甲;乙\n", {"delimiter": "\t", "header": False}),
        ('id,item\n1,"甲\\";乙"\n', {"escape": "\\"}),
    ],
)
def test_dialects(room: Room, text: str, options: dict[str, Any]) -> None:
    room.deliver("orders/a.csv", text)
    room.load(room.orders(columns={"id": "bigint", "item": "varchar"}, day=None, options=options))
    assert room.rows("SELECT id, replace(item, chr(34), '') FROM source.orders") == [(1, "甲;乙")]


def test_a_file_without_header_must_have_the_declared_columns(room: Room) -> None:
    room.deliver("orders/a.csv", "1,甲,3\n")
    with pytest.raises(SourceError, match=r"orders/a.csv:1 has 3 columns, orders.yml declares 2"):
        room.load(room.orders(columns={"id": "bigint", "item": "varchar"}, day=None, options={"header": False}))


def test_two_columns_of_one_name_are_refused(room: Room) -> None:
    room.deliver("orders/a.csv", "id,item,ID\n1,a,2\n")
    with pytest.raises(SourceError, match=r'orders/a.csv:1 column "id" is there twice'):
        room.load(room.orders(columns={"id": "bigint", "item": "varchar"}, day=None))


def test_a_line_in_another_encoding_does_not_hide_where_a_value_is_bad(room: Room) -> None:
    lines = [room.header.encode(), GOOD.encode("gbk"), b"x,a,1,1,2024-03-01", *(line.encode() for line in many(5))]
    room.deliver("orders/a.csv", b"\n".join(lines))
    assert room.load(room.orders(max_rejects=0.5)).rows_rejected == 2
    assert [row[1:3] for row in room.rows(REJECTS)] == [(2, None), (3, "id")]


def test_long_texts_are_no_obstacle(room: Room) -> None:
    room.deliver_orders("a.csv", f"x,{'长' * 200_000},1,1,2024-03-01", *many(5))
    assert room.load(room.orders(max_rejects=0.5)).rows_rejected == 1
    assert [row[1:3] for row in room.rows(REJECTS)] == [(2, "id")]
