"""Workbooks: cells keep what is written in them, rejects name the row of the sheet."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from orchestration.ingest.result import SourceError

if TYPE_CHECKING:
    from conftest import Room

    from orchestration.ingest.spec import AnySource

COLUMNS = {"code": "varchar", "qty": "bigint", "paid": "boolean", "day": "date", "at": "timestamp", "note": "varchar"}


def write(room: Room, name: str, rows: list[list[Any]], sheet: str = "明细") -> None:
    workbook = openpyxl.Workbook()
    workbook.active.title = "封面"  # pyright: ignore[reportOptionalMemberAccess]
    page = workbook.create_sheet(sheet)
    for row in rows:
        page.append(row)
    path = room.project.landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    workbook.save(path)


def sheets(room: Room, **changes: Any) -> AnySource:
    declared = {"kind": "excel", "path": "表/*.xlsx", "sheet": "明细", "header_row": 2, "columns": COLUMNS}
    return room.declare("sheets", declared | changes)


def test_cells_keep_what_is_written_in_them(room: Room) -> None:
    rows = [
        ["三月报表"],
        ["code", "qty", "paid", "day", "at", "备注"],
        ["050000", 5, True, date(2024, 3, 1), datetime(2024, 3, 1, 8, 30), "n/a"],
        [],
        [50000, "5", "false", "2024-03-02", "2024-03-02", None],
    ]
    write(room, "表/三月.xlsx", rows)
    columns = COLUMNS | {"note": {"type": "varchar", "from": "备注"}}
    assert room.load(sheets(room, columns=columns)).rows_read == 2
    assert room.rows("SELECT * EXCLUDE (_row_id, _load_id) FROM source.sheets ORDER BY code") == [
        ("050000", 5, True, date(2024, 3, 1), datetime(2024, 3, 1, 8, 30), "n/a", "表/三月.xlsx"),
        ("50000", 5, False, date(2024, 3, 2), datetime(2024, 3, 2), None, "表/三月.xlsx"),
    ]
    assert not room.load(sheets(room, columns=columns)).changed


def test_rejects_name_the_row_of_the_sheet(room: Room) -> None:
    good = [["a", 1, True, None, None, None]] * 200
    write(room, "表/a.xlsx", [["x"], list(COLUMNS), [], ["b", 1.5, True, None, None, None], *good])
    assert room.load(sheets(room)).rows_rejected == 1
    assert room.rows("SELECT file, line, column_name, reason FROM ingest.rejects") == [
        ("表/a.xlsx", 4, "qty", '"1.5" is not a whole number')
    ]


def test_a_workbook_that_is_not_as_declared_is_named(room: Room) -> None:
    write(room, "表/a.xlsx", [["code", "qty"]])
    with pytest.raises(
        SourceError, match=r'表/a.xlsx has no sheet "明细表" \(did you mean "明细"\?\); it has 封面, 明细'
    ):
        room.load(sheets(room, sheet="明细表"))
    with pytest.raises(SourceError, match=r"表/a.xlsx\[明细\]:2 has no header; set header_row"):
        room.load(sheets(room))
    with pytest.raises(SourceError, match=r'表/a.xlsx\[明细\]:1 column "paid" is missing'):
        room.load(sheets(room, header_row=1))
    room.deliver("表/a.xlsx", "code,qty")
    with pytest.raises(SourceError, match=r"表/a.xlsx is not an Excel workbook"):
        room.load(sheets(room))
