"""Files and workbooks: what came, what changed, what left, and the rows that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from expectations.sql import SOURCE_FILE
from orchestration.ingest import books
from orchestration.ingest.manifest import Delivery, Known, LandedFile, compare, landed, read_known, record
from orchestration.ingest.readers.base import Reader
from orchestration.ingest.relation import Target, targets
from orchestration.ingest.result import LoadResult, Reject, SourceError
from orchestration.ingest.run import Run, judge
from orchestration.ingest.spec import ExcelSource, FilesSource
from orchestration.ingest.table import (
    OF_LOAD,
    SourceTable,
    Tally,
    added_before,
    new_columns,
    next_load_id,
    touched,
    transaction,
)

Days = tuple[date, date]


def load_landed(spec: FilesSource | ExcelSource, run: Run, only: Days | None) -> LoadResult:
    """Bring the rows of `source.<name>` to the files present (of the days ``only``, when given)."""
    known = read_known(run.con, spec.name)
    chosen = _chosen(spec, only)
    present = [file for file in landed(run.landing, spec.path, known) if chosen(file.name)]
    elsewhere = {one.sha256: name for name, one in known.items() if one.duplicate_of is None and not chosen(name)}
    known = {name: entry for name, entry in known.items() if chosen(name)}
    _refuse_nothing(spec, present, known, only)
    anew = only is not None or books.last_contract(run.con, spec.name) != books.contract(spec)
    delivery = compare(present, known, spec.deletes_missing, anew, elsewhere)
    if not delivery.changes:
        _note_touched(spec, run, delivery, known)
        return LoadResult(spec.name, duplicates=dict(delivery.duplicates))
    with TemporaryDirectory(prefix="metrics-") as workspace, closing(_reader(spec, run, Path(workspace))) as reader:
        return _Landing(spec, run, delivery, reader).load()


def _chosen(spec: FilesSource | ExcelSource, only: Days | None) -> Callable[[str], bool]:
    if only is None:
        return lambda _name: True
    if spec.partition is None:
        raise SourceError(f"{spec.name}: has no partition:, so no files of single days to reload")
    partition, (first, last) = spec.partition, only
    return lambda name: (day := partition.day(name)) is not None and first <= day <= last


def _refuse_nothing(
    spec: FilesSource | ExcelSource, present: Sequence[LandedFile], known: Mapping[str, Known], only: Days | None
) -> None:
    """No file at all is a wrong path or an unmounted folder, never a reason to be content or to delete everything."""
    if present or (known and not spec.deletes_missing):
        return
    days = f" of {only[0]} to {only[1]}" if only else ""
    raise SourceError(f"{spec.name}: no file{days} matches {spec.path} in the landing folder")


def _note_touched(spec: FilesSource | ExcelSource, run: Run, delivery: Delivery, known: Mapping[str, Known]) -> None:
    """Keep new dates of unchanged files, and copies: the next check then need not hash them."""
    seen = {
        file.name: Known(file.sha256, file.size, file.mtime_ns, delivery.duplicates.get(file.name))
        for file in delivery.present
    }
    if any(known.get(name) != entry for name, entry in seen.items()):
        with transaction(run.con):
            record(run.con, spec.name, delivery, None, {})


def _reader(spec: FilesSource | ExcelSource, run: Run, workspace: Path) -> Reader:
    if isinstance(spec, ExcelSource):
        from orchestration.ingest.readers.excel import ExcelReader

        return ExcelReader(run.con, spec, workspace)
    if spec.format == "csv":
        from orchestration.ingest.readers.delimited import DelimitedReader

        return DelimitedReader(run.con, spec, workspace)
    if spec.format == "json":
        from orchestration.ingest.readers.json_text import JsonReader

        return JsonReader(run.con, spec, workspace)
    from orchestration.ingest.readers.parquet import ParquetReader

    return ParquetReader(run.con, spec, workspace)


@dataclass(frozen=True)
class _Landing:
    """One load of a delivery."""

    spec: FilesSource | ExcelSource
    run: Run
    delivery: Delivery
    reader: Reader

    def load(self) -> LoadResult:
        started, spec, con = books.now(), self.spec, self.run.con
        relations = self.reader.relations(self.delivery.load) if self.delivery.load else []
        before = added_before(con, spec)
        wanted = targets(spec, relations, before)
        with transaction(con):
            table = SourceTable(con, spec, next_load_id(con))
            reshaped = table.shape(wanted)
            days, deleted = self._remove(table)
            table.insert(relations, wanted)
            self.run.progress("inserted")
            tally = table.tally(self.reader.dropped_rows() if relations else 0)
            rejects = judge(spec, tally.read, tally.bad, lambda limit: self._place(tally, wanted, limit))
            table.delete_bad()
            self._refuse_unfinished()
            days |= table.days(OF_LOAD, {"load_id": table.load_id})
            result = LoadResult(
                spec.name,
                table.load_id,
                rows_read=tally.read,
                rows_loaded=tally.good,
                rows_rejected=tally.bad,
                rows_deleted=deleted,
                files_loaded=tuple(file.name for file in self.delivery.load),
                files_removed=self.delivery.remove,
                duplicates=dict(self.delivery.duplicates),
                days=touched(days, rows=tally.good + deleted, reshaped=reshaped),
                new_columns=new_columns(spec, wanted, before),
            )
            record(con, spec.name, self.delivery, table.load_id, tally.good_by_file)
            books.write(con, spec, result, rejects, started)
            self.run.progress("recorded")
        return result

    def _remove(self, table: SourceTable) -> tuple[set[date], int]:
        """Take away the rows of replaced and removed files: their business days, and how many they were."""
        gone = {"files": [*(file.name for file in self.delivery.load), *self.delivery.remove]}
        where = f"list_contains($files, {SOURCE_FILE})"
        return table.days(where, gone), table.delete(where, gone)

    def _place(self, tally: Tally, wanted: Sequence[Target], limit: int | None) -> list[Reject]:
        found = self.reader.dropped(limit) if tally.dropped else []
        for file in self.delivery.load:
            if tally.bad_by_file.get(file.name) and (limit is None or len(found) < limit):
                found += self.reader.rejects(file, wanted, limit)
        return found[:limit]

    def _refuse_unfinished(self) -> None:
        for file in self.delivery.load:
            if not file.same_on_disk():
                raise SourceError(f"{file.name} was written to while it was read; deliver under a dot name and rename")
