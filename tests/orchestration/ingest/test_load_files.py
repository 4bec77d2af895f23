"""Files: what a delivery changes, what it does not, and what is refused."""

from __future__ import annotations

import os
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orchestration.ingest.result import SourceError

if TYPE_CHECKING:
    from conftest import Room

DAY_1, DAY_2, DAY_3 = date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 3)
FIRST = "1,苹果,2,3.50,2024-03-01 09:00:00"
SECOND = "2,梨,1,2.00,2024-03-02 10:30:00"
ALL_IDS = "SELECT id FROM source.orders ORDER BY id"


@pytest.fixture
def loaded(room: Room) -> Room:
    room.deliver_orders("一日.csv", FIRST)
    room.deliver_orders("二日.csv", SECOND)
    room.load(room.orders())
    return room


def days_of(room: Room, load_id: int | None) -> list[date | None]:
    return [day for (day,) in room.rows(f"SELECT day FROM ingest.changes WHERE load_id = {load_id} ORDER BY day")]


def test_a_first_load_types_every_column_and_says_where_rows_came_from(room: Room) -> None:
    room.deliver_orders("一日.csv", FIRST)
    room.deliver_orders("二日.csv", SECOND)
    result = room.load(room.orders())
    assert (result.rows_read, result.rows_loaded, result.rows_rejected, result.rows_deleted) == (2, 2, 0, 0)
    assert result.files_loaded == ("orders/一日.csv", "orders/二日.csv")
    assert result.days == {DAY_1, DAY_2}
    assert room.rows("FROM source.orders ORDER BY id") == [
        (1, "苹果", 2, Decimal("3.50"), datetime(2024, 3, 1, 9), (1 << 40) + 1, "orders/一日.csv", 1),
        (2, "梨", 1, Decimal("2.00"), datetime(2024, 3, 2, 10, 30), (1 << 40) + 2, "orders/二日.csv", 1),
    ]
    assert days_of(room, 1) == [DAY_1, DAY_2]


def test_nothing_new_changes_nothing_and_uses_no_load_id(loaded: Room) -> None:
    before = loaded.state()
    result = loaded.load(loaded.orders())
    assert (result.changed, result.load_id, result.days) == (False, None, frozenset())
    assert loaded.state() == before


def test_a_touched_file_is_the_same_file(loaded: Room) -> None:
    path = loaded.project.landing / "orders" / "一日.csv"
    os.utime(path, (1, 1))
    assert not loaded.load(loaded.orders()).changed
    assert loaded.rows("SELECT mtime_ns FROM ingest.files WHERE file = 'orders/一日.csv'") == [(1_000_000_000,)]


def test_same_date_and_size_do_not_hide_a_new_content_once_touched(loaded: Room) -> None:
    loaded.deliver_orders("一日.csv", FIRST.replace("苹果", "苹菓"))
    assert loaded.load(loaded.orders()).files_loaded == ("orders/一日.csv",)


def test_a_copy_under_another_name_is_told_and_not_loaded_twice(loaded: Room) -> None:
    loaded.deliver_orders("一日 (2).csv", FIRST)
    result = loaded.load(loaded.orders())
    assert not result.changed
    assert result.duplicates == {"orders/一日 (2).csv": "orders/一日.csv"}
    assert loaded.rows(ALL_IDS) == [(1,), (2,)]
    assert loaded.rows("SELECT duplicate_of, rows FROM ingest.files WHERE file LIKE '%(2)%'") == [
        ("orders/一日.csv", 0)
    ]


def test_a_copy_becomes_a_delivery_when_its_original_changes(loaded: Room) -> None:
    loaded.deliver_orders("一日 (2).csv", FIRST)
    loaded.load(loaded.orders())
    loaded.deliver_orders("一日.csv", "9,桃,1,1.00,2024-03-03 08:00:00")
    result = loaded.load(loaded.orders())
    assert set(result.files_loaded) == {"orders/一日.csv", "orders/一日 (2).csv"}
    assert loaded.rows(ALL_IDS) == [(1,), (2,), (9,)]


def test_a_changed_file_replaces_its_rows_and_names_days_of_both(loaded: Room) -> None:
    loaded.deliver_orders("一日.csv", "7,桃,1,1.00,2024-03-03 08:00:00")
    result = loaded.load(loaded.orders())
    assert (result.rows_loaded, result.rows_deleted) == (1, 1)
    assert result.days == {DAY_1, DAY_3}
    assert loaded.rows(ALL_IDS) == [(2,), (7,)]
    assert loaded.rows("SELECT _row_id FROM source.orders WHERE id = 7") == [((2 << 40) + 1,)]


def test_a_late_file_with_an_old_date_is_picked_up(loaded: Room) -> None:
    loaded.deliver("orders/补.csv", f"{loaded.header}\n3,杏,1,1.00,2024-02-01 08:00:00\n", age_days=400)
    result = loaded.load(loaded.orders())
    assert (result.files_loaded, result.days) == (("orders/补.csv",), {date(2024, 2, 1)})


