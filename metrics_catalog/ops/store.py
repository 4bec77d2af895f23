"""Opens the ops store: one SQLAlchemy engine whose tables are as new as the code. Nothing else knows the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from metrics_catalog.ops.tables import ledger

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HEAD = "0005"  # the newest migration
WAIT_SECONDS = 15  # for another writer; each holds the store for milliseconds
_MIGRATIONS = Path(__file__).parent / "migrations"
_SQLITE = "sqlite:///"


class OpsUnavailable(Exception):
    """The ops store cannot be opened, read or written; whatever was asked for was not done."""


def open_store(url: str) -> Engine:
    """The store at ``url`` (``sqlite:///path`` or ``postgresql://…``), made or migrated. Raises `OpsUnavailable`."""
    with _failures(url):
        if url.startswith(_SQLITE):
            Path(url.removeprefix(_SQLITE)).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(_driver(url), **_options(url))
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _sqlite_connected)
            event.listen(engine, "begin", _sqlite_begun)
        revision = _revision(engine)
        if revision is None or revision < HEAD:
            _migrate(engine)
    if revision is not None and revision > HEAD:
        raise OpsUnavailable(
            f"the ops store {_shown(url)} is of a newer program (revision {revision}); update this one"
        )
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reading, which never waits for a writer. Raises `OpsUnavailable`."""
    with _failures(engine.url), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as con:
        yield con


@contextmanager
def writing(engine: Engine, table: sa.Table = ledger) -> Iterator[Connection]:
    """A transaction that sees what it will be written over: one writer of ``table`` at a time.

    Raises `OpsUnavailable`.
    """
    with _failures(engine.url), engine.begin() as con:
        if con.dialect.name == "postgresql":
            con.execute(sa.text(f"lock table {table.name} in exclusive mode"))
        yield con


def _driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg2://", 1)


def _options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": WAIT_SECONDS}}
    timeout = f"-c lock_timeout={WAIT_SECONDS}s"
    return {"connect_args": {"connect_timeout": WAIT_SECONDS, "options": timeout}, "pool_pre_ping": True}


def _sqlite_connected(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_sqlite_begun` says
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")


def _sqlite_begun(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("begin immediate")


def _revision(engine: Engine) -> str | None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as con:
        if not sa.inspect(con).has_table("alembic_version"):
            return None
        return con.execute(sa.text("select version_num from alembic_version")).scalar()


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as con:
        if con.dialect.name == "postgresql":
            con.execute(sa.text("select pg_advisory_xact_lock(6384637)"))  # two that start at once
        config.attributes["connection"] = con
        command.upgrade(config, "head")


@contextmanager
def _failures(url: object) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (SQLAlchemyError, OSError) as error:
        cause = (str(getattr(error, "orig", None) or error).strip() or type(error).__name__).splitlines()[0]
        raise OpsUnavailable(f"the ops store {_shown(url)} cannot be used, nothing was changed: {cause}") from error


def _shown(url: object) -> str:
    return sa.make_url(str(url)).render_as_string(hide_password=True)
