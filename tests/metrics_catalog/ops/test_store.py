"""The ops store: made by whoever comes first, append-only in the database itself, refusing clearly when it cannot be used."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from metrics_catalog.governance.ledger import Event, Head, Ledger
from metrics_catalog.ops import store
from metrics_catalog.ops.store import HEAD, OpsUnavailable, open_store, reading, writing
from metrics_catalog.ops.tables import ledger as table
from metrics_catalog.ops.tables import metadata

NOW = datetime(2024, 3, 10, 8, tzinfo=UTC)


@pytest.fixture
def engine(ops_url: str) -> Iterator[sa.Engine]:
    engine = open_store(ops_url)
    yield engine
    engine.dispose()


def _head(engine: sa.Engine) -> Head:
    last = Ledger(engine).entries()[-1]
    return Head(last.seq, last.hash, last.at)


@pytest.fixture
def filled(engine: sa.Engine) -> sa.Engine:
    Ledger(engine).append(Head(), [Event("noted", "指标", "wei", {"n": n}) for n in range(3)], NOW)
    return engine


def test_migrations_make_the_tables_the_code_knows(engine: sa.Engine) -> None:
    found = sa.inspect(engine)
    assert set(found.get_table_names()) == {"alembic_version", *metadata.tables}
    for name, expected in metadata.tables.items():
        columns = {one["name"]: (str(one["type"]), one["nullable"]) for one in found.get_columns(name)}
        assert columns == {one.name: (one.type.compile(engine.dialect), one.nullable) for one in expected.columns}
    newest = sorted((Path(store.__file__).parent / "migrations" / "versions").glob("m*.py"))[-1]
    assert newest.name.startswith(f"m{HEAD}_"), "name the newest migration in ops/store.py"


def test_a_store_that_is_as_new_as_the_code_is_left_alone(
    filled: sa.Engine, ops_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_migrate", lambda _: pytest.fail("migrated again"))
    again = open_store(ops_url)
    assert len(Ledger(again).entries()) == 3
    again.dispose()


def test_several_processes_make_it_at_once(ops_url: str, crowd: Any) -> None:
    code = """
        from metrics_catalog.ops.store import open_store
        import alembic.command
        # together
        open_store(given[0]).dispose()
    """
    ended = crowd.run(code, ops_url, count=4)
    assert [one.returncode for one in ended] == [0] * 4, "\n".join(one.stderr for one in ended)
    engine = open_store(ops_url)
    with reading(engine) as con:
        assert con.execute(sa.text("select version_num from alembic_version")).scalars().all() == [HEAD]
    engine.dispose()


def test_a_store_of_a_newer_program_is_not_touched(filled: sa.Engine, ops_url: str) -> None:
    with writing(filled) as con:
        con.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(OpsUnavailable, match="newer program"):
        open_store(ops_url)


@pytest.mark.parametrize(
    "statement",
    ["update ledger set actor = 'eve' where seq = 2", "delete from ledger where seq = 3", "delete from ledger"],
)
def test_the_database_itself_refuses_to_change_the_ledger(filled: sa.Engine, statement: str) -> None:
    before = Ledger(filled).entries()
    with pytest.raises(DBAPIError, match="new rows only"), filled.begin() as con:
        con.execute(sa.text(statement))
    assert Ledger(filled).entries() == before


def test_postgres_refuses_to_truncate_and_sqlite_to_replace(filled: sa.Engine) -> None:
    if filled.dialect.name == "postgresql":
        statement, said = "truncate ledger", "new rows only"
    else:
        columns = "seq, at, kind, subject, 'eve', data, previous, hash"
        statement, said = f"insert or replace into ledger select {columns} from ledger where seq = 2", "next entry only"
    before = Ledger(filled).entries()
    with pytest.raises(DBAPIError, match=said), filled.begin() as con:
        con.execute(sa.text(statement))
    assert Ledger(filled).entries() == before


def test_while_another_writes_one_can_read_and_writing_gives_up_with_nothing_done(
    filled: sa.Engine, ops_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "WAIT_SECONDS", 1)
    impatient = open_store(ops_url)
    row = {"seq": 4, "at": "", "kind": "", "subject": "", "actor": "", "data": "", "previous": "", "hash": ""}
    with writing(filled) as con:
        con.execute(table.insert(), [row])
        assert len(Ledger(impatient).entries()) == 3
        with pytest.raises(OpsUnavailable, match=r"cannot be used, nothing was changed: .*(lock|timeout)"):
            Ledger(impatient).append(_head(impatient), [Event("noted", "x", "wei")], NOW)
        con.rollback()
    assert len(Ledger(impatient).entries()) == 3
    impatient.dispose()


def test_a_killed_writer_leaves_nothing_and_holds_nobody_up(filled: sa.Engine, ops_url: str, crowd: Any) -> None:
    code = """
        import os, signal
        from metrics_catalog.ops.store import open_store, writing
        from metrics_catalog.ops.tables import ledger
        engine = open_store(given[0])
        # together
        with writing(engine) as con:
            names = ("at", "kind", "subject", "actor", "data", "previous", "hash")
            con.execute(ledger.insert(), [{"seq": 4, **dict.fromkeys(names, "half")}])
            os.kill(os.getpid(), signal.SIGKILL)
    """
    (ended,) = crowd.run(code, ops_url, count=1)
    assert ended.returncode == -9
    ledger = Ledger(filled)
    assert _head(filled).seq == 3
    assert ledger.append(_head(filled), [Event("noted", "x", "wei")], NOW)[0].seq == 4
    assert ledger.verify() == []


def test_what_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(OpsUnavailable, match="nothing was changed") as caught:
        open_store("postgresql://wei:geheim@127.0.0.1:1/ops")
    assert "127.0.0.1:1/ops" in str(caught.value)
    assert "geheim" not in str(caught.value)
    (tmp_path / "file").touch()
    with pytest.raises(OpsUnavailable, match="File exists"):
        open_store(f"sqlite:///{tmp_path}/file/ops.db")
    (tmp_path / "ops.db").write_bytes(b"not a database" * 100)
    with pytest.raises(OpsUnavailable, match="not a database"):
        open_store(f"sqlite:///{tmp_path}/ops.db")
    assert (tmp_path / "ops.db").read_bytes() == b"not a database" * 100
    with pytest.raises(OpsUnavailable, match="nothing was changed"):
        open_store(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("ops_url", ["postgres"], indirect=True)
def test_a_connection_that_breaks_leaves_nothing_and_the_next_one_works(filled: sa.Engine) -> None:
    def broken() -> None:
        with writing(filled) as con:
            con.execute(sa.text("delete from alembic_version"))
            con.execute(sa.text("select pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(OpsUnavailable, match="nothing was changed: server closed"):
        broken()
    with reading(filled) as con:
        assert con.execute(sa.text("select count(*) from alembic_version")).scalar() == 1


def test_a_store_locked_from_the_start_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "WAIT_SECONDS", 0.2)
    url = f"sqlite:///{tmp_path}/ops.db"
    open_store(url).dispose()
    with closing(sqlite3.connect(tmp_path / "ops.db", isolation_level=None)) as con:
        con.execute("pragma locking_mode = exclusive")
        con.execute("begin exclusive")
        with pytest.raises(OpsUnavailable, match="locked"):
            open_store(url)
