"""Events of Dagster's log as rows of its index, written many at a time. Knows its tables, opens no connection.

The statements are made once and executed for lists of rows: making one for each event, as Dagster does, costs more than
SQLite's work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagster import AssetCheckEvaluation
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetKeyTable, SqlEventLogStorageTable
from sqlalchemy import Connection, and_, bindparam, select
from sqlalchemy.dialects.sqlite import insert

MATERIALIZED = DagsterEventType.ASSET_MATERIALIZATION
MATERIALIZATION_PLANNED = DagsterEventType.ASSET_MATERIALIZATION_PLANNED
EVALUATED = DagsterEventType.ASSET_CHECK_EVALUATION
EVALUATION_PLANNED = DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED

_KEYS, _CHECKS = AssetKeyTable.c, AssetCheckExecutionsTable.c
INSERT_EVENTS = SqlEventLogStorageTable.insert()
_INSERT_CHECKS = AssetCheckExecutionsTable.insert()
_OUTCOME = (
    "execution_status",
    "evaluation_event",
    "evaluation_event_timestamp",
    "evaluation_event_storage_id",
    "materialization_event_storage_id",
)
_UPDATE_CHECKS = (
    AssetCheckExecutionsTable.update()
    .where(
        and_(
            _CHECKS.asset_key == bindparam("of_asset"),
            _CHECKS.check_name == bindparam("of_check"),
            _CHECKS.run_id == bindparam("of_run"),
            _CHECKS.partition.is_(None),
        )
    )
    .values({name: bindparam(f"new_{name}") for name in _OUTCOME})
)


@dataclass(frozen=True)
class Row:
    """An event and its row of the log; ``number``: its id in the index, which runs share."""

    event: EventLogEntry
    values: Mapping[str, Any]
    number: int = 0

    @property
    def kind(self) -> DagsterEventType | None:
        """What happened."""
        return self.event.dagster_event_type

    @property
    def told(self) -> Any:
        """What Dagster says of it besides."""
        return self.event.get_dagster_event().event_specific_data


def is_indexed(event: EventLogEntry) -> bool:
    """Whether an event that is written together with others also stands in the index."""
    kind = event.dagster_event_type
    return kind in (MATERIALIZED, MATERIALIZATION_PLANNED, EVALUATED, EVALUATION_PLANNED)


def numbered(connection: Connection, rows: Sequence[Row]) -> list[Row]:
    """Insert rows into the index: the first takes the next free number and with it the lock, the others follow."""
    if not rows:
        return []
    (first,) = connection.execute(INSERT_EVENTS, dict(rows[0].values)).inserted_primary_key or (0,)
    found = [Row(row.event, row.values, first + place) for place, row in enumerate(rows)]
    if found[1:]:
        connection.execute(INSERT_EVENTS, [{**row.values, "id": row.number} for row in found[1:]])
    return found


def newest(rows: Iterable[Row]) -> list[Row]:
    """Of each asset and kind of event the last, in the order they came: the others would be overwritten."""
    last = {(row.kind, row.values["asset_key"]): row for row in rows}
    return sorted(last.values(), key=lambda row: row.number)


def know_assets(connection: Connection, entries: Sequence[Mapping[str, Any]]) -> None:
    """Insert or update rows of assets, in this order; each has its ``asset_key``."""
    together: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for entry in entries:
        together.setdefault(tuple(entry), []).append(entry)
    for names, some in together.items():
        statement = insert(AssetKeyTable)
        changed = {name: statement.excluded[name] for name in names if name != "asset_key"}
        connection.execute(statement.on_conflict_do_update(index_elements=[_KEYS.asset_key], set_=changed), some)


def plan_checks(connection: Connection, rows: Iterable[Row]) -> None:
    """Insert the executions of checks that a run means to bring."""
    entries = []
    for row in rows:
        told: AssetCheckEvaluationPlanned = row.told
        days = told.partitions_subset.get_partition_keys() if told.partitions_subset else [None]
        entries += [{**_of_check(row), **_outcome(row, Status.PLANNED), "partition": day} for day in days]
    if entries:
        connection.execute(_INSERT_CHECKS, entries)


def settle_checks(connection: Connection, rows: Sequence[Row]) -> list[Row]:
    """Give planned executions their outcome; returns the rows of others, for Dagster's own way."""
    runs = {row.event.run_id for row in rows}
    query = select(_CHECKS.asset_key, _CHECKS.check_name, _CHECKS.run_id).where(
        and_(_CHECKS.run_id.in_(runs), _CHECKS.partition.is_(None))
    )
    planned = {tuple(found) for found in connection.execute(query)} if rows else set()
    entries, others = [], []
    for row in rows:
        told: AssetCheckEvaluation = row.told
        key = _of_check(row)
        if told.partition is not None or tuple(key.values()) not in planned:
            others.append(row)
            continue
        target = told.target_materialization_data
        outcome = _outcome(row, Status.SUCCEEDED if told.passed else Status.FAILED)
        outcome["materialization_event_storage_id"] = target.storage_id if target else None
        found = {f"new_{name}": value for name, value in outcome.items()}
        entries.append({**found, "of_asset": key["asset_key"], "of_check": key["check_name"], "of_run": key["run_id"]})
    if entries:
        connection.execute(_UPDATE_CHECKS, entries)
    return others


def _of_check(row: Row) -> dict[str, str]:
    told = row.told
    return {"asset_key": told.asset_key.to_string(), "check_name": told.check_name, "run_id": row.event.run_id}


def _outcome(row: Row, status: Status) -> dict[str, Any]:
    return {
        "execution_status": status.value,
        "evaluation_event": row.values["event"],
        "evaluation_event_timestamp": row.values["timestamp"],
        "evaluation_event_storage_id": row.number,
    }
