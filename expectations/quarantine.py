"""Bad rows and their reasons: findings of a run -> one verdict per row -> ``quarantine.<source>``.

``findings`` (row id, load id, reason) and ``verdicts`` (row id, load id, reasons) are temporary tables of one run.
``quarantine.<source>`` has every column of ``source.<source>``, ``_reasons`` and ``_quarantined_at`` (UTC).
"""
# ruff: noqa: S608  # names are quoted by sql.py, values are parameters

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from expectations.sql import LOAD_ID, ROW_ID, SOURCE_FILE, columns, quote, scalar, table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NOTHING = -1  # below every load id
FILES_SHOWN = 3
FINDINGS, VERDICTS = "temp.main.findings", "temp.main.verdicts"
REASONS, QUARANTINED_AT = "_reasons", "_quarantined_at"


@dataclass(frozen=True)
class Share:
    """Bad rows among rows."""

    rows: int
    bad: int

    @property
    def value(self) -> float:
        """Between 0 and 1; no rows are all good."""
        return self.bad / self.rows if self.rows else 0.0


def prepare(con: DuckDBPyConnection, source: str) -> None:
    """Tables of a run: empty findings, and ``quarantine.<source>`` with the columns the source has now."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE findings ({ROW_ID} BIGINT, {LOAD_ID} BIGINT, reason VARCHAR)")
    landed, kept = table("source", source), table("quarantine", source)
    con.execute("CREATE SCHEMA IF NOT EXISTS quarantine")
    con.execute(
        f"CREATE TABLE IF NOT EXISTS {kept} AS"
        f" SELECT *, NULL::VARCHAR[] AS {REASONS}, NULL::TIMESTAMP AS {QUARANTINED_AT} FROM {landed} LIMIT 0"
    )
    now = list(columns(con, "source", source).items())
    if list(columns(con, "quarantine", source).items())[:-2] != now:
        con.execute(
            f"CREATE OR REPLACE TABLE {kept} AS SELECT s.*, q.{REASONS}, q.{QUARANTINED_AT}"
            f" FROM {landed} s JOIN {kept} q USING ({ROW_ID})"
        )


def rows_after(con: DuckDBPyConnection, source: str, since: int) -> int:
    """Rows of loads after ``since``."""
    return scalar(con, f"SELECT count(*) FROM {table('source', source)} WHERE {LOAD_ID} > $1", [since])


def counts(con: DuckDBPyConnection) -> dict[str, int]:
    """Findings per reason."""
    return dict(con.execute(f"SELECT reason, count(*) FROM {FINDINGS} GROUP BY reason").fetchall())


def settle(con: DuckDBPyConnection, source: str, reasons: Sequence[str], kept: Sequence[str], accepted: int) -> None:
    """One verdict per bad row: ``reasons`` found in this run, and ``kept`` reasons of rows accepted before.

    Rows that are no longer in the source have no verdict. Reasons are in the order of ``reasons``, the suite's.
    """
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE verdicts AS
        WITH named AS (
            SELECT {ROW_ID}, {LOAD_ID}, reason FROM {FINDINGS}
            UNION ALL
            SELECT {ROW_ID}, q.{LOAD_ID}, unnest(list_intersect(q.{REASONS}, $kept)) FROM {_still_there(source)}
            WHERE q.{LOAD_ID} <= $accepted
        ), rows AS (
            SELECT {ROW_ID}, any_value({LOAD_ID}) AS {LOAD_ID}, list(reason) AS found FROM named GROUP BY {ROW_ID}
        )
        SELECT {ROW_ID}, {LOAD_ID}, list_filter($reasons, lambda reason: list_contains(found, reason)) AS {REASONS}
        FROM rows WHERE len({REASONS}) > 0
        """,
        {"reasons": list(reasons), "kept": list(kept), "accepted": accepted},
    )


def shares(con: DuckDBPyConnection, source: str, since: int, accepted: int) -> list[Share]:
    """Share of the loads after ``since``; and of the whole source when accepted rows turned bad in this run."""
    result = [
        Share(
            rows_after(con, source, since),
            scalar(con, f"SELECT count(*) FROM {VERDICTS} WHERE {LOAD_ID} > $1", [since]),
        )
    ]
    turned = scalar(
        con,
        f"SELECT count(*) FROM {VERDICTS} WHERE {LOAD_ID} <= $1"
        f" AND {ROW_ID} NOT IN (SELECT {ROW_ID} FROM {table('quarantine', source)})",
        [accepted],
    )
    if turned:
        result.append(Share(rows_after(con, source, NOTHING), scalar(con, f"SELECT count(*) FROM {VERDICTS}")))
    return result


def files(con: DuckDBPyConnection, source: str, since: int) -> list[str]:
    """The first files of loads after ``since`` with rows in quarantine, those with most first."""
    rows = con.execute(
        f"SELECT {SOURCE_FILE} FROM {table('quarantine', source)} WHERE {LOAD_ID} > $1"
        f" GROUP BY {SOURCE_FILE} ORDER BY count(*) DESC, {SOURCE_FILE} LIMIT {FILES_SHOWN}",
        [since],
    ).fetchall()
    return [str(name) for (name,) in rows]


def keep_accepted(con: DuckDBPyConnection, source: str, accepted: int) -> None:
    """Leave accepted rows as they were judged before: what a blocked run found of them is not to show."""
    con.execute(f"DELETE FROM {VERDICTS} WHERE {LOAD_ID} <= $1", [accepted])
    con.execute(
        f"INSERT INTO {VERDICTS} SELECT {ROW_ID}, q.{LOAD_ID}, q.{REASONS} FROM {_still_there(source)}"
        f" WHERE q.{LOAD_ID} <= $1",
        [accepted],
    )


def apply(con: DuckDBPyConnection, source: str, now: datetime) -> None:
    """Make ``quarantine.<source>`` say what the verdicts say; a row that stays keeps its date."""
    landed, kept = table("source", source), table("quarantine", source)
    con.execute(f"DELETE FROM {kept} WHERE {ROW_ID} NOT IN (SELECT {ROW_ID} FROM {VERDICTS})")
    con.execute(
        f"UPDATE {kept} AS q SET {REASONS} = v.{REASONS} FROM {VERDICTS} v"
        f" WHERE q.{ROW_ID} = v.{ROW_ID} AND q.{REASONS} <> v.{REASONS}"
    )
    con.execute(
        f"INSERT INTO {kept} BY NAME SELECT s.*, v.{REASONS}, $1::TIMESTAMP AS {QUARANTINED_AT}"
        f" FROM {landed} s JOIN (FROM {VERDICTS} ANTI JOIN {kept} USING ({ROW_ID})) v USING ({ROW_ID})",
        [now],
    )


def show(con: DuckDBPyConnection, source: str, accepted: int) -> None:
    """``clean.<source>``: accepted rows that are not in quarantine. A view, never a copy."""
    names = ", ".join(f"s.{quote(name)}" for name in columns(con, "source", source))
    con.execute("CREATE SCHEMA IF NOT EXISTS clean")
    con.execute(
        f"CREATE OR REPLACE VIEW {table('clean', source)} AS SELECT {names} FROM {table('source', source)} s"
        f" ANTI JOIN {table('quarantine', source)} q ON s.{ROW_ID} = q.{ROW_ID} WHERE s.{LOAD_ID} <= {accepted:d}"
    )


def _still_there(source: str) -> str:
    """Rows in quarantine that the source still has: an inner join, so that the few rows are hashed, not the source."""
    return f"{table('quarantine', source)} q JOIN {table('source', source)} s USING ({ROW_ID})"
