"""Source files: what may be declared, and where a mistake is said to be."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from pydantic import TypeAdapter

from metrics_catalog.located import InvalidFiles
from orchestration.ingest.spec import QueriedSource, SourceSpec, load_specs

if TYPE_CHECKING:
    from conftest import Room

BASE = """\
label: {en: Orders, zh: 订单}
description: Orders.
domain: sales
owner: data
"""
FILES = BASE + "kind: files\npath: a/*.csv\nformat: csv\n"
TABLE = BASE + "kind: postgres\nconnection_env: ERP_URL\ntable: erp.orders\n"
REST = BASE + "kind: rest\nurl: https://api.example.com/orders\n"
COLUMNS = "columns: {id: bigint, at: timestamp, name: varchar}\n"


def problems(room: Room, text: str) -> list[str]:
    path = room.project.sources / "orders.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidFiles) as caught:
        load_specs(room.project)
    return [str(problem).removeprefix("orchestration/sources/") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FILES + "colums: {id: bigint}\n", 'orders.yml:8 error colums: is not a known key (did you mean "columns"?)'),
        (BASE + "kind: file\n", 'orders.yml:5 error kind: "file" is not a kind of source (did you mean "files"?)'),
        (BASE + COLUMNS, 'orders.yml:1 error kind: "None" is not a kind of source'),
        (FILES + "name: x\n" + COLUMNS, "orders.yml:8 error name: is not a known key; a source is named by its file"),
        (FILES + "columns:\n  id: bigin\n", 'orders.yml:9 error columns.id.type: "bigin" is not a column type'),
        (
            FILES + "columns:\n  id: decimal(5,9)\n",
            'orders.yml:9 error columns.id.type: "decimal(5,9)" is not a column',
        ),
        (
            FILES + "columns:\n  id: {typ: bigint}\n",
            "orders.yml:9 error columns.id.typ: is not a known key (did you mean",
        ),
        (FILES + "columns:\n  ID: bigint\n", "orders.yml:9 error columns.ID"),
        (FILES + "columns:\n  _row_id: bigint\n", "orders.yml:9 error columns._row_id"),
        (FILES + COLUMNS + "day: att\n", 'day: "att" is not a declared column (did you mean "at"?)'),
        (FILES + COLUMNS + "day: name\n", 'day: "name" must be a date or timestamp column'),
        (FILES + "columns: {a: bigint, b: {type: bigint, from: A}}\n", "columns: a is read twice"),
        (
            FILES + "columns: {a: {type: bigint, required: true, optional: true}}\n",
            "a required column cannot be optional",
        ),
        (
            FILES.replace("a/*.csv", "/etc/*.csv") + COLUMNS,
            "orders.yml:6 error path: must be a path under the landing",
        ),
        (FILES.replace("a/*.csv", "../x.csv") + COLUMNS, "orders.yml:6 error path: must be a path under the landing"),
        (
            FILES.replace("format: csv", "format: json") + COLUMNS + "options: {quote: x}\n",
            "options: quote needs format: csv",
        ),
        (
            FILES + COLUMNS + "options: {encoding: utf-9}\n",
            'orders.yml:9 error options: encoding "utf-9" is not known',
        ),
        (FILES + COLUMNS + "load: incremental\n", "orders.yml:9 error load: "),
        (
            FILES + COLUMNS + "partition: {start: 2024-01-01, file: '%Y-%m-%d.csv'}\n",
            "partition: needs load: by_file and a",
        ),
        (FILES + COLUMNS + "day: at\npartition: {start: 2024-01-01, file: '%Y-%m.csv'}\n", "name one day"),
        (FILES + COLUMNS + "max_rejects: 1\n", "orders.yml:9 error max_rejects: "),
        (TABLE + COLUMNS + "load: incremental\n", "load: incremental needs cursor, lag (may be 0) and key"),
        (TABLE + COLUMNS + "key: [id]\n", "key: needs load: incremental"),
        (
            TABLE + COLUMNS + "load: incremental\ncursor: att\nlag: 0\nkey: [id]\n",
            'cursor: "att" is not a declared column',
        ),
        (TABLE + COLUMNS + "load: incremental\ncursor: name\nlag: 0\nkey: [id]\n", 'cursor: "name" must be a date,'),
        (
            TABLE + COLUMNS + "load: incremental\ncursor: at\nlag: 0\nkey: [idd]\n",
            'key: "idd" is not a declared column',
        ),
        (
            TABLE + COLUMNS + "load: incremental\ncursor: at\nlag: 2 weeks\nkey: [id]\n",
            'lag: must be 0 or like "2 days"',
        ),
        (
            TABLE + COLUMNS + "load: incremental\ncursor: id\nlag: 2 days\nkey: [id]\n",
            "lag: must be a whole number when",
        ),
        (TABLE.replace("ERP_URL", "postgresql://u:p@h/d") + COLUMNS, "orders.yml:6 error connection_env: "),
        (REST.replace("https://", "https://u:p@") + COLUMNS, "orders.yml:6 error url: "),
        (REST + COLUMNS + "auth: {type: bearer}\n", "orders.yml:8 error auth: bearer needs token_env"),
        (REST + COLUMNS + "since_param: since\n", "load: incremental and since_param go together"),
    ],
)
def test_mistakes_are_placed(room: Room, text: str, said: str) -> None:
    assert said in "\n".join(problems(room, text))


def test_all_problems_of_all_files_come_at_once(room: Room) -> None:
    room.project.sources.mkdir(parents=True)
    (room.project.sources / "a.yml").write_text("kind: [", encoding="utf-8")
    (room.project.sources / "b.yml").write_text(FILES, encoding="utf-8")
    found = problems(room, BASE + "kind: files\nformat: csv\nload: daily\n" + COLUMNS)
    assert [problem.split(" ")[0] for problem in found] == [
        "a.yml:1",
        "b.yml:1",
        "orders.yml:1",
        "orders.yml:7",
    ]


def test_the_schema_accepts_what_is_accepted(room: Room) -> None:
    schema = TypeAdapter(SourceSpec).json_schema()
    for declared in (
        {"load": "full"},
        {"columns": {"id": "bigint", "x": {"type": "decimal(9,2)", "from": "金额"}}, "day": None},
    ):
        document = room.orders(**declared).model_dump(mode="json", by_alias=True, exclude={"name"}, exclude_unset=True)
        jsonschema.validate(document, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document | {"name": "x"}, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document | {"kind": "sqlite"}, schema)


@pytest.mark.parametrize(
    ("cursor", "lag", "newest", "since"),
    [
        ("at", "2 days", datetime(2024, 3, 3, 8), datetime(2024, 3, 1, 8)),
        ("at", "90 minutes", datetime(2024, 3, 3, 0), datetime(2024, 3, 2, 22, 30)),
        ("at", 0, datetime(2024, 3, 3), datetime(2024, 3, 3)),
        ("day", "1 day", date(2024, 3, 1), date(2024, 2, 29)),
        ("day", "6 hours", date(2024, 3, 1), date(2024, 2, 29)),
        ("id", 100, 250, 150),
    ],
)
def test_reading_starts_again_at_the_newest_less_the_lag(
    room: Room, cursor: str, lag: Any, newest: Any, since: Any
) -> None:
    columns = {"id": "bigint", "at": "timestamp", "day": "date"}
    declared = {"kind": "postgres", "connection_env": "ERP_URL", "table": "t", "columns": columns}
    spec = room.declare("t", declared | {"load": "incremental", "cursor": cursor, "lag": lag, "key": ["id"]})
    assert isinstance(spec, QueriedSource)
    assert spec.since(newest) == since
