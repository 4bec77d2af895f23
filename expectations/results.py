"""``validation.results``: one row per expectation and run. What the room knows of the past is read from here."""
# ruff: noqa: S608  # only this module's own column list is put into queries

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from expectations.suite import ExpectationSpec, Severity

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TABLE = """
CREATE TABLE IF NOT EXISTS validation.results (
    run_id VARCHAR, source VARCHAR, load_id BIGINT, checked_at TIMESTAMP,
    expectation VARCHAR, type VARCHAR, column_name VARCHAR, severity VARCHAR,
    success BOOLEAN, unexpected_count BIGINT, element_count BIGINT, observed VARCHAR, error VARCHAR, quarantined BIGINT
)
"""
_OUTCOME = (
    "expectation, type, column_name, severity, success, unexpected_count, element_count, observed, error, quarantined"
)


@dataclass(frozen=True)
class Outcome:
    """How one expectation came out; counts are rows, None where the expectation is not about rows.

    ``error`` says why it could not be judged (then ``success`` is False); ``quarantined`` rows failed it in this run.
    """

    name: str
    type: str
    column: str
    severity: Severity
    success: bool
    unexpected_count: int | None = None
    element_count: int | None = None
    observed: str | None = None
    error: str | None = None
    quarantined: int = 0

    @property
    def stops(self) -> bool:
        """It blocks its source whatever the tolerance: it found nobody knows what, or no quarantine mends it."""
        if self.error is not None:
            return self.severity != "info"
        return self.severity == "critical" and not self.success and self.unexpected_count is None

    @classmethod
    def of(
        cls,
        spec: ExpectationSpec,
        success: bool,
        unexpected: int | None = None,
        elements: int | None = None,
        observed: str | None = None,
        error: str | None = None,
    ) -> Outcome:
        """The outcome of ``spec``."""
        quarantined = (unexpected or 0) if spec.quarantines else 0
        return cls(
            spec.name,
            spec.type,
            spec.column,
            spec.severity,
            success,
            unexpected,
            elements,
            observed,
            error,
            quarantined,
        )


@dataclass(frozen=True)
class Recorded:
    """An outcome of a past run; ``checked_at`` is UTC."""

    run_id: str
    source: str
    load_id: int
    checked_at: datetime
    outcome: Outcome


def prepare(con: DuckDBPyConnection) -> None:
    """Create the table when it is missing."""
    con.execute("CREATE SCHEMA IF NOT EXISTS validation")
    con.execute(_TABLE)


def write(
    con: DuckDBPyConnection, run_id: str, source: str, load_id: int, now: datetime, outcomes: Iterable[Outcome]
) -> None:
    """Record a run's outcomes; a run that is repeated replaces its own."""
    con.execute("DELETE FROM validation.results WHERE run_id = $1 AND source = $2", [run_id, source])
    rows = [(run_id, source, load_id, now, *astuple(outcome)) for outcome in outcomes]
    if rows:
        places = ", ".join(f"${number}" for number in range(1, len(rows[0]) + 1))
        con.executemany(f"INSERT INTO validation.results VALUES ({places})", rows)


def latest(con: DuckDBPyConnection, source: str) -> dict[str, Outcome]:
    """The last outcome of every expectation ``source`` ever had, by name."""
    rows = con.execute(
        f"SELECT {_OUTCOME} FROM validation.results WHERE source = $1"
        " QUALIFY row_number() OVER (PARTITION BY expectation ORDER BY checked_at DESC, load_id DESC) = 1",
        [source],
    ).fetchall()
    return {row[0]: Outcome(*row) for row in rows}


def history(con: DuckDBPyConnection, source: str, runs: int) -> list[Recorded]:
    """Outcomes of the last ``runs`` runs of ``source``, newest first, each run in the suite's order."""
    prepare(con)
    rows = con.execute(
        f"SELECT run_id, source, load_id, checked_at, {_OUTCOME} FROM validation.results WHERE source = $1"
        " QUALIFY dense_rank() OVER (ORDER BY checked_at DESC, run_id) <= $2 ORDER BY checked_at DESC, run_id, rowid",
        [source, runs],
    ).fetchall()
    return [Recorded(row[0], row[1], row[2], row[3], Outcome(*row[4:])) for row in rows]
