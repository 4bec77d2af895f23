"""A project with an empty landing folder and a warehouse, and sources declared in the test."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from metrics_catalog.project import Project
from orchestration.ingest.load import load
from orchestration.ingest.result import LoadResult
from orchestration.ingest.spec import AnySource, load_specs
from orchestration.warehouse import connect

DECLARED = {"label": {"en": "Orders", "zh": "订单"}, "description": "Orders.", "domain": "sales", "owner": "data"}
ORDERS = {
    "kind": "files",
    "path": "orders/*.csv",
    "format": "csv",
    "day": "sold_at",
    "columns": {"id": "bigint", "item": "varchar", "qty": "bigint", "amount": "decimal(18,2)", "sold_at": "timestamp"},
}
HEADER = "id,item,qty,amount,sold_at"


@dataclass
class Room:
    """What a test declares, delivers, loads and asks."""

    project: Project
    con: duckdb.DuckDBPyConnection
    secrets: dict[str, str] = field(default_factory=dict)
    header: str = HEADER

    def declare(self, name: str, declared: Mapping[str, Any]) -> AnySource:
        path = self.project.sources / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({**DECLARED, **declared}, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return load_specs(self.project)[name]

    def orders(self, **changes: Any) -> AnySource:
        return self.declare("orders", ORDERS | changes)

    def deliver(self, name: str, content: str | bytes, age_days: int = 0) -> Path:
        path = self.project.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        stamp = path.stat().st_mtime - age_days * 86_400
        os.utime(path, (stamp, stamp))
        return path

    def deliver_orders(self, name: str, *lines: str) -> Path:
        return self.deliver(f"orders/{name}", "\n".join([HEADER, *lines]) + "\n")

    def load(self, spec: AnySource, only: tuple[date, date] | None = None) -> LoadResult:
        return load(spec, self.con, self.project.landing, self.secrets.__getitem__, only)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.con.execute(query).fetchall()

    def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything a refused load must leave alone."""
        tables = self.rows("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY ALL")
        return {f"{schema}.{table}": self.rows(f'FROM {schema}."{table}" ORDER BY ALL') for schema, table in tables}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    project = Project.at(tmp_path / "项目")
    con = connect(project)
    yield Room(project, con)
    con.close()
