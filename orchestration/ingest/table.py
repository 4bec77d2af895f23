"""`source.<name>` inside one transaction: shape it, add rows, look at them, take rows away.

A row that could not be read is inserted with a negative `_row_id`, counted, placed and deleted before the commit: one
scan of the source serves both the good rows and the count of the bad.
"""

# ruff: noqa: S608 - names are quoted, values are parameters

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from expectations.sql import BOOKKEEPING, LOAD_ID, ROW_ID, SOURCE_FILE, columns, listed, quote, scalar, table
from orchestration.ingest.casting import parameters
from orchestration.ingest.relation import Relation, Target, literal, select
from orchestration.ingest.spec import ExcelSource, FilesSource, Source
from orchestration.ingest.statement import run

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_PER_LOAD = 1 << 40
OF_LOAD, OF_OTHERS = f"{LOAD_ID} = $load_id", f"{LOAD_ID} <> $load_id"
_OWN = {ROW_ID: "BIGINT", SOURCE_FILE: "VARCHAR", LOAD_ID: "BIGINT"}


@contextmanager
def transaction(con: DuckDBPyConnection) -> Iterator[Callable[[], None]]:
    """Commit at the end; roll back after an exception, or when the function given was called."""
    import duckdb

    undone: list[bool] = []
    con.execute("BEGIN TRANSACTION")
    try:
        yield lambda: undone.append(True)
    except BaseException:
        # Rolling back also tells an attached server; one that is gone complains, and what happened first matters.
        with suppress(duckdb.Error):
            con.execute("ROLLBACK")
        raise
    con.execute("ROLLBACK" if undone else "COMMIT")


@dataclass(frozen=True)
class Tally:
    """Rows of a load by file; ``dropped`` are those the scan itself left out."""

    good_by_file: Mapping[str, int]
    bad_by_file: Mapping[str, int]
    dropped: int = 0

    @property
    def good(self) -> int:
        """Rows that could be read."""
        return sum(self.good_by_file.values())

    @property
    def bad(self) -> int:
        """Rows that could not."""
        return sum(self.bad_by_file.values()) + self.dropped

    @property
    def read(self) -> int:
        """All rows there are."""
        return self.good + self.bad


