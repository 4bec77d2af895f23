"""What came of a daily source, asked of a warehouse with two months of tills."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from metrics_catalog.health import SourceHealth, latest, record
from metrics_catalog.ops.store import open_store
from metrics_catalog.spec.policy import Policy
from orchestration.deliveries import coverages, delivered, short_days
from orchestration.ingest.spec import FilesSource

LAST = date(2024, 3, 13)
FIRST = LAST - timedelta(days=60)
SPEC = FilesSource.model_validate(
    {
        "name": "tills",
        "label": {"en": "Tills", "zh": "收银"},
        "description": "Receipt lines.",
        "domain": "sales",
        "owner": "data",
        "kind": "files",
        "path": "tills/*.csv",
        "format": "csv",
        "day": "sold_at",
        "partition": {"start": FIRST, "file": "tills_%Y-%m-%d.csv", "parts": "store"},
        "columns": {"sold_at": "timestamp", "store": "varchar"},
    }
)


def deliver(con: duckdb.DuckDBPyConnection, day: date, first: int = 8, last: int = 21, stores: int = 10) -> None:
    """Three lines an hour in each store; what came of the day before is replaced."""
    name = f"tills/tills_{day}.csv"
    con.execute("delete from source.tills where cast(sold_at as date) = ?", [day])
    con.execute("delete from ingest.files where file = ?", [name])
    con.execute(
        "insert into source.tills select $1::date + to_minutes(60 * h + 20 * n), '店' || s"
        " from range($2, $3) hours(h), range(3) times(n), range($4) stores(s)",
        [day, first, last + 1, stores],
    )
    count = (last + 1 - first) * 3 * stores
    con.execute("insert into ingest.files values ('tills', ?, ?, null)", [name, count])


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute(
            "create schema ingest; create schema source; create table source.tills(sold_at timestamp, store text)"
        )
        con.execute("create table ingest.files(source text, file text, rows bigint, duplicate_of text)")
        for ago in range(61):
            deliver(con, LAST - timedelta(days=ago))
        yield con


def found(con: duckdb.DuckDBPyConnection, policy: Policy | None = None) -> list[tuple[object, ...]]:
    some = short_days(con, "tills", SPEC, policy or Policy(), LAST)
    return [(one.day, one.rows, one.usual, one.partial, one.ends, len(one.absent)) for one in some]


def test_a_source_that_came_whole_says_nothing(con: duckdb.DuckDBPyConnection) -> None:
    assert found(con) == []
    assert coverages(con, {"tills": SPEC}, Policy(), LAST)["tills"].missing == frozenset()


def test_what_is_missing_of_a_day_is_found_until_it_comes(con: duckdb.DuckDBPyConnection) -> None:
    yesterday = LAST - timedelta(days=1)
    deliver(con, LAST, last=11)
    deliver(con, yesterday, stores=4)
    assert found(con) == [(yesterday, 168, 420, True, None, 6), (LAST, 120, 420, True, "11:40", 0)]
    deliver(con, LAST)
    deliver(con, yesterday)
    assert found(con) == []


def test_a_day_without_any_row_came_in_part(con: duckdb.DuckDBPyConnection) -> None:
    deliver(con, LAST, first=8, last=7)
    assert found(con) == [(LAST, 0, 420, True, None, 10)]


def test_on_a_day_with_an_event_few_rows_are_known(con: duckdb.DuckDBPyConnection) -> None:
    event = {"label": {"en": "Stocktaking", "zh": "盘点"}, "day": LAST}
    deliver(con, LAST, last=11)
    policy = Policy.model_validate({"monitoring": {"events": [event]}})
    assert found(con, policy) == [(LAST, 120, 420, False, "11:40", 0)]
    of_one = Policy.model_validate({"monitoring": {"events": [{**event, "metrics": ["other"]}]}})
    assert found(con, of_one)[0][3]


def test_a_copy_of_another_day_is_not_its_file(con: duckdb.DuckDBPyConnection) -> None:
    name, other = (f"tills/tills_{day}.csv" for day in (LAST, LAST - timedelta(days=1)))
    con.execute("update ingest.files set rows = 0, duplicate_of = ? where file = ?", [other, name])
    assert SPEC.partition is not None
    assert LAST not in delivered(con, "tills", SPEC.partition)
    assert coverages(con, {"tills": SPEC}, Policy(), LAST)["tills"].missing == {LAST}


def test_what_was_found_is_kept_as_it_is(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    deliver(con, LAST, last=11)
    store = open_store(f"sqlite:///{tmp_path / 'ops.db'}")
    now = datetime(2024, 3, 14, tzinfo=UTC)
    one = SourceHealth("tills", now, "run", short=short_days(con, "tills", SPEC, Policy(), LAST))
    record(store, [one])
    assert latest(store) == {"tills": one}
    store.dispose()
