"""PostgreSQL, MySQL and SQLite: types, merging by key, servers that are down."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from orchestration.ingest.readers.database import address
from orchestration.ingest.result import SourceError, SourceUnavailable

if TYPE_CHECKING:
    from conftest import Room
    from psycopg2.extensions import connection
    from pymysql.connections import Connection

    from orchestration.ingest.spec import AnySource

COLUMNS = {
    "id": "bigint",
    "name": "varchar",
    "price": "decimal(18,2)",
    "active": "boolean",
    "extra": "json",
    "updated_at": "timestamp",
}
INCREMENTAL = {"load": "incremental", "cursor": "updated_at", "lag": "1 day", "key": ["id"], "day": "updated_at"}
STATE = "SELECT id, name FROM source.items ORDER BY id"


def items(room: Room, kind: str, **changes: Any) -> AnySource:
    where = {"path": "erp/店.db"} if kind == "sqlite" else {"connection_env": "ERP_URL"}
    return room.declare("items", {"kind": kind, "table": "items", "columns": COLUMNS} | where | changes)


def sqlite(room: Room, *statements: str) -> None:
    path = room.project.landing / "erp" / "店.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def sqlite_items(room: Room, *rows: str) -> None:
    create = "CREATE TABLE IF NOT EXISTS items (id, name, price, active, extra, updated_at)"
    sqlite(room, create, *(f"INSERT INTO items VALUES ({row})" for row in rows))


FIRST = "1, '苹果', 3.5, 1, '{\"色\": \"红\"}', '2024-03-01 09:00:00'"
SECOND = "2, '梨', 2, 0, NULL, '2024-03-02 09:00:00'"


def test_postgres_types(room: Room, postgres: str, postgres_connection: connection) -> None:
    with postgres_connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS erp CASCADE; CREATE SCHEMA erp")
        cursor.execute(
            "CREATE TABLE erp.items (id int, name text, price numeric(12,3), active bool, extra jsonb, updated_at timestamptz)"
        )
        cursor.execute(
            "INSERT INTO erp.items VALUES (1, '苹果', 3.5, true, '{\"色\": \"红\"}', '2024-03-01 09:00:00+08'),"
            " (2, NULL, NULL, NULL, NULL, NULL)"
        )
    room.secrets["ERP_URL"] = postgres
    result = room.load(items(room, "postgres", table="erp.items"))
    assert (result.rows_loaded, result.days) == (2, None)
    assert room.rows("SELECT * EXCLUDE (_row_id) FROM source.items ORDER BY id") == [
        (1, "苹果", Decimal("3.50"), True, '{"色": "红"}', datetime(2024, 3, 1, 1), "erp.items", 1),
        (2, None, None, None, None, None, "erp.items", 1),
    ]
    before = room.state()
    assert not room.load(items(room, "postgres", table="erp.items")).changed
    assert room.state() == before
    assert room.rows("SELECT count(*) FROM duckdb_databases() WHERE database_name LIKE 'ingest%'") == [(0,)]
    assert room.rows("SELECT count(*) FROM duckdb_secrets()") == [(0,)]


def test_postgres_incremental(room: Room, postgres: str, postgres_connection: connection) -> None:
    room.secrets["ERP_URL"] = postgres
    with postgres_connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS items")
        cursor.execute(
            "CREATE TABLE items (id int, name text, price numeric(12,2), active bool, extra jsonb, updated_at timestamptz)"
        )
        cursor.execute(
            "INSERT INTO items SELECT n, 'n' || n, 1, true, '{}', timestamptz '2024-03-01 12:00Z' + n * interval '1 day'"
            " FROM generate_series(0, 9) n"
        )
        spec = items(room, "postgres", **INCREMENTAL)
        assert room.load(spec).rows_loaded == 10
        assert not room.load(spec).changed
        cursor.execute("UPDATE items SET name = '改', updated_at = '2024-03-10 13:00Z' WHERE id = 2")
        cursor.execute("INSERT INTO items VALUES (50, '迟', 1, true, '{}', '2024-03-09 12:30Z')")  # committed late
        cursor.execute("INSERT INTO items VALUES (51, '太迟', 1, true, '{}', '2024-03-05 12:30Z')")  # beyond the lag
        result = room.load(spec)
    assert (result.rows_read, result.rows_loaded, result.rows_deleted) == (4, 2, 1)
    assert result.days == {date(2024, 3, 3), date(2024, 3, 9), date(2024, 3, 10)}
    changed = "SELECT id, name, _load_id FROM source.items WHERE _load_id > 1 ORDER BY id"
    assert room.rows(changed) == [(2, "改", 2), (50, "迟", 2)]
    assert room.rows("SELECT count(*) FROM source.items") == [(11,)]


def test_mysql(room: Room, mysql: str, mysql_connection: Connection) -> None:
    with mysql_connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE items (id int, name varchar(50), price decimal(12,2), active tinyint(1), extra json,"
            " updated_at datetime)"
        )
        cursor.execute(
            "INSERT INTO items VALUES (1, '苹果', 3.5, 1, '{\"色\": \"红\"}', '2024-03-01 09:00:00'),"
            " (2, '梨', NULL, 0, NULL, '2024-03-02 09:00:00')"
        )
        room.secrets["ERP_URL"] = mysql
        spec = items(room, "mysql", **INCREMENTAL)
        assert room.load(spec).rows_loaded == 2
        assert room.rows("SELECT * EXCLUDE (_row_id, _load_id) FROM source.items ORDER BY id") == [
            (1, "苹果", Decimal("3.50"), True, '{"色": "红"}', datetime(2024, 3, 1, 9), "items"),
            (2, "梨", None, False, None, datetime(2024, 3, 2, 9), "items"),
        ]
        assert not room.load(spec).changed
        cursor.execute("UPDATE items SET name = '雪梨', updated_at = '2024-03-03 09:00:00' WHERE id = 2")
        result = room.load(spec)
    assert (result.rows_loaded, result.rows_deleted) == (1, 1)
    assert room.rows(STATE) == [(1, "苹果"), (2, "雪梨")]


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_a_server_that_is_down_is_named_and_its_password_is_not(room: Room, kind: str) -> None:
    scheme = "postgresql" if kind == "postgres" else kind
    room.secrets["ERP_URL"] = f"{scheme}://etl:s3cret@127.0.0.1:1/erp"
    before = room.state()
    with pytest.raises(SourceUnavailable, match=rf"items: {kind} at 127.0.0.1:1/erp cannot be read: ") as caught:
        room.load(items(room, kind))
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert room.state() == before


def test_a_wrong_password_is_not_repeated(room: Room, mysql: str) -> None:
    room.secrets["ERP_URL"] = f"mysql://metrics:s3cret@127.0.0.1:{urlsplit(mysql).port}/shop"
    with pytest.raises(SourceUnavailable, match=r"Access denied") as caught:
        room.load(items(room, "mysql"))
    assert "s3cret" not in str(caught.value)


def test_a_server_that_fails_half_way_changes_nothing(
    room: Room, postgres: str, postgres_connection: connection
) -> None:
    with postgres_connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE VIEW slow AS SELECT n AS id FROM generate_series(1, 9) n, pg_sleep(1)")
        room.secrets["ERP_URL"] = postgres
        spec = items(room, "postgres", table="slow", columns={"id": "bigint"})
        room.load(spec)
        before = room.state()
        end = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE query LIKE '%slow%' AND state = 'active' AND pid <> pg_backend_pid()"
        )
        with ThreadPoolExecutor(1) as other:
            loading = other.submit(room.load, spec)
            while not loading.done() and _number(cursor, end) == 0:
                time.sleep(0.02)
            with pytest.raises(SourceUnavailable, match=r"items: postgres at .* cannot be read: "):
                loading.result()
    assert room.state() == before


def _number(cursor: Any, query: str) -> int:
    cursor.execute(query)
    return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    "url",
    ["mysql://u:s3cret@h/d", "postgresql://u:s3cret@h", "postgresql://u:s3cret@h:x/d", "s3cret", "postgresql:///d"],
)
def test_a_wrong_url_is_named_by_its_variable(url: str) -> None:
    with pytest.raises(SourceError, match=r"^ERP_URL ") as caught:
        address("postgres", url, "ERP_URL")
    assert "s3cret" not in str(caught.value)


def test_an_address_may_be_a_socket() -> None:
    found = address("postgres", "postgresql+psycopg2://u:p%40@/erp?host=/run/pg&sslmode=disable", "ERP_URL")
    assert (found.host, found.password, found.options) == ("/run/pg", "p@", "sslmode=disable connect_timeout=10")


def test_a_table_that_does_not_exist_is_named(room: Room, postgres: str, postgres_connection: connection) -> None:
    with postgres_connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS erp; CREATE TABLE IF NOT EXISTS erp.items (id int)")
    room.secrets["ERP_URL"] = postgres
    with pytest.raises(SourceError, match=r'items: table "erp.item" does not exist \(did you mean "erp.items"\?\)'):
        room.load(items(room, "postgres", table="erp.item"))


def test_sqlite_values_are_cast_like_text(room: Room) -> None:
    sqlite_items(room, FIRST, "2, 50000, 'x', 'true', '', '2024-03-02T00:00:00+08:00'")
    assert room.load(items(room, "sqlite", max_rejects=0.5)).rows_rejected == 1
    assert room.rows("SELECT * EXCLUDE (_row_id, _load_id) FROM source.items") == [
        (1, "苹果", Decimal("3.50"), True, '{"色": "红"}', datetime(2024, 3, 1, 9), "items")
    ]
    assert room.rows("SELECT file, line, column_name, reason FROM ingest.rejects") == [
        ("items", None, "price", '"x" is not a decimal(18,2)')
    ]


def test_sqlite_full_load_of_the_same_rows_changes_nothing(room: Room) -> None:
    sqlite_items(room, FIRST, SECOND)
    spec = items(room, "sqlite")
    room.load(spec)
    sqlite(room, "CREATE TABLE other (id)")
    before = room.state()
    result = room.load(spec)
    assert (result.changed, result.rows_read) == (False, 2)
    after = room.state()
    assert {name: rows for name, rows in after.items() if name != "ingest.files"} == {
        name: rows for name, rows in before.items() if name != "ingest.files"
    }
    assert room.load(spec).rows_read == 0


def test_sqlite_full_load_names_only_days_that_changed(room: Room) -> None:
    sqlite_items(room, FIRST, SECOND, "3, '桃', 1, 1, NULL, '2024-03-03'")
    spec = items(room, "sqlite", day="updated_at")
    room.load(spec)
    sqlite(room, "DELETE FROM items WHERE id = 3", "UPDATE items SET name = '雪梨' WHERE id = 2")
    result = room.load(spec)
    assert (result.rows_loaded, result.rows_deleted) == (2, 3)
    assert result.days == {date(2024, 3, 2), date(2024, 3, 3)}
    assert room.rows(STATE) == [(1, "苹果"), (2, "雪梨")]


def test_an_empty_origin_still_makes_the_table(room: Room) -> None:
    sqlite_items(room)
    spec = items(room, "sqlite")
    assert room.load(spec).changed
    assert room.rows(STATE) == []
    assert not room.load(spec).changed


def test_sqlite_rows_in_the_write_ahead_log_are_seen(room: Room) -> None:
    sqlite_items(room, FIRST)
    spec = items(room, "sqlite")
    path = room.project.landing / "erp" / "店.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        room.load(spec)
        connection.execute(f"INSERT INTO items VALUES ({SECOND})")
        connection.commit()
        assert room.load(spec).rows_loaded == 2


def test_sqlite_incremental_keeps_the_newest_of_a_key(room: Room) -> None:
    sqlite_items(room, FIRST, "1, '旧', 1, 1, NULL, '2024-02-01'")
    spec = items(room, "sqlite", **INCREMENTAL)
    assert room.load(spec).rows_loaded == 1
    sqlite_items(room, SECOND)
    assert room.load(spec).rows_loaded == 1
    assert room.rows(STATE) == [(1, "苹果"), (2, "梨")]


def test_a_row_without_key_or_cursor_is_rejected(room: Room) -> None:
    sqlite_items(room, FIRST, "NULL, '梨', 2, 0, NULL, '2024-03-02'", "3, '桃', 2, 0, NULL, NULL")
    room.load(items(room, "sqlite", max_rejects=0.9, **INCREMENTAL))
    assert room.rows("SELECT column_name, reason FROM ingest.rejects ORDER BY 1") == [
        ("id", "has no value"),
        ("updated_at", "has no value"),
    ]


def test_a_sqlite_file_that_is_missing_or_none_is_named(room: Room) -> None:
    with pytest.raises(SourceError, match=r"no file matches erp/店.db in the landing folder"):
        room.load(items(room, "sqlite"))
    room.deliver("erp/店.db", "this is not a database, whatever its name says" * 100)
    with pytest.raises(SourceError, match=r"items: erp/店.db cannot be read: .*file is not a database"):
        room.load(items(room, "sqlite"))