class SourceTable:
    """`source.<name>` in the open transaction of load ``load_id``."""

    def __init__(self, con: DuckDBPyConnection, spec: Source, load_id: int) -> None:
        self.con, self.spec, self.load_id = con, spec, load_id
        self.name = table("source", spec.name)

    def shape(self, wanted: Sequence[Target]) -> bool:
        """Give the table exactly these columns, keeping its rows; whether it had others."""
        present = columns(self.con, "source", self.spec.name)
        named = {SOURCE_FILE: _file_type(self.spec, present)}
        types = {target.name: target.type for target in wanted} | _OWN | named
        if not present:
            self.con.execute(f"CREATE TABLE {self.name} ({', '.join(f'{quote(c)} {t}' for c, t in types.items())})")
        if present in ({}, types):
            return False
        kept = [f"{_kept(name, kind, present)} AS {quote(name)}" for name, kind in types.items()]
        self.con.execute(f"CREATE OR REPLACE TABLE {self.name} AS SELECT {', '.join(kept)} FROM {self.name}")
        return True

    def insert(self, relations: Sequence[Relation], wanted: Sequence[Target]) -> None:
        """Add every row of ``relations`` in one statement."""
        if not relations:
            return
        names = _names(wanted)
        count = len(relations)  # whose numbers take turns
        selects = [
            select(relation, wanted, self.spec, f"$first + {count} * _row_number + {turn}")
            for turn, relation in enumerate(relations)
        ]
        values = parameters(self.spec.options) | {"load_id": self.load_id, "first": self.load_id * ROWS_PER_LOAD}
        for relation in relations:
            values |= relation.parameters
        query = (
            f"INSERT INTO {self.name} ({names}, {SOURCE_FILE}, {ROW_ID}, {LOAD_ID})"
            f" SELECT *, $load_id FROM ({' UNION ALL '.join(selects)})"
        )
        run(self.con, query, values)

    def tally(self, dropped: int = 0) -> Tally:
        """Rows of this load, counted."""
        rows = self.con.execute(
            f"SELECT {SOURCE_FILE}, count(*) FILTER (WHERE {ROW_ID} > 0), count(*) FILTER (WHERE {ROW_ID} < 0)"
            f" FROM {self.name} WHERE {LOAD_ID} = $1 GROUP BY {SOURCE_FILE}",
            [self.load_id],
        ).fetchall()
        return Tally({file: good for file, good, _ in rows}, {file: bad for file, _, bad in rows}, dropped)

    def delete(self, where: str, values: Mapping[str, object]) -> int:
        """Delete the rows for which ``where`` holds; how many."""
        return scalar_of(run(self.con, f"DELETE FROM {self.name} WHERE {where}", values))

    def delete_bad(self) -> None:
        """Delete the rows of this load that could not be read."""
        self.delete(f"{ROW_ID} < 0 AND {OF_LOAD}", {"load_id": self.load_id})

    def days(self, where: str, values: Mapping[str, object]) -> set[date]:
        """Business days of the rows for which ``where`` holds; none for a source without ``day``."""
        if self.spec.day is None:
            return set()
        day = quote(self.spec.day)
        query = f"SELECT DISTINCT CAST({day} AS DATE) FROM {self.name} WHERE {day} IS NOT NULL AND ({where})"
        return {row[0] for row in run(self.con, query, values).fetchall()}

    def count(self, where: str, values: Mapping[str, object]) -> int:
        """Rows for which ``where`` holds."""
        return scalar_of(run(self.con, f"SELECT count(*) FROM {self.name} WHERE {where}", values))

    def repeats(self, wanted: Sequence[Target]) -> bool:
        """Whether the rows of this load are, in any order, exactly those that were there before."""
        query = (
            f"SELECT count(*), bit_xor(h), sum(h) FROM (SELECT hash({_names(wanted)}) AS h FROM {self.name} WHERE {{}})"
        )
        prints = [
            run(self.con, query.format(where), {"load_id": self.load_id}).fetchone() for where in (OF_LOAD, OF_OTHERS)
        ]
        return prints[0] == prints[1]

    def changed_days(self, wanted: Sequence[Target]) -> set[date]:
        """Business days whose rows in this load are not those that were there before; none without ``day``."""
        if self.spec.day is None:
            return set()
        query = (
            f"SELECT day FROM (SELECT CAST({quote(self.spec.day)} AS DATE) AS day, count(*) AS n,"
            f" sum(hash({_names(wanted)})) AS h FROM {self.name} GROUP BY day, {OF_LOAD})"
            " WHERE day IS NOT NULL GROUP BY day HAVING count(*) = 1 OR count(DISTINCT (n, h)) > 1"
        )
        return {row[0] for row in run(self.con, query, {"load_id": self.load_id}).fetchall()}

    def keep_newest(self, key: Sequence[str], cursor: str) -> None:
        """Of rows of this load with one key, keep the one with the greatest cursor."""
        self.delete(
            f"{OF_LOAD} AND {ROW_ID} NOT IN (SELECT arg_max({ROW_ID}, ({quote(cursor)}, {ROW_ID}))"
            f" FROM {self.name} WHERE {OF_LOAD} GROUP BY {listed(key)})",
            {"load_id": self.load_id},
        )

    def forget_repeated(self, key: Sequence[str], wanted: Sequence[Target]) -> None:
        """Delete rows of this load that are already there, column for column."""
        same = " AND ".join(f"n.{quote(to.name)} IS NOT DISTINCT FROM o.{quote(to.name)}" for to in wanted)
        keys = " AND ".join(f"n.{quote(name)} = o.{quote(name)}" for name in key)
        self.delete(
            f"{ROW_ID} IN (SELECT n.{ROW_ID} FROM {self.name} n JOIN {self.name} o ON {keys}"
            f" WHERE n.{OF_LOAD} AND o.{OF_OTHERS} AND {same})",
            {"load_id": self.load_id},
        )

    def same_key(self, key: Sequence[str]) -> str:
        """Condition: an older row whose key this load brings again."""
        fresh = f"SELECT {listed(key)} FROM {self.name} WHERE {OF_LOAD}"
        return f"({OF_OTHERS} AND ({listed(key)}) IN ({fresh}))"

    def newest(self, column: str) -> date | int | None:
        """Greatest value of ``column``; None without rows."""
        row = self.con.execute(f"SELECT max({quote(column)}) FROM {self.name}").fetchone()
        return row[0] if row else None


def _file_type(spec: Source, present: Mapping[str, str]) -> str:
    """Of the column of files: where a source is one file, the enum of just that name.

    To append a text for each of 21M rows takes 1.3 CPU s more. A table that has another name keeps it, as text.
    """
    text = _OWN[SOURCE_FILE]
    if not isinstance(spec, FilesSource | ExcelSource) or set(spec.path) & set("*?["):
        return text
    kind = f"ENUM({literal(PurePosixPath(spec.path).as_posix())})"
    return kind if present.get(SOURCE_FILE, kind) == kind else text


def touched(days: set[date], rows: int, reshaped: bool) -> frozenset[date] | None:
    """Business days a load touched, given those of its ``rows`` added and taken away; None when it may be any."""
    return None if reshaped or (rows and not days) else frozenset(days)


def added_before(con: DuckDBPyConnection, spec: Source) -> list[str]:
    """Columns of the table that `on_new_column: add` brought, or may have."""
    if spec.on_new_column != "add":
        return []
    return [name for name in columns(con, "source", spec.name) if name not in BOOKKEEPING]


def new_columns(spec: Source, wanted: Sequence[Target], before: Sequence[str]) -> tuple[str, ...]:
    """Columns this load is the first to bring beside the declared ones."""
    return tuple(target.name for target in wanted if target.name not in spec.columns and target.name not in before)


def next_load_id(con: DuckDBPyConnection) -> int:
    """One more than any load of any source ever had."""
    return scalar(con, "SELECT max(load_id) FROM ingest.loads") + 1


def scalar_of(result: DuckDBPyConnection) -> int:
    """The one number a statement answers."""
    row = result.fetchone()
    return int(row[0]) if row else 0


def _names(wanted: Sequence[Target]) -> str:
    return listed(target.name for target in wanted)


def _kept(name: str, kind: str, present: Mapping[str, str]) -> str:
    if name not in present:
        return f"CAST(NULL AS {kind})"
    return quote(name) if present[name] == kind else f"TRY_CAST({quote(name)} AS {kind})"
