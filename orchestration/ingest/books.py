"""What is written down about loads: `ingest.loads`, `changes`, `rejects`, `sources`. Files have `manifest.py`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from orchestration.ingest.result import LoadResult, Reject
from orchestration.ingest.spec import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def now() -> datetime:
    """This moment, UTC, naive as the warehouse keeps time."""
    return datetime.now(UTC).replace(tzinfo=None)


def contract(spec: Source) -> str:
    """Short fingerprint of how a source is read."""
    return hashlib.sha256(spec.contract.encode()).hexdigest()[:16]


def last_contract(con: DuckDBPyConnection, source: str) -> str | None:
    """Contract of the last load; None before the first."""
    row = con.execute("SELECT contract FROM ingest.sources WHERE source = $1", [source]).fetchone()
    return str(row[0]) if row else None


def write(
    con: DuckDBPyConnection, spec: Source, result: LoadResult, rejects: Sequence[Reject], started: datetime
) -> None:
    """Write down a load: how the source was read, what happened, the days touched, what could not be read."""
    con.execute("INSERT OR REPLACE INTO ingest.sources VALUES ($1, $2)", [spec.name, contract(spec)])
    counts = [result.rows_read, result.rows_loaded, result.rows_rejected, result.rows_deleted]
    files = [len(result.files_loaded), len(result.files_removed)]
    con.execute(
        "INSERT INTO ingest.loads VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        [result.load_id, spec.name, started, now(), *counts, *files],
    )
    days: Sequence[date | None] = [None] if result.days is None else sorted(result.days)
    con.execute("INSERT INTO ingest.changes SELECT $1, $2, unnest($3::DATE[])", [result.load_id, spec.name, days])
    _write_rejects(con, result, rejects)


def _write_rejects(con: DuckDBPyConnection, result: LoadResult, rejects: Sequence[Reject]) -> None:
    if not rejects:
        return
    columns = zip(*((r.file, r.line, r.column, r.reason, r.raw) for r in rejects), strict=True)
    con.execute(
        "INSERT INTO ingest.rejects SELECT $1, $2, unnest($3::VARCHAR[]), unnest($4::BIGINT[]), unnest($5::VARCHAR[]),"
        " unnest($6::VARCHAR[]), unnest($7::VARCHAR[])",
        [result.source, result.load_id, *map(list, columns)],
    )
