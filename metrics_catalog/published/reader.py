"""Opens published values, the newest or as they were. Never locks, waits for a publish, or sees half of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from threading import Lock

import pyarrow as pa

from metrics_catalog.published import history
from metrics_catalog.published.errors import NotPublished
from metrics_catalog.published.kept import Kept
from metrics_catalog.published.leaf import Leaf
from metrics_catalog.published.model import Version
from metrics_catalog.published.places import values_folder
from metrics_catalog.published.snapshot import Snapshot

SNAPSHOTS = 16  # versions kept open
LEAVES = 256  # files whose metadata is kept: 1 MB for a full one
BLOCKS = 64_000_000  # bytes of decoded rows kept: the newest days are small files that every recent read opens


class Published:
    """Published values under ``root``. Cheap to keep for a process's life; notices new publishes by itself."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._lock = Lock()
        self._tip = -1
        self._walked: list[Version] = []  # newest first
        self._older: Iterator[Version] = iter(())
        self._snapshots: Kept[Snapshot] = Kept(SNAPSHOTS)
        self._leaves: Kept[Leaf] = Kept(LEAVES)
        self._blocks: Kept[pa.Table] = Kept(BLOCKS, _bytes)

    def versions(self) -> list[Version]:
        """Every publish, oldest first."""
        with self._lock:
            return list(self._newest_first())[::-1]

    def at(self, as_of: int | datetime | date | None = None) -> Snapshot:
        """The newest publish (None), version ``as_of``, or the last one by a time, or by the end of a day, in UTC.

        Raises `NotPublished` when nothing had been published then, or when the version is not a publish.
        """
        with self._lock:
            version = next(filter(_wanted(as_of), self._newest_first()), None)
            if version is None:
                raise NotPublished(self._why_not(as_of))
            return self._snapshots.get(version.number, partial(Snapshot, self.root, version, self._leaf))

    def _leaf(self, path: Path) -> Leaf:
        return self._leaves.get(path, partial(Leaf, path, self._blocks))

    def _newest_first(self) -> Iterator[Version]:
        self._notice_new()
        yield from self._walked
        for version in self._older:
            self._walked.append(version)
            yield version

    def _notice_new(self) -> None:
        folder = values_folder(self.root)
        if self._tip >= 0 and not (folder / "_delta_log" / f"{self._tip + 1:020}.json").exists():
            return
        if self._tip < 0:
            self._tip, self._older = history.opened(folder)
        else:
            self._tip, new = history.since(folder, self._tip)
            self._walked[:0] = new

    def _why_not(self, as_of: int | datetime | date | None) -> str:
        versions = list(self._newest_first())
        if not versions:
            return f"nothing has been published to {self.root} yet"
        if isinstance(as_of, int):
            return f"version {as_of} is not a publish; the last one is version {versions[0].number}"
        first = versions[-1].info.published_at.isoformat(timespec="seconds")
        return f"nothing had been published by {as_of}; the first publish was at {first}"


def _wanted(as_of: int | datetime | date | None) -> Callable[[Version], bool]:
    if as_of is None:
        return lambda _: True
    if isinstance(as_of, int):
        return lambda version: version.number == as_of
    if not isinstance(as_of, datetime):
        as_of = datetime.combine(as_of, time.max)
    until = as_of.replace(tzinfo=UTC) if as_of.tzinfo is None else as_of
    return lambda version: version.info.published_at <= until


def _bytes(table: pa.Table) -> int:
    return table.nbytes
