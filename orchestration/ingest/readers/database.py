"""PostgreSQL, MySQL and SQLite through DuckDB's extensions, attached read-only for one load.

The extensions come from the installed packages; nothing is downloaded and nothing written outside the workspace.
"""

# ruff: noqa: S608 - names are quoted, values are parameters

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from expectations.sql import quote
from metrics_catalog.located import suggest
from orchestration.ingest.casting import Raw, blanked
from orchestration.ingest.relation import Relation, literal, match
from orchestration.ingest.result import SourceError, SourceUnavailable
from orchestration.ingest.run import Run
from orchestration.ingest.spec import DatabaseSource, SqliteSource

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ATTACHED = "ingest_origin"
CONNECT_SECONDS = 10
_SCHEMES = {"postgres": ("postgres", "postgresql"), "mysql": ("mysql", "mariadb")}
# TINYINT(1) may hold 5; dates like 0000-00-00 mean none; TIMESTAMP columns are to be read as UTC.
_SETTINGS = {
    "postgres": "",
    "mysql": (
        "SET mysql_tinyint1_as_boolean = false; SET mysql_incomplete_dates_as_nulls = true;"
        " SET mysql_session_time_zone = '+00:00'"
    ),
    "sqlite": "SET sqlite_all_varchar = true",  # a SQLite column may hold anything: cast, and reject, like a file
}


@dataclass(frozen=True)
class Address:
    """Where a server is, and how to enter; only `place` may be shown."""

    kind: str
    host: str
    port: int | None
    database: str
    user: str
    password: str
    options: str

    @property
    def place(self) -> str:
        """Host, port and database."""
        port = f":{self.port}" if self.port else ""
        return f"{self.kind} at {self.host}{port}/{self.database}"


def address(kind: str, url: str, variable: str) -> Address:
    """Parse a connection URL. Raises `SourceError` naming the variable, never its value."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SourceError(f"{variable} is not a valid URL") from None
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = unquote(parts.hostname or "") or query.pop("host", "")
    if parts.scheme.split("+")[0] not in _SCHEMES[kind] or not host or not parts.path.strip("/"):
        raise SourceError(f"{variable} must look like {_SCHEMES[kind][-1]}://user:password@host:port/database")
    if kind == "postgres":
        query.setdefault("connect_timeout", str(CONNECT_SECONDS))
    options = " ".join(f"{key}={value}" for key, value in query.items())
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Address(kind, host, port, unquote(parts.path.strip("/")), user, password, options)


@contextmanager
def attached(spec: DatabaseSource | SqliteSource, run: Run, workspace: Path) -> Iterator[None]:
    """The origin's database as `ingest_origin`. Raises `SourceUnavailable` when it cannot be reached or fails."""
    import duckdb

    kind, con = spec.kind, run.con
    where = Address(kind, spec.path, None, "", "", "", "") if isinstance(spec, SqliteSource) else _address(spec, run)
    place = spec.path if isinstance(spec, SqliteSource) else where.place
    try:
        _load_extension(con, kind, workspace)
        _attach(con, spec, where, run)
        yield
    except (duckdb.IOException, duckdb.HTTPException) as error:
        reason = _reason(str(error), where.password)
        raise SourceUnavailable(f"{spec.name}: {place} cannot be read: {reason}") from None
    finally:
        con.execute(f"DETACH DATABASE IF EXISTS {ATTACHED}")
        con.execute(f"DROP SECRET IF EXISTS {ATTACHED}")


def relation(spec: DatabaseSource | SqliteSource, con: DuckDBPyConnection, since: date | int | None) -> Relation:
    """The rows of the table, from ``since`` on. Raises `SourceError` for a table or column that is not there."""
    schema = _columns(spec, con)
    found = match(spec, list(schema), spec.table)
    text = isinstance(spec, SqliteSource)
    raw = {
        name: Raw(blanked(quote(actual)) if text else quote(actual), schema[actual]) for name, actual in found.items()
    }
    rows, parameters = _table(spec), {"origin": spec.table}
    if since is not None and spec.cursor is not None:
        column, kind = found[spec.cursor], schema[found[spec.cursor]]
        value = f"TRY_CAST({quote(column)} AS {spec.columns[spec.cursor].type})" if text else quote(column)
        rows = f"(SELECT * FROM {rows} WHERE {value} >= $since)"
        parameters |= {"since": _zoned(since) if "TIME ZONE" in kind else since}
    return Relation(rows, raw, file="$origin", parameters=parameters)


def _address(spec: DatabaseSource, run: Run) -> Address:
    return address(spec.kind, run.secrets(spec.connection_env), spec.connection_env)


def _load_extension(con: DuckDBPyConnection, kind: str, workspace: Path) -> None:
    import duckdb

    package = Path(str(package_files(f"duckdb_extension_{kind}")))
    # DuckDB finds the entry point by the file's name, and the packages name it after the alias.
    link = workspace / f"{kind}_scanner.duckdb_extension"
    link.symlink_to(package / "extensions" / f"v{duckdb.__version__}" / f"{kind}.duckdb_extension")
    con.execute(f"LOAD {literal(str(link))}")
    con.execute(_SETTINGS[kind])


def _attach(con: DuckDBPyConnection, spec: DatabaseSource | SqliteSource, where: Address, run: Run) -> None:
    if isinstance(spec, SqliteSource):
        con.execute(f"ATTACH {literal(str(run.landing / spec.path))} AS {ATTACHED} (TYPE sqlite, READ_ONLY)")
        return
    given: Mapping[str, object] = {
        "host": where.host,
        "port": where.port,
        "database": where.database,
        "user": where.user,
        "password": where.password,
    }
    values = {name: value for name, value in given.items() if value}
    named = ", ".join(f"{name} ${name}" for name in values)
    con.execute(f"CREATE OR REPLACE TEMPORARY SECRET {ATTACHED} (TYPE {spec.kind}, {named})", values)
    con.execute(f"ATTACH {literal(where.options)} AS {ATTACHED} (TYPE {spec.kind}, SECRET {ATTACHED}, READ_ONLY)")


def _table(spec: DatabaseSource | SqliteSource) -> str:
    parts = [spec.table] if isinstance(spec, SqliteSource) else spec.table.split(".")
    return ".".join(quote(part) for part in (ATTACHED, *parts))


def _columns(spec: DatabaseSource | SqliteSource, con: DuckDBPyConnection) -> dict[str, str]:
    import duckdb

    try:
        rows = con.execute(f"DESCRIBE SELECT * FROM {_table(spec)}").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        query = "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = $1 ORDER BY ALL"
        there = [(str(schema), str(name)) for schema, name in con.execute(query, [ATTACHED]).fetchall()]
        plain = spec.kind == "sqlite" or "." not in spec.table
        names = [name if plain else f"{schema}.{name}" for schema, name in there]
        raise SourceError(f'{spec.name}: table "{spec.table}" does not exist{suggest(spec.table, names)}') from None
    except duckdb.Error as error:
        if not isinstance(spec, SqliteSource):
            raise
        raise SourceError(f"{spec.name}: {spec.path} cannot be read: {_reason(str(error), '')}") from None
    return {str(name): str(kind) for name, kind, *_ in rows}


def _zoned(since: date | int) -> date | int:
    return since.replace(tzinfo=UTC) if isinstance(since, datetime) else since


def _reason(message: str, password: str) -> str:
    text = message.splitlines()[0].partition('": ')[2] or message.splitlines()[0]
    return text.replace(password, "***") if password else text
