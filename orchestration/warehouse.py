"""The one way to open the warehouse. Every connection of a process must use the same configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics_catalog.project import Project
from orchestration.frames import spare_pandas

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# DuckDB's own default is the format of 2024, which packs texts with three times the work: landing the demo's 21M
# promotions takes 6.3 CPU s this way, 9.1 that way (tests/benchmarks/README.md). An older file keeps its format.
STORAGE = "v1.3.0"

SCHEMAS = ("source", "clean", "quarantine", "staging", "intermediate", "marts", "metrics", "ingest", "validation")

# `files.duplicate_of` names the file whose content this one repeats; `sources` how a source was read.
_TABLES = """
CREATE TABLE IF NOT EXISTS ingest.loads (
    load_id BIGINT PRIMARY KEY, source VARCHAR NOT NULL, started_at TIMESTAMP NOT NULL, finished_at TIMESTAMP NOT NULL,
    rows_read BIGINT NOT NULL, rows_loaded BIGINT NOT NULL, rows_rejected BIGINT NOT NULL, rows_deleted BIGINT NOT NULL,
    files_loaded BIGINT NOT NULL, files_removed BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS ingest.files (
    source VARCHAR NOT NULL, file VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, size BIGINT NOT NULL,
    mtime_ns BIGINT NOT NULL, rows BIGINT NOT NULL, duplicate_of VARCHAR, load_id BIGINT);
CREATE TABLE IF NOT EXISTS ingest.rejects (
    source VARCHAR NOT NULL, load_id BIGINT NOT NULL, file VARCHAR, line BIGINT, column_name VARCHAR,
    reason VARCHAR NOT NULL, raw VARCHAR);
CREATE TABLE IF NOT EXISTS ingest.changes (load_id BIGINT NOT NULL, source VARCHAR NOT NULL, day DATE);
CREATE TABLE IF NOT EXISTS ingest.sources (source VARCHAR PRIMARY KEY, contract VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS ingest.bookmarks (
    stage VARCHAR, source VARCHAR, load_id BIGINT NOT NULL, fingerprint VARCHAR NOT NULL, PRIMARY KEY (stage, source));
"""


def connect(project: Project, memory_limit: str = "1GB") -> DuckDBPyConnection:
    """Open the project's warehouse (made when absent), timestamps in UTC. Close it after use: dbt opens its own.

    Raises `duckdb.IOException` when another process holds the file.
    """
    import duckdb

    project.state.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(
        str(project.warehouse), config={"memory_limit": memory_limit, "storage_compatibility_version": STORAGE}
    )
    spare_pandas(con)
    con.execute("SET TimeZone = 'UTC'")
    for schema in SCHEMAS:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    con.execute(_TABLES)
    return con
