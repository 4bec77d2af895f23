"""A warehouse as ingestion leaves it, filled by the test: ``source.<name>`` and its loads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from expectations.clean import CleanResult, clean
from expectations.suite import ExpectationSpec, Severity, Suite

START = datetime(2026, 1, 5, 6)


@dataclass
class Warehouse:
    con: duckdb.DuckDBPyConnection
    loads: int = 0
    runs: int = 0
    now: datetime = field(default=START)

    @staticmethod
    def suite(*specs: ExpectationSpec, tolerance: float = 1.0, source: str = "sales") -> Suite:
        return Suite(source, tolerance, specs)

    @staticmethod
    def spec(name: str, kind: str, severity: Severity = "warning", **kwargs: Any) -> ExpectationSpec:
        return ExpectationSpec(name=name, type=kind, severity=severity, kwargs=kwargs)

    def load(self, source: str, columns: str, rows: Sequence[Sequence[Any]], file: str = "数据.csv") -> int:
        """One load of ``rows``; rows of an earlier delivery of ``file`` are replaced, as ingestion does."""
        self.loads += 1
        self.con.execute(
            f'CREATE TABLE IF NOT EXISTS source."{source}"'
            f" ({columns}, _row_id BIGINT, _source_file VARCHAR, _load_id BIGINT)"
        )
        self.con.execute(f'DELETE FROM source."{source}" WHERE _source_file = $1', [file])
        for number, row in enumerate(rows):
            values = [*row, self.loads * 2**32 + number, file, self.loads]
            self.con.execute(f'INSERT INTO source."{source}" VALUES ({", ".join("?" * len(values))})', values)
        self.con.execute("INSERT INTO ingest.loads VALUES (?, ?)", [self.loads, source])
        return self.loads

    def clean(self, suite: Suite) -> CleanResult:
        self.runs += 1
        self.now += timedelta(hours=1)
        return clean(self.con, suite, f"run-{self.runs}", self.now)

    def all(self, query: str) -> list[tuple[Any, ...]]:
        return self.con.execute(query).fetchall()

    def bad(self, source: str = "sales") -> dict[Any, list[str]]:
        """Reasons of the rows in quarantine by the value of their first column."""
        rows = self.all(f'SELECT COLUMNS(*) FROM quarantine."{source}"')
        return {row[0]: row[-2] for row in rows}

    def shown(self, source: str = "sales") -> set[Any]:
        """First column of the rows that clean shows."""
        return {row[0] for row in self.all(f'SELECT * FROM clean."{source}"')}

    def bookmark(self, source: str = "sales") -> int | None:
        rows = self.all(f"SELECT load_id FROM ingest.bookmarks WHERE stage = 'clean' AND source = '{source}'")
        return rows[0][0] if rows else None


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE SCHEMA source; CREATE SCHEMA ingest")
    con.execute("CREATE TABLE ingest.loads (load_id BIGINT, source VARCHAR)")
    con.execute(
        "CREATE TABLE ingest.bookmarks (stage VARCHAR, source VARCHAR, load_id BIGINT NOT NULL,"
        " fingerprint VARCHAR NOT NULL, PRIMARY KEY (stage, source))"
    )


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with duckdb.connect() as con:
        prepare(con)
        yield Warehouse(con)
