"""Turns staged rows into committed versions: rollups first, then values. Called under the publish lock."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError

from metrics_catalog.published import arrow, staging, table
from metrics_catalog.published.errors import BadInput
from metrics_catalog.published.history import latest
from metrics_catalog.published.model import FIXED, Days, PublishInfo, PublishResult, Scope
from metrics_catalog.published.places import ROLLUP, VALUES, rollup_folder, values_folder, values_schema
from metrics_catalog.published.replace import Change, MayHold, Target, target
from metrics_catalog.published.replace import replace as replaced
from metrics_catalog.published.sql import listed, literal
from metrics_catalog.published.table import DataFile

# ruff: noqa: S608 - names go through quoted(), values are parameters

V = TypeVar("V")
IN_SCOPE = 'scopes s on s.metric = o.metric and s.grain = o.grain and o.period >= s.start and o.period < s."end"'
IN_DAYS = 'days s on o.day >= s.start and o.day < s."end"'


@dataclass(frozen=True)
class Values:
    """Staged values: their dimensions, the scopes replaced, metrics left out, and whether there are rows at all."""

    dimensions: tuple[str, ...]
    scopes: tuple[Scope, ...]
    held: tuple[str, ...]
    rows: bool


@dataclass(frozen=True)
class Rollup:
    """A staged rollup and the days it replaces (None: all)."""

    model: str
    path: Path
    schema: pa.Schema
    days: Days | None


@dataclass(frozen=True)
class _Prepared:
    change: Change
    target: Target
    delta: DeltaTable
    whole: bool  # every file and the schema are replaced


def commit(
    con: duckdb.DuckDBPyConnection,
    root: Path,
    staged: Path,
    info: PublishInfo,
    values: Values,
    rollups: Sequence[Rollup],
) -> PublishResult:
    """Write every new file, then commit the rollups, then the values. ``con`` has views ``staged`` and ``scopes``."""
    con.execute("set threads = 1")  # sorting 2M rows into a file takes 430 MB this way, 720 and more with two threads
    before = latest(values_folder(root))
    named = {} if before is None else dict(before.info.rollups)
    prepared = {item.model: _prepare_rollup(con, root, staged, item, named.get(item.model)) for item in rollups}
    official = _prepare_values(con, root, staged, info, values)
    _move(staged, [*prepared.values(), official])
    versions = {model: _commit_rollup(item, info) for model, item in prepared.items()}
    info = _complete(info, named | versions, None if before is None else before.info)
    version = _commit_values(official, info)
    for item in [*prepared.values(), official]:
        table.checkpoint(item.target.folder)
    return _result(version, info, [*prepared.values(), official])


def _prepare_values(
    con: duckdb.DuckDBPyConnection, root: Path, staged: Path, info: PublishInfo, values: Values
) -> _Prepared:
    folder = values_folder(root)
    delta = table.widened(table.created(folder, values_schema(), VALUES), values_schema(values.dimensions))
    schema = table.columns(delta)
    _show_fresh(con, schema, info, values)
    dimensions = [name for name in schema.names if name not in FIXED]
    shape = replace(VALUES, order=("metric", "slice", *dimensions, "period"))
    into = target(folder, delta, schema, shape, staged / "out" / "values")
    return _Prepared(replaced(con, into, IN_SCOPE, _may_hold(values.scopes)), into, delta, whole=False)


def _may_hold(scopes: Iterable[Scope]) -> MayHold:
    spans: dict[str, tuple[date, date]] = {}
    for scope in scopes:
        low, high = spans.get(scope.grain, (scope.start, scope.end))
        spans[scope.grain] = (min(low, scope.start), max(high, scope.end))

    def may_hold(file: DataFile) -> bool:
        low, high = spans.get(file.grain, (file.high, file.low))
        return low <= file.high and file.low < high

    return may_hold


def _show_fresh(con: duckdb.DuckDBPyConnection, schema: pa.Schema, info: PublishInfo, values: Values) -> None:
    con.register("shape", arrow.empty(schema))
    if not values.rows:
        con.execute("create or replace temp view fresh as from shape")
        return
    names = [name for name in schema.names if name in (*FIXED, *values.dimensions) and name != "run_id"]
    held = ", ".join(literal(metric) for metric in values.held)
    keep = f"where metric not in ({held})" if held else ""
    con.execute(
        f"create or replace temp view fresh as from shape union all by name"
        f" select {listed(names)}, {literal(info.run_id)} as run_id from staged {keep}"
    )


def _prepare_rollup(
    con: duckdb.DuckDBPyConnection, root: Path, staged: Path, rollup: Rollup, named: int | None
) -> _Prepared:
    folder = rollup_folder(root, rollup.model)
    delta = table.created(folder, rollup.schema, ROLLUP)
    whole = rollup.days is None or named is None
    if named is not None and not whole and delta.version() != named:
        delta.restore(named)  # a publish that died left a version no values commit names
        delta = DeltaTable(folder)
    if not whole:
        _check_types(rollup.model, delta, rollup.schema)
        delta = table.widened(delta, rollup.schema)
    schema = rollup.schema if whole else table.columns(delta)
    con.register("shape", arrow.empty(schema))
    con.execute(
        f"create or replace temp view fresh as from shape union all by name from read_parquet({literal(rollup.path)})"
    )
    shape = replace(ROLLUP, order=("day", *(name for name in schema.names if name != "day")))
    into = target(folder, None if whole else delta, schema, shape, staged / "out" / "rollups" / rollup.model)
    return _Prepared(replaced(con, into, IN_DAYS, _show_days(con, rollup.days)), into, delta, whole)


def _show_days(con: duckdb.DuckDBPyConnection, days: Days | None) -> MayHold:
    days = days or Days(date.min, date.max)
    con.execute('create or replace temp table days as select $start as start, $end as "end"', asdict(days))
    return lambda file: days.start <= file.high and file.low < days.end


def _check_types(model: str, delta: DeltaTable, schema: pa.Schema) -> None:
    kinds = {item.name: item.type for item in delta.schema().fields}
    for item in Schema.from_arrow(schema).fields:
        if item.type != kinds.get(item.name, item.type):
            change = f"was {kinds[item.name]} and is now {item.type}"
            raise BadInput(f"rollup {model}: column {item.name} {change}; publish all days of it, not a few")


def _move(staged: Path, prepared: Iterable[_Prepared]) -> None:
    moves = [
        (item.target.out / file.path, item.target.folder / file.path) for item in prepared for file in item.change.added
    ]
    for source, _ in moves:
        _sync(source)
    staging.remember_moved(staged, [into for _, into in moves])
    for source, into in moves:
        source.replace(into)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _commit_rollup(item: _Prepared, info: PublishInfo) -> int:
    shape, added = item.target.shape, item.change.added
    if item.whole:
        return table.recommit(item.delta, shape, item.target.schema, added, info.published_at)
    return table.commit(item.delta, shape, added, item.change.removed, info.published_at)


def _commit_values(item: _Prepared, info: PublishInfo) -> int:
    note, shape = info.to_json(), item.target.shape
    try:
        return table.commit(item.delta, shape, item.change.added, item.change.removed, info.published_at, note)
    except (DeltaError, OSError):
        done = latest(item.target.folder)
        if done is None or done.info != info:
            raise
        return done.number  # the log entry was written before the error


def _complete(info: PublishInfo, rollups: Mapping[str, int], before: PublishInfo | None) -> PublishInfo:
    """What the publish is after all: metrics held stay what they were, and nothing is said of them but why."""
    held = frozenset(info.held)
    return replace(
        info,
        rollups=rollups,
        definitions=_kept(info.definitions, held, before.definitions if before else {}),
        versions=_kept(info.versions, held, before.versions if before else {}),
        inputs=_kept(info.inputs, held, before.inputs if before else {}),
        notes=_kept(info.notes, held, {}),
    )


def _kept(given: Mapping[str, V], held: frozenset[str], before: Mapping[str, V]) -> dict[str, V]:
    fresh = {metric: value for metric, value in given.items() if metric not in held}
    return fresh | {metric: before[metric] for metric in sorted(held) if metric in before}


def _result(version: int, info: PublishInfo, prepared: Sequence[_Prepared]) -> PublishResult:
    added = [file for item in prepared for file in item.change.added]
    removed = [file for item in prepared for file in item.change.removed]
    written = sum(file.size for file in added)
    return PublishResult(version, info, sum(file.rows for file in added), len(added), len(removed), written)
