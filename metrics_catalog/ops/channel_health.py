"""Whether the ways to people work: failures in a row, pauses, and whether somebody was told. Knows no channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metrics_catalog.ops.store import reading, writing
from metrics_catalog.ops.tables import channel_health as table
from metrics_catalog.ops.times import stamp

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

DOWN_AFTER = 3  # failures in a row; one or two are the weather
_SHORTEST, _LONGEST = timedelta(seconds=10), timedelta(minutes=10)


@dataclass(frozen=True)
class Way:
    """A channel, or one address of it, that failed: ``failures`` in a row since ``since``; 0: it works again."""

    name: str
    failures: int
    since: datetime
    until: datetime | None
    error: str

    @property
    def down(self) -> bool:
        """Whether it is worth telling somebody."""
        return self.failures >= DOWN_AFTER


def failed(engine: Engine, name: str, error: str, now: datetime) -> int:
    """A way failed: it rests for a while, twice as long each time, ten minutes at most. Returns how often in a row."""
    with writing(engine, table) as con:
        known = _known(con, name)
        failures = 1 if known is None else known.failures + 1
        rest = min(_SHORTEST * 2 ** min(failures - 1, 16), _LONGEST)
        since = stamp(now) if known is None or known.failures == 0 else known.since
        row = {"failures": failures, "since": since, "until": stamp(now + rest), "error": error}
        _write(con, known, name, row)
    return failures


def pause(engine: Engine, name: str, until: datetime, error: str, now: datetime) -> None:
    """A way asked to be left alone until then; that is no failure."""
    with writing(engine, table) as con:
        known = _known(con, name)
        fresh = {"failures": 0, "since": stamp(now), "error": error}
        _write(con, known, name, {**({} if known else fresh), "until": stamp(until)})


def ways(engine: Engine) -> list[Way]:
    """Every way that ever failed."""
    with reading(engine) as con:
        return [_way(row) for row in con.execute(sa.select(table).order_by(table.c.name))]


def untold(engine: Engine) -> Iterator[Way]:
    """Ways that went down or came back and nobody was told yet. One that is told about is `told`."""
    with reading(engine) as con:
        rows = con.execute(sa.select(table).order_by(table.c.name)).all()
    for row in rows:
        if row.failures == 0 if row.told else row.failures >= DOWN_AFTER:
            yield _way(row)


def told(engine: Engine, way: Way) -> None:
    """Somebody knows how a way is."""
    with writing(engine, table) as con:
        con.execute(sa.update(table).where(table.c.name == way.name).values(told=int(way.failures > 0)))


def _known(con: Connection, name: str) -> Any:
    return con.execute(sa.select(table).where(table.c.name == name)).first()


def _write(con: Connection, known: Any, name: str, row: dict[str, Any]) -> None:
    if known is None:
        con.execute(sa.insert(table).values(name=name, told=0, **row))
    else:
        con.execute(sa.update(table).where(table.c.name == name).values(**row))


def _way(row: Any) -> Way:
    until = datetime.fromisoformat(row.until) if row.until else None
    return Way(row.name, row.failures, datetime.fromisoformat(row.since), until, row.error)
