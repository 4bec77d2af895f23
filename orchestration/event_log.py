"""Dagster's run log in SQLite, with the connection kept open. Configured in dagster.yaml; nothing else uses it.

Dagster's own class opens an engine and a connection per event and syncs the disk on every commit: measured on a run of
71 assets and 156 checks it costs 5.0 CPU s and 14 s of waiting, one connection 1.6 and 2.8. Of that most was making
statements and serializing the same event three times, which events written together save (tests/benchmarks/README.md).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

from dagster import AssetKey
from dagster._core.events import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.base import AssetRecord
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from orchestration.event_rows import (
    EVALUATED,
    EVALUATION_PLANNED,
    INSERT_EVENTS,
    MATERIALIZATION_PLANNED,
    MATERIALIZED,
    Row,
    is_indexed,
    know_assets,
    newest,
    numbered,
    plan_checks,
    settle_checks,
)

# Each run has a file of its own; a webserver that is looked at for days would otherwise keep them all open.
OPEN_RUNS = 16
# What comes in bursts of hundreds: what a run means to bring, and what a step says once its work is done. That it has
# succeeded ends its burst, but is written with what follows at once: the start of the next step, or the run's end.
_BURSTS = {
    MATERIALIZATION_PLANNED,
    EVALUATION_PLANNED,
    DagsterEventType.STEP_OUTPUT,
    DagsterEventType.STEP_SUCCESS,
    MATERIALIZED,
    EVALUATED,
}
BUSY_TIMEOUT_SECONDS = 30


class KeptSqliteEventLogStorage(SqliteEventLogStorage):
    """`SqliteEventLogStorage` with one open connection per file, at most `OPEN_RUNS` run files at a time.

    ``synchronous=NORMAL`` in WAL mode: a power cut loses the last moments of the log. Events that come in bursts are
    written together, before anything else is read or written; a killed process loses the burst it was telling.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._open: OrderedDict[str, Connection] = OrderedDict()
        self._tables: set[str] = set()
        self._columns: set[str] = set()
        self._migrations: set[str] = set()
        self._told: frozenset[AssetKey] = frozenset()
        self._records: dict[AssetKey, AssetRecord] = {}
        self._burst: list[EventLogEntry] = []
        super().__init__(base_dir, inst_data)
        self._db_lock = RLock()  # a burst is stored with connections inside a connection

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> SqliteEventLogStorage:
        """Called by Dagster with the ``config`` of dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has the table; asked by Dagster for every event of a check, and a table stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        """The same of a column; asked several times for every event of an asset."""
        if column_name not in self._columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._columns.add(column_name)
        return column_name in self._columns

    def has_secondary_index(self, name: str) -> bool:
        """The same of a migration of its data; asked twice for every read of an asset."""
        if name not in self._migrations and super().has_secondary_index(name):
            self._migrations.add(name)
        return name in self._migrations

    def store_event(self, event: EventLogEntry) -> None:
        """Store one event, or keep it for the end of its burst; one that belongs to no run has no burst."""
        if event.run_id and event.dagster_event_type in _BURSTS:
            with self._db_lock:
                self._burst.append(event)
        else:
            self._forget_told()
            super().store_event(event)

    def get_asset_records(self, asset_keys: Sequence[AssetKey] | None = None) -> Sequence[AssetRecord]:
        """What is known of assets, asked for each that has checks: their outcomes may wait to be written meanwhile.

        Assets that were told together are read together, and known until something else is told.
        """
        with self._db_lock:
            if any(one.dagster_event_type in (MATERIALIZED, MATERIALIZATION_PLANNED) for one in self._burst):
                self._store_burst()
            kept, self._burst = self._burst, []
            try:
                if asset_keys is None or not self._told.issuperset(asset_keys):
                    return super().get_asset_records(asset_keys)
                if not self._records:
                    found = super().get_asset_records(list(self._told))
                    self._records = {one.asset_entry.asset_key: one for one in found}
                return [self._records[key] for key in asset_keys if key in self._records]
            finally:
                self._burst = kept + self._burst

    def _store_burst(self) -> None:
        burst, self._burst = self._burst, []
        told = [one.get_dagster_event() for one in burst if one.dagster_event_type is MATERIALIZED]
        self._forget_told(one.asset_key for one in told if one.asset_key)
        rows = [Row(one, self._event_to_row(one)) for one in burst]
        for run_id in dict.fromkeys(row.event.run_id for row in rows):
            with self._connect(run_id) as connection:
                connection.execute(INSERT_EVENTS, [dict(row.values) for row in rows if row.event.run_id == run_id])
        indexed = [row for row in rows if is_indexed(row.event)]
        if indexed:
            with self._connect(INDEX_SHARD_NAME) as connection:
                self._index(connection, numbered(connection, indexed))

    def _forget_told(self, told: Iterable[AssetKey] = ()) -> None:
        self._told, self._records = frozenset(told), {}

    def _index(self, connection: Connection, rows: list[Row]) -> None:
        assets = [row for row in rows if row.kind in (MATERIALIZED, MATERIALIZATION_PLANNED)]
        self._store_asset_event_tags(connection, [row.event for row in assets], [row.number for row in assets])
        entries = [(row, self._get_asset_entry_values(row.event, row.number, True)) for row in newest(assets)]
        know_assets(connection, [{"asset_key": row.values["asset_key"], **entry} for row, entry in entries])
        plan_checks(connection, [row for row in rows if row.kind is EVALUATION_PLANNED])
        for row in settle_checks(connection, [row for row in rows if row.kind is EVALUATED]):
            self.store_asset_check_event(row.event, row.number)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if self._burst:
                self._store_burst()
            connection = self._connection(shard)
            if connection.in_transaction():
                yield connection
            else:
                with connection.begin():
                    yield connection

    def _connection(self, shard: str) -> Connection:
        if shard not in self._open:
            engine = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=StaticPool,
                connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            event.listen(engine, "connect", _relax)
            self._initdb(engine, for_index_shard=shard == INDEX_SHARD_NAME)
            self._open[shard] = engine.connect()
            self._close_oldest()
        self._open.move_to_end(shard)
        return self._open[shard]

    def _close_oldest(self) -> None:
        runs = [shard for shard in self._open if shard != INDEX_SHARD_NAME]
        for shard in runs[:-OPEN_RUNS]:
            _close(self._open.pop(shard))

    def dispose(self) -> None:
        """Close every connection. Called by Dagster with the instance."""
        with self._db_lock:
            if self._burst:
                self._store_burst()
            while self._open:
                _close(self._open.popitem()[1])
        super().dispose()


def _close(connection: Connection) -> None:
    connection.close()
    connection.engine.dispose()


def _relax(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
