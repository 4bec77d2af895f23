"""Issues that were made: their rows in the ops store and their files. Written once, opened again as they were."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from metrics_catalog.message import Letter
from metrics_catalog.ops.outbox import put
from metrics_catalog.ops.store import reading, writing
from metrics_catalog.ops.tables import report_issues as table
from metrics_catalog.ops.times import stamp
from metrics_catalog.project import Project

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

State = Literal["waiting", "made", "failed", "skipped"]


@dataclass(frozen=True)
class Row:
    """One copy of one issue. ``path``: its folder, relative to the project's state.

    ``data``: language, version (of the publish), since (of the first try), tries, error, readers, missing.
    """

    report: str
    period: date
    audience: str
    folder: str
    state: State
    at: datetime
    path: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """One for each report, period and copy."""
        return f"{self.report}/{self.period.isoformat()}/{self.folder}"


def rows(engine: Engine, report: str | None = None, period: date | None = None) -> list[Row]:
    """Copies of issues, newest period first. Raises `OpsUnavailable`."""
    query = sa.select(table).order_by(table.c.period.desc(), table.c.report, table.c.key)
    if report is not None:
        query = query.where(table.c.report == report)
    if period is not None:
        query = query.where(table.c.period == period.isoformat())
    with reading(engine) as con:
        return [_row(one) for one in con.execute(query)]


def unfinished(engine: Engine) -> list[Row]:
    """Copies that wait for data or could not be made. Raises `OpsUnavailable`."""
    query = sa.select(table).where(table.c.state.in_(("waiting", "failed")))
    with reading(engine) as con:
        return [_row(one) for one in con.execute(query)]


def last_version(engine: Engine, report: str, before: date) -> int | None:
    """The publish the issue before a period was made from. Raises `OpsUnavailable`."""
    made = (table.c.report == report) & (table.c.state == "made") & (table.c.period < before.isoformat())
    query = sa.select(table.c.data).where(made).order_by(table.c.period.desc()).limit(1)
    with reading(engine) as con:
        data = con.execute(query).scalar()
    return None if data is None else json.loads(data)["version"]


def record(engine: Engine, found: Iterable[tuple[Row, Iterable[Letter]]], now: datetime) -> int:
    """Keep copies and put their letters in, in one transaction; a copy that is made already stays as it is.

    Returns how many letters are new. Raises `OpsUnavailable`.
    """
    with writing(engine, table) as con:
        return sum(put(con, letters, now) for row, letters in found if _write(con, row))


def write(project: Project, row: Row, files: Mapping[str, bytes]) -> str:
    """Put the files of a copy in its folder, all or none; returns the folder, relative to the state."""
    folder = project.issues / row.report / row.period.isoformat() / row.folder
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name, content in files.items():
        (aside / name).write_bytes(content)
    shutil.rmtree(folder, ignore_errors=True)  # of a try that ended before it was recorded
    aside.replace(folder)
    return folder.relative_to(project.state).as_posix()


def body_of(project: Project, row: Row) -> dict[str, Any]:
    """What a copy said. Raises `FileNotFoundError` when its files are gone."""
    assert row.path is not None, "it was made"
    return json.loads((project.state / row.path / "body.json").read_text(encoding="utf-8"))


def file_of(project: Project, row: Row, kind: str) -> Path | None:
    """A file of a copy as it was sent."""
    path = project.state / (row.path or "") / f"report.{kind}"
    return path if row.path is not None and path.is_file() else None


def _write(con: Connection, row: Row) -> bool:
    known = con.execute(sa.select(table.c.state).where(table.c.key == row.key)).scalar()
    if known == "made":
        return False
    values = {
        "report": row.report,
        "period": row.period.isoformat(),
        "audience": row.audience[:160],
        "state": row.state,
        "made_at": stamp(row.at),
        "path": row.path,
        "data": json.dumps({**row.data, "folder": row.folder}, ensure_ascii=False),
    }
    if known is None:
        con.execute(sa.insert(table).values(key=row.key, **values))
    else:
        con.execute(sa.update(table).where(table.c.key == row.key).values(**values))
    return True


def _row(one: Any) -> Row:
    data = json.loads(one.data)
    folder, at = data.pop("folder"), datetime.fromisoformat(one.made_at).astimezone(UTC)
    return Row(one.report, date.fromisoformat(one.period), one.audience, folder, one.state, at, one.path, data)
