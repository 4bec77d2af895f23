"""A Delta table as a set of immutable Parquet files: open, widen, read the file list, commit. Knows no metrics.

delta-rs keeps the log; the data files are written by us, because its own overwrite-by-predicate rewrites whole files
unsorted in memory (figures in README.md). Nothing here needs more than Delta reader version 1, writer version 2.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema
from deltalake._internal import RemoveAction
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction

log = logging.getLogger(__name__)

CHECKPOINT_EVERY = 20
FOREVER = "interval 36500 days"
CONFIGURATION = {  # any published number can be read again: no reader or VACUUM may tidy old versions away
    "delta.logRetentionDuration": FOREVER,
    "delta.deletedFileRetentionDuration": FOREVER,
    "delta.enableExpiredLogCleanup": "false",
}
_NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


@dataclass(frozen=True)
class Shape:
    """How a table's files lie: its period column, its grain and key columns if any, and the order of rows."""

    period: str
    grain: str | None
    key: str | None
    order: tuple[str, ...]

    @property
    def bounded(self) -> tuple[str, ...]:
        """Columns whose lowest and highest value are kept for each file."""
        return tuple(name for name in (self.key, self.grain, self.period) if name)


@dataclass(frozen=True)
class DataFile:
    """One Parquet file: its grain, periods [low, high] and keys [first, last] ('' where the table has none)."""

    path: str
    size: int
    rows: int
    grain: str
    low: date
    high: date
    first: str
    last: str


@dataclass(frozen=True)
class Commit:
    """One commit of the log: files added, paths of files removed, and what the user said of it, if anything."""

    version: int
    added: tuple[DataFile, ...]
    removed: frozenset[str]
    note: str | None


def opened(folder: Path, version: int | None = None) -> DeltaTable | None:
    """The table at ``version`` (default: latest), or None when there is none."""
    try:
        return DeltaTable(folder, version=version)
    except TableNotFoundError:
        return None


def created(folder: Path, schema: pa.Schema, shape: Shape) -> DeltaTable:
    """The table, made with ``schema`` when missing."""
    # named, because delta-rs's Arrow dataset takes missing bounds of any other column to mean: no row
    bounded = {"delta.dataSkippingStatsColumns": ",".join(shape.bounded)}
    return opened(folder) or DeltaTable.create(
        folder, schema=schema, mode="ignore", configuration=CONFIGURATION | bounded
    )


def columns(table: DeltaTable) -> pa.Schema:
    """The table's columns as an Arrow schema."""
    return pa.schema(table.schema())


def widened(table: DeltaTable, schema: pa.Schema) -> DeltaTable:
    """The table with the columns of ``schema`` it lacked, in a commit of its own that changes no row."""
    known = set(columns(table).names)
    missing = [item for item in schema if item.name not in known]
    if not missing:
        return table
    table.alter.add_columns(list(Schema.from_arrow(pa.schema(missing)).fields), post_commithook_properties=_NO_HOOKS)
    return DeltaTable(table.table_uri)


def files(table: DeltaTable, shape: Shape) -> list[DataFile]:
    """Every data file of this version with its statistics."""
    actions = pa.RecordBatchReader.from_stream(table.get_add_actions(flatten=True))  # pa.table() would import pandas
    found: list[dict[str, Any]] = actions.read_all().to_pylist()
    return [
        DataFile(
            path=row["path"],
            size=row["size_bytes"],
            rows=row["num_records"],
            grain=row[f"min.{shape.grain}"] if shape.grain else "",
            low=row[f"min.{shape.period}"],
            high=row[f"max.{shape.period}"],
            first=row[f"min.{shape.key}"] if shape.key else "",
            last=row[f"max.{shape.key}"] if shape.key else "",
        )
        for row in found
    ]


def commits(folder: Path, shape: Shape) -> Iterator[Commit]:
    """Every commit, oldest first, read from the log itself rather than from a table opened at each version."""
    for path in sorted((folder / "_delta_log").glob("*.json")):
        if not path.stem.isdigit():
            continue  # another tool's
        added, removed, note = [], [], None
        for line in path.read_bytes().splitlines():
            action: dict[str, Any] = json.loads(line)
            if "add" in action:
                added.append(_added(action["add"], shape))
            elif "remove" in action:
                removed.append(action["remove"]["path"])
            elif "commitInfo" in action:
                note = action["commitInfo"].get("userMetadata")
        yield Commit(int(path.stem), tuple(added), frozenset(removed), note)


def _added(add: Mapping[str, Any], shape: Shape) -> DataFile:
    stats = json.loads(add["stats"])
    low, high = stats["minValues"], stats["maxValues"]
    return DataFile(
        path=add["path"],
        size=add["size"],
        rows=stats["numRecords"],
        grain=low[shape.grain] if shape.grain else "",
        low=date.fromisoformat(low[shape.period]),
        high=date.fromisoformat(high[shape.period]),
        first=low[shape.key] if shape.key else "",
        last=high[shape.key] if shape.key else "",
    )


def commit(
    table: DeltaTable,
    shape: Shape,
    added: Sequence[DataFile],
    removed: Iterable[DataFile],
    at: datetime,
    note: str | None = None,
) -> int:
    """Swap files in one transaction and return its version; ``note`` is kept as the commit's user metadata."""
    millis = int(at.timestamp() * 1000)
    actions: list[AddAction | RemoveAction] = [_add(file, millis, shape) for file in added]
    actions += [RemoveAction(file.path, True, millis, file.size, {}) for file in removed]
    table.create_write_transaction(
        actions, "append", table.schema(), commit_properties=_properties(note), post_commithook_properties=_NO_HOOKS
    )
    return DeltaTable(table.table_uri).version()


def recommit(table: DeltaTable, shape: Shape, schema: pa.Schema, added: Sequence[DataFile], at: datetime) -> int:
    """Replace every file and the schema in one transaction; returns its version."""
    millis = int(at.timestamp() * 1000)
    table.create_write_transaction(
        [_add(file, millis, shape) for file in added],
        "overwrite",
        Schema.from_arrow(schema),
        post_commithook_properties=_NO_HOOKS,
    )
    return DeltaTable(table.table_uri).version()


def checkpoint(folder: Path) -> None:
    """Write a checkpoint when one is due. Only speed hangs on it, so a failure is logged and passed over."""
    try:
        table = DeltaTable(folder)
        if table.version() % CHECKPOINT_EVERY == 0:
            table.create_checkpoint()
    except (DeltaError, OSError) as error:
        log.warning("no checkpoint of %s: %s", folder.name, error)


def _properties(note: str | None) -> CommitProperties | None:
    return None if note is None else CommitProperties(custom_metadata={"userMetadata": note})


def _add(file: DataFile, millis: int, shape: Shape) -> AddAction:
    low, high = {shape.period: file.low.isoformat()}, {shape.period: file.high.isoformat()}
    if shape.grain:
        low[shape.grain] = high[shape.grain] = file.grain
    if shape.key:
        low[shape.key], high[shape.key] = file.first, file.last
    stats = {"numRecords": file.rows, "minValues": low, "maxValues": high, "nullCount": dict.fromkeys(low, 0)}
    return AddAction(file.path, file.size, {}, millis, True, json.dumps(stats))