def test_rows_of_a_vanished_file_stay_by_default(loaded: Room) -> None:
    (loaded.project.landing / "orders" / "一日.csv").unlink()
    assert not loaded.load(loaded.orders()).changed
    assert loaded.rows(ALL_IDS) == [(1,), (2,)]


@pytest.mark.parametrize("changes", [{"on_missing": "delete"}, {"load": "full"}])
def test_rows_leave_with_their_file_when_declared(room: Room, changes: dict[str, Any]) -> None:
    room.deliver_orders("一日.csv", FIRST)
    path = room.deliver_orders("二日.csv", SECOND)
    room.load(room.orders(**changes))
    path.unlink()
    result = room.load(room.orders(**changes))
    assert (result.rows_deleted, result.files_removed, result.days) == (1, ("orders/二日.csv",), {DAY_2})
    assert room.rows(ALL_IDS) == [(1,)]
    assert room.rows("SELECT file FROM ingest.files") == [("orders/一日.csv",)]


def test_an_empty_landing_folder_never_deletes_everything(loaded: Room) -> None:
    for path in (loaded.project.landing / "orders").iterdir():
        path.unlink()
    before = loaded.state()
    with pytest.raises(SourceError, match=r"orders: no file matches orders/\*\.csv"):
        loaded.load(loaded.orders(on_missing="delete"))
    assert loaded.state() == before


def test_a_missing_file_is_named(room: Room) -> None:
    with pytest.raises(SourceError, match=r"orders: no file matches orders/\*\.csv in the landing folder"):
        room.load(room.orders())


def test_only_reloads_the_files_of_those_days(room: Room) -> None:
    spec = room.orders(partition={"start": DAY_1, "file": "orders_%Y-%m-%d.csv"})
    room.deliver_orders("orders_2024-03-01.csv", FIRST)
    room.deliver_orders("orders_2024-03-02.csv", SECOND)
    room.load(spec)
    room.deliver_orders("orders_2024-03-03.csv", "3,杏,1,1.00,2024-03-03 08:00:00")
    result = room.load(spec, only=(DAY_1, DAY_1))
    assert (result.files_loaded, result.rows_deleted, result.days) == (("orders/orders_2024-03-01.csv",), 1, {DAY_1})
    assert room.load(spec).files_loaded == ("orders/orders_2024-03-03.csv",)
    with pytest.raises(SourceError, match="no file of 2024-05-01 to 2024-05-02 matches"):
        room.load(spec, only=(date(2024, 5, 1), date(2024, 5, 2)))


def test_only_does_not_load_what_another_file_brought(room: Room) -> None:
    spec = room.orders(partition={"start": DAY_1, "file": "orders_%Y-%m-%d.csv"})
    room.deliver_orders("0 副本.csv", FIRST)
    room.deliver_orders("orders_2024-03-01.csv", FIRST)
    room.load(spec)
    result = room.load(spec, only=(DAY_1, DAY_1))
    assert result.duplicates == {"orders/orders_2024-03-01.csv": "orders/0 副本.csv"}
    assert room.rows("SELECT count(*) FROM source.orders") == [(1,)]


def test_only_needs_files_of_single_days(loaded: Room) -> None:
    with pytest.raises(SourceError, match="has no partition:"):
        loaded.load(loaded.orders(), only=(DAY_1, DAY_1))


def test_a_new_declaration_reads_everything_again(loaded: Room) -> None:
    columns = {"id": "bigint", "item": "varchar", "qty": "double", "sold_at": "timestamp", "amount": "decimal(18,2)"}
    (loaded.project.landing / "orders" / "二日.csv").unlink()
    result = loaded.load(loaded.orders(columns=columns))
    assert (result.files_loaded, result.days) == (("orders/一日.csv",), None)
    assert days_of(loaded, result.load_id) == [None]
    assert loaded.rows("SELECT id, qty, amount FROM source.orders ORDER BY id") == [
        (1, 2.0, Decimal("3.50")),
        (2, 1.0, Decimal("2.00")),
    ]
    assert loaded.rows("SELECT typeof(qty) FROM source.orders LIMIT 1") == [("DOUBLE",)]


def test_wording_of_a_declaration_reads_nothing_again(loaded: Room) -> None:
    assert not loaded.load(loaded.orders(description="Other words.", max_rejects=0.5)).changed


def test_a_source_without_a_day_may_have_changed_any(room: Room) -> None:
    room.deliver_orders("一日.csv", FIRST)
    result = room.load(room.orders(day=None))
    assert result.days is None
    assert days_of(room, result.load_id) == [None]


def test_a_new_column_is_refused_ignored_or_added(room: Room) -> None:
    room.deliver_orders("一日.csv", FIRST)
    room.load(room.orders())
    room.deliver("orders/二日.csv", f"{room.header},会员 Level\n{SECOND},金\n")
    before = room.state()
    with pytest.raises(
        SourceError, match=r'orders/二日.csv:1 column "会员 Level" is not declared; declare it in orders.yml'
    ):
        room.load(room.orders())
    assert room.state() == before
    added = room.load(room.orders(on_new_column="add"))
    assert added.new_columns == ("会员_level",)
    assert room.rows('SELECT id, "会员_level" FROM source.orders ORDER BY id') == [(1, None), (2, "金")]
    room.deliver_orders("三日.csv", "3,杏,1,1.00,2024-03-03 08:00:00")
    assert room.load(room.orders(on_new_column="add")).days == {DAY_3}
    ignored = room.load(room.orders(on_new_column="ignore"))
    assert ignored.new_columns == ()
    assert "会员_level" not in [name for name, *_ in room.rows("DESCRIBE source.orders")]


