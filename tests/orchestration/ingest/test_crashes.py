"""kill -9 within a load: the next run ends where an undisturbed one does."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from orchestration.warehouse import connect

if TYPE_CHECKING:
    from conftest import Room

# Loads every source of the project; the process kills itself at the step named, of the load counted.
CHILD = """
import os, pathlib, signal, sys
from metrics_catalog.project import Project
from orchestration.ingest.load import load
from orchestration.ingest.spec import load_specs
from orchestration.warehouse import connect

project, step = Project.at(pathlib.Path(sys.argv[1])), sys.argv[2]

def progress(reached):
    if reached == step:
        os.kill(os.getpid(), signal.SIGKILL)

con = connect(project)
for spec in load_specs(project).values():
    load(spec, con, project.landing, {}.__getitem__, progress=progress)
con.close()
"""
ROWS = 'SELECT * EXCLUDE (_row_id, _load_id) FROM source."{}" ORDER BY ALL'
BOOKS = (
    "SELECT source, file, sha256, rows, duplicate_of FROM ingest.files ORDER BY ALL",
    "SELECT source, rows_read, rows_loaded, rows_rejected, rows_deleted FROM ingest.loads ORDER BY ALL",
    "SELECT source, file, line, column_name, reason FROM ingest.rejects ORDER BY ALL",
    "SELECT source, day FROM ingest.changes ORDER BY ALL",
)


def run(room: Room, step: str) -> int:
    room.con.close()
    child = subprocess.run([sys.executable, "-c", CHILD, str(room.project.root), step], capture_output=True, text=True)
    assert child.returncode in (0, -signal.SIGKILL), child.stderr
    room.con = connect(room.project)
    return child.returncode


def outcome(room: Room) -> list[Any]:
    return [room.rows(ROWS.format(name)) for name in ("orders", "stock")] + [room.rows(query) for query in BOOKS]


def deliver(room: Room, version: int) -> None:
    room.orders(max_rejects=0.5)
    room.declare(
        "stock",
        {
            "kind": "files",
            "path": "stock.json",
            "format": "json",
            "load": "full",
            "columns": {"id": "bigint", "n": "bigint"},
        },
    )
    room.deliver("stock.json", f'[{{"id": 1, "n": {version}}}]')
    for day in range(1, 4):
        lines = [f"{n},桃{version},1,1.00,2024-03-0{day} 08:00:00" for n in range(day * 100, day * 100 + 50)]
        room.deliver_orders(f"{day}日.csv", *lines, f"x{version},梨,1,1.00,2024-03-0{day}")


def undisturbed(room: Room) -> list[Any]:
    for version in (1, 2):
        deliver(room, version)
        assert run(room, "never") == 0
    found = outcome(room)
    room.con.close()
    room.project.warehouse.unlink()
    room.con = connect(room.project)
    return found


def test_a_killed_load_leaves_nothing_and_the_next_one_everything(room: Room) -> None:
    wanted = undisturbed(room)
    for version in (1, 2):
        deliver(room, version)
        before = room.state()
        for step in ("inserted", "recorded"):
            assert run(room, step) == -signal.SIGKILL
            assert room.state() == before
        assert run(room, "never") == 0
    assert outcome(room) == wanted
