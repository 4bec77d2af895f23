"""Who read which metric, through which face. A read is never slowed or failed by being recorded.

Only what goes through a face of the platform is seen: who opens the published tables directly is not.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metrics_catalog.ops.store import open_store, reading, writing
from metrics_catalog.ops.tables import reads
from metrics_catalog.ops.times import stamp

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from metrics_catalog.project import Project
    from metrics_catalog.spec.review import Usage

NOBODY = ""  # who read is not known, or not kept
BATCH = 200  # reads kept before they are written
BATCH_SECONDS = 5.0
LIMIT = 10_000  # reads kept while the store cannot be written; the oldest are let go


@dataclass(frozen=True)
class Read:
    """One read of one metric. ``face``: query, show, report and so on; ``what``: grain, slice."""

    at: datetime
    actor: str
    face: str
    metric: str
    what: Mapping[str, Any]


@dataclass(frozen=True)
class Used:
    """Reads of one metric: how many, when last, by face, and by whom (as far as the policy keeps names)."""

    metric: str
    count: int
    last: datetime
    faces: Mapping[str, int]
    readers: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**vars(self), "faces": dict(self.faces), "readers": dict(self.readers)}


class Recorder:
    """Takes note of reads and writes them in batches; safe to share between threads. Nothing it does raises.

    A short-lived command calls `flush` itself, or it happens when the process ends.
    """

    def __init__(
        self, project: Project, policy: Usage, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._project, self._policy, self._clock = project, policy, clock
        self._lock, self._kept, self._since = Lock(), list[dict[str, Any]](), clock()
        self._engine: Engine | None = None
        if policy.record:
            atexit.register(self.flush)

    def note(self, face: str, actor: str | None, metrics: Iterable[str], **what: Any) -> None:
        """Somebody (None: nobody said who) reads metrics through a face; ``what``: grain, slice, range."""
        if not self._policy.record:
            return
        now = self._clock()
        try:
            who = code_of(actor or NOBODY, self._policy, self._project)
            data = json.dumps({key: value for key, value in what.items() if value}, ensure_ascii=False, default=str)
        except (OSError, TypeError, ValueError):
            return
        row = {"at": stamp(now), "actor": who[:80], "face": face[:16], "data": data}
        with self._lock:
            self._kept += [{**row, "metric": metric[:80]} for metric in dict.fromkeys(metrics)]
            del self._kept[:-LIMIT]
            due = len(self._kept) >= BATCH or (now - self._since).total_seconds() >= BATCH_SECONDS
        if due:
            self.flush()

    def flush(self) -> None:
        """Write what is kept; what cannot be written now is tried again with the next batch."""
        with self._lock:
            rows, self._kept, self._since = self._kept, [], self._clock()
        if not rows:
            return
        try:
            self._engine = self._engine or open_store(self._project.ops)
            with writing(self._engine, reads) as con:
                con.execute(sa.insert(reads), rows)
        except Exception:  # whatever the database says, somebody is waiting for a number, not for this
            with self._lock:
                self._kept = [*rows, *self._kept][-LIMIT:]


def code_of(actor: str, policy: Usage, project: Project) -> str:
    """What is kept of a name: itself, a code, or nothing. The code's key is made once, in the state folder."""
    if not actor or policy.names == "drop":
        return NOBODY
    if policy.names == "keep":
        return actor
    return hashlib.blake2b(actor.encode(), key=_key(project.state / "usage.key"), digest_size=8).hexdigest()


def known_readers(codes: Collection[str], people: Iterable[str], policy: Usage, project: Project) -> list[str]:
    """The people behind what was kept of readers, so that they can be told of something; names themselves if kept."""
    return sorted(person for person in people if code_of(person, policy, project) in codes and policy.names != "drop")


def history(engine: Engine, since: datetime | None = None, metric: str | None = None) -> list[Read]:
    """Reads since a time, of one metric or all, oldest first. Raises `OpsUnavailable`."""
    query = sa.select(reads).order_by(reads.c.at, reads.c.seq).where(*_only(since, metric))
    with reading(engine) as con:
        return [
            Read(datetime.fromisoformat(row.at), row.actor, row.face, row.metric, json.loads(row.data))
            for row in con.execute(query)
        ]


def used(engine: Engine, since: datetime | None = None, metric: str | None = None) -> dict[str, Used]:
    """How each metric was read since a time, counted in the database; what was never read is not there.

    Raises `OpsUnavailable`.
    """
    keys = (reads.c.metric, reads.c.face, reads.c.actor)
    query = sa.select(*keys, sa.func.count().label("times"), sa.func.max(reads.c.at).label("last"))
    with reading(engine) as con:
        rows = con.execute(query.where(*_only(since, metric)).group_by(*keys)).all()
    found: dict[str, Used] = {}
    for row in rows:
        one = found.get(row.metric) or Used(row.metric, 0, datetime.min.replace(tzinfo=UTC), {}, {})
        found[row.metric] = Used(
            row.metric,
            one.count + row.times,
            max(one.last, datetime.fromisoformat(row.last)),
            {**one.faces, row.face: one.faces.get(row.face, 0) + row.times},
            {**one.readers, row.actor: one.readers.get(row.actor, 0) + row.times},
        )
    return dict(sorted(found.items()))


def recorded_since(engine: Engine) -> datetime | None:
    """When the oldest read that is kept was; before that nothing is known. Raises `OpsUnavailable`."""
    with reading(engine) as con:
        first = con.execute(sa.select(sa.func.min(reads.c.at))).scalar()
    return None if first is None else datetime.fromisoformat(first)


def forget(engine: Engine, policy: Usage, now: datetime) -> int:
    """Delete reads older than the policy keeps; returns how many. Raises `OpsUnavailable`."""
    before = stamp(now - timedelta(days=policy.keep_days))
    with writing(engine, reads) as con:
        return con.execute(sa.delete(reads).where(reads.c.at < before)).rowcount


def _only(since: datetime | None, metric: str | None) -> list[sa.ColumnElement[bool]]:
    conditions = [] if since is None else [reads.c.at >= stamp(since)]
    return conditions if metric is None else [*conditions, reads.c.metric == metric]


def _key(path: Path) -> bytes:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        new.touch(mode=0o600)
        new.write_bytes(secrets.token_bytes(32))
        with suppress(FileExistsError):  # another process made it meanwhile
            path.hardlink_to(new)
        new.unlink()
    return path.read_bytes()