def test_columns_are_found_by_name_in_any_order_and_case(room: Room) -> None:
    room.deliver("orders/a.csv", "SOLD_AT, Amount ,qty,Item,订单号\n2024-03-01,1.00,2,苹果,1\n")
    columns = {
        "id": {"type": "bigint", "from": "订单号"},
        "item": "varchar",
        "qty": "bigint",
        "amount": "decimal(18,2)",
    }
    room.load(room.orders(columns=columns | {"sold_at": "timestamp"}))
    assert room.rows("SELECT id, item, qty, amount FROM source.orders") == [(1, "苹果", 2, Decimal("1.00"))]


def test_a_missing_column_is_named_with_its_look_alike(room: Room) -> None:
    room.deliver("orders/a.csv", "id,item,qty,amout,sold_at\n1,a,1,1,2024-03-01\n")
    with pytest.raises(SourceError, match=r'orders/a.csv:1 column "amount" is missing \(did you mean "amout"\?\)'):
        room.load(room.orders())


def test_an_optional_column_may_be_missing(room: Room) -> None:
    room.deliver("orders/a.csv", "id,item,qty,sold_at\n1,a,1,2024-03-01\n")
    room.deliver_orders("b.csv", FIRST)
    columns = {"id": "bigint", "item": "varchar", "qty": "bigint", "sold_at": "timestamp"}
    room.load(room.orders(columns=columns | {"amount": {"type": "decimal(18,2)", "optional": True}}))
    assert room.rows("SELECT amount FROM source.orders ORDER BY ALL") == [(Decimal("3.50"),), (None,)]


def test_a_file_still_being_written_is_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration.ingest.manifest import LandedFile

    room.deliver_orders("一日.csv", FIRST)
    monkeypatch.setattr(LandedFile, "same_on_disk", lambda _file: False)
    with pytest.raises(SourceError, match=r"orders/一日.csv was written to while it was read"):
        room.load(room.orders())
    assert room.rows("FROM ingest.loads") == []


def test_names_that_begin_with_a_dot_are_no_delivery(room: Room) -> None:
    room.deliver_orders("一日.csv", FIRST)
    room.deliver_orders(".uploading.csv", SECOND)
    assert room.load(room.orders()).files_loaded == ("orders/一日.csv",)


def test_a_link_out_of_the_landing_folder_is_refused(room: Room, tmp_path: Path) -> None:
    room.deliver_orders("一日.csv", FIRST)
    secret = tmp_path / "secret.csv"
    secret.write_text("id\n1\n", encoding="utf-8")
    (room.project.landing / "orders" / "x.csv").symlink_to(secret)
    with pytest.raises(SourceError, match=r"orders/x.csv: is a link to a file outside the landing folder"):
        room.load(room.orders())


def test_a_load_leaves_nothing_in_the_connection(room: Room) -> None:
    room.deliver_orders("一日.csv", FIRST, "x")
    room.load(room.orders(max_rejects=0.5))
    room.deliver("a.json", '[{"id": "x"}, {"id": 2}]')
    declared = {"kind": "files", "path": "a.json", "format": "json", "max_rejects": 0.5, "columns": {"id": "bigint"}}
    room.load(room.declare("a", declared))
    assert room.rows("SELECT table_name FROM duckdb_tables() WHERE temporary") == []
    assert room.rows("SELECT view_name FROM duckdb_views() WHERE NOT internal") == []


NAMES = "SELECT id, _source_file FROM source.orders ORDER BY id"


def test_a_source_of_one_file_keeps_its_name_once_and_whose_rows_are_whose(room: Room) -> None:
    first, second = "orders/员工's 一日.csv", "orders/二日.csv"
    room.deliver_orders("员工's 一日.csv", FIRST)
    room.load(room.orders(path=f"./{first}"))
    assert room.rows(NAMES) == [(1, first)]
    [(kind,)] = room.rows("SELECT DISTINCT typeof(_source_file) FROM source.orders")
    assert kind == "ENUM('orders/员工''s 一日.csv')"
    room.deliver_orders("员工's 一日.csv", FIRST.replace("苹果", "苹菓"))
    changed = room.load(room.orders(path=f"./{first}"))
    assert (changed.rows_loaded, changed.rows_deleted, room.rows(NAMES)) == (1, 1, [(1, first)])
    room.deliver_orders("二日.csv", SECOND)
    room.load(room.orders(path="orders/*.csv"))
    assert room.rows(NAMES) == [(1, first), (2, second)]
    room.deliver_orders("二日.csv", SECOND.replace("梨", "桃"))
    only = room.load(room.orders(path=second))
    assert (only.rows_loaded, only.rows_deleted, room.rows(NAMES)) == (1, 1, [(1, first), (2, second)])
