"""How sources came out of a refresh: what is late, rejected, quarantined, failing.

Written by the pipeline, read by all who must say how far a number can be trusted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metrics_catalog.ops.store import reading, writing
from metrics_catalog.ops.tables import source_health
from metrics_catalog.ops.times import stamp

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True)
class FailedCheck:
    """An expectation that did not hold: ``rows`` that failed it, None where it is not about rows."""

    name: str
    severity: str
    rows: int | None = None
    observed: str | None = None


@dataclass(frozen=True)
class ShortDay:
    """A day with far fewer ``rows`` than its weekday's ``usual`` ones; ``partial``: not all of it was delivered.

    ``begins``, ``ends``: nothing came before, after (HH:MM), though much does as a rule. ``absent``: of the parts that
    always come, ``steady`` of them, those of which nothing did. ``looked``: where something could be missing entirely:
    "hours", and the column of the parts. ``known``: a holiday or event of the day, by language.
    """

    day: date
    rows: int
    usual: int
    partial: bool
    begins: str | None = None
    ends: str | None = None
    absent: tuple[str, ...] = ()
    steady: int = 0
    looked: tuple[str, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceHealth:
    """One source after one refresh, UTC.

    ``late``: days that are over and not delivered; ``short``: of the last ones, those with far fewer rows than usual.
    ``loaded_at``: end of its newest load. ``rows``, ``rejected``, ``quarantined``: of that load.
    ``blocked``: why its load was not accepted. ``error``: why it could not be loaded. ``due``: when its next load must
    have ended, by what its declaration promises; None: it promises nothing.
    """

    source: str
    at: datetime
    run_id: str
    late: tuple[date, ...] = ()
    loaded_at: datetime | None = None
    rows: int = 0
    rejected: int = 0
    quarantined: int = 0
    failed: tuple[FailedCheck, ...] = ()
    blocked: str | None = None
    error: str | None = None
    due: datetime | None = None
    short: tuple[ShortDay, ...] = ()

    def same_as(self, other: SourceHealth) -> bool:
        """Whether both say the same, whenever and by whichever run they were found."""
        return replace(self, at=other.at, run_id=other.run_id) == other

    def is_stale(self, now: datetime) -> bool:
        """Whether a load is overdue."""
        return self.due is not None and now > self.due

    @property
    def quarantine_share(self) -> float:
        """Share of the newest load's rows that did not pass; 0-1."""
        return self.quarantined / self.rows if self.rows else 0.0


def record(engine: Engine, found: Iterable[SourceHealth]) -> None:
    """Keep what a refresh found; a run that is repeated replaces its own. Raises `OpsUnavailable`."""
    rows = [
        {"run_id": one.run_id, "source": one.source, "at": stamp(one.at), "data": json.dumps(_data(one), default=str)}
        for one in found
    ]
    if not rows:
        return
    with writing(engine, source_health) as con:
        for row in rows:
            same = (source_health.c.run_id == row["run_id"]) & (source_health.c.source == row["source"])
            con.execute(sa.delete(source_health).where(same))
        con.execute(sa.insert(source_health), rows)


def history(engine: Engine, since: datetime | None = None) -> list[SourceHealth]:
    """Everything kept since a time, oldest first. Raises `OpsUnavailable`."""
    query = sa.select(source_health).order_by(source_health.c.at, source_health.c.source)
    if since is not None:
        query = query.where(source_health.c.at >= stamp(since))
    with reading(engine) as con:
        return [_read(row) for row in con.execute(query)]


def latest(engine: Engine) -> dict[str, SourceHealth]:
    """The newest of each source. Raises `OpsUnavailable`."""
    newest = sa.select(source_health.c.source, sa.func.max(source_health.c.at).label("at"))
    newest = newest.group_by(source_health.c.source).subquery()
    same = (newest.c.source == source_health.c.source) & (newest.c.at == source_health.c.at)
    with reading(engine) as con:
        return {row.source: _read(row) for row in con.execute(sa.select(source_health).join(newest, same))}


def _data(one: SourceHealth) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if name not in ("run_id", "source", "at")}


def _read(row: Any) -> SourceHealth:
    data = json.loads(row.data)
    loaded, due = data.pop("loaded_at"), data.pop("due", None)
    return SourceHealth(
        row.source,
        datetime.fromisoformat(row.at),
        row.run_id,
        late=tuple(date.fromisoformat(day) for day in data.pop("late")),
        loaded_at=datetime.fromisoformat(loaded) if loaded else None,
        due=datetime.fromisoformat(due) if due else None,
        failed=tuple(FailedCheck(**check) for check in data.pop("failed")),
        short=tuple(map(_short, data.pop("short", ()))),
        **data,
    )


def _short(data: dict[str, Any]) -> ShortDay:
    lists = {name: tuple(data[name]) for name in ("absent", "looked")}
    return ShortDay(**{**data, **lists, "day": date.fromisoformat(data["day"])})
