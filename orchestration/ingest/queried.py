"""Databases and APIs: read whole and compared, or read from a cursor on and merged by key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestration.ingest import books
from orchestration.ingest.casting import parameters
from orchestration.ingest.manifest import Delivery, LandedFile, landed, read_known, record
from orchestration.ingest.readers.database import attached, relation
from orchestration.ingest.readers.json_text import JsonReader
from orchestration.ingest.readers.rest import fetch
from orchestration.ingest.relation import Relation, Target, complaints, targets
from orchestration.ingest.result import LoadResult, Reject, SourceError
from orchestration.ingest.run import Run, judge
from orchestration.ingest.spec import DatabaseSource, RestSource, SqliteSource
from orchestration.ingest.statement import run as execute
from orchestration.ingest.table import (
    OF_LOAD,
    OF_OTHERS,
    SourceTable,
    added_before,
    new_columns,
    next_load_id,
    touched,
    transaction,
)

Queried = SqliteSource | DatabaseSource | RestSource


@dataclass(frozen=True)
class Reading:
    """Rows read from the origin, and how to place the bad ones."""

    relations: Sequence[Relation]
    place: Callable[[Sequence[Target], int | None], list[Reject]]


def load_queried(spec: Queried, run: Run) -> LoadResult:
    """Bring `source.<name>` to what the origin answers."""
    anew = books.last_contract(run.con, spec.name) != books.contract(spec)
    file = _sqlite_file(spec, run) if isinstance(spec, SqliteSource) else None
    if file is not None and not anew and _same_file(run, spec.name, file):
        return LoadResult(spec.name)
    since = None if anew else _since(spec, run)
    with (
        TemporaryDirectory(prefix="metrics-") as workspace,
        _opened(spec, run, since, Path(workspace)) as reading,
    ):
        result = _Query(spec, run, reading, whole=since is None, anew=anew).load()
    if file is not None:
        with transaction(run.con):
            record(
                run.con, spec.name, Delivery((file,), present=(file,)), result.load_id, {file.name: result.rows_loaded}
            )
    return result


def _since(spec: Queried, run: Run) -> date | int | None:
    if spec.load == "full" or spec.cursor is None:
        return None
    newest = SourceTable(run.con, spec, 0).newest(spec.cursor)
    return None if newest is None else spec.since(newest)


def _sqlite_file(spec: SqliteSource, run: Run) -> LandedFile:
    files = landed(run.landing, spec.path, read_known(run.con, spec.name))
    if len(files) != 1:
        found = "no file matches" if not files else f"{len(files)} files match"
        raise SourceError(f"{spec.name}: {found} {spec.path} in the landing folder; there must be one")
    return files[0]


def _same_file(run: Run, source: str, file: LandedFile) -> bool:
    """Whether the SQLite file is the one last read; one with a write-ahead log beside it may not say so."""
    log = file.path.with_name(f"{file.path.name}-wal")
    known = read_known(run.con, source).get(file.name)
    return known is not None and known.sha256 == file.sha256 and not (log.exists() and log.stat().st_size)


@contextmanager
def _opened(spec: Queried, run: Run, since: date | int | None, workspace: Path) -> Iterator[Reading]:
    if isinstance(spec, RestSource):
        with closing(JsonReader(run.con, spec, workspace)) as reader:
            file = fetch(spec, run, since)
            relations = reader.relations([file]) if file.size else []
            yield Reading(relations, lambda wanted, limit: reader.rejects(file, wanted, limit))
        return
    with attached(spec, run, workspace):
        rows = relation(spec, run.con, since)

        def place(wanted: Sequence[Target], limit: int | None) -> list[Reject]:
            query = complaints(rows, wanted, spec) + ("" if limit is None else f" LIMIT {limit}")
            values = {**parameters(spec.options), **rows.parameters}
            return [Reject(*found) for found in execute(run.con, query, values).fetchall()]

        yield Reading([rows], place)


@dataclass(frozen=True)
class _Query:
    """One load of a reading; ``whole`` when the reading is all there is, else it is merged by key.

    ``anew`` when the source was never read as it is declared now: then even the same rows are a change.
    """

    spec: Queried
    run: Run
    reading: Reading
    whole: bool
    anew: bool

    def load(self) -> LoadResult:
        started, spec, con = books.now(), self.spec, self.run.con
        before = added_before(con, spec)
        wanted = targets(spec, self.reading.relations, before)
        with transaction(con) as undo:
            table = SourceTable(con, spec, next_load_id(con))
            reshaped = table.shape(wanted)
            table.insert(self.reading.relations, wanted)
            self.run.progress("inserted")
            tally = table.tally()
            rejects = judge(spec, tally.read, tally.bad, lambda limit: self.reading.place(wanted, limit))
            table.delete_bad()
            if self._merge(table, wanted) and not (reshaped or self.anew):
                undo()
                return LoadResult(spec.name, rows_read=tally.read, rows_rejected=tally.bad)
            of_load = {"load_id": table.load_id}
            stale = OF_OTHERS if self.whole else table.same_key(spec.key)
            days = table.changed_days(wanted) if self.whole else table.days(f"{OF_LOAD} OR {stale}", of_load)
            deleted, loaded = table.delete(stale, of_load), table.count(OF_LOAD, of_load)
            result = LoadResult(
                spec.name,
                table.load_id,
                rows_read=tally.read,
                rows_loaded=loaded,
                rows_rejected=tally.bad,
                rows_deleted=deleted,
                days=touched(days, rows=loaded + deleted, reshaped=reshaped),
                new_columns=new_columns(spec, wanted, before),
            )
            books.write(con, spec, result, rejects, started)
            self.run.progress("recorded")
        return result

    def _merge(self, table: SourceTable, wanted: Sequence[Target]) -> bool:
        """Leave only rows of this load that say something new; whether none does."""
        if self.spec.key and self.spec.cursor:
            table.keep_newest(self.spec.key, self.spec.cursor)
        if self.whole:
            return table.repeats(wanted)
        table.forget_repeated(self.spec.key, wanted)
        return table.count(OF_LOAD, {"load_id": table.load_id}) == 0
