"""Which commits of the values table are publishes, newest first, without reading more of the log than asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from metrics_catalog.published import table
from metrics_catalog.published.model import PublishInfo, Version

FIRST_LOOK = 8  # commits read at first; most questions are about the last publish


def opened(folder: Path) -> tuple[int, Iterator[Version]]:
    """The table's version (-1: no table) and its publishes, newest first, read further back only as asked for."""
    delta = table.opened(folder)
    return (-1, iter(())) if delta is None else (delta.version(), _walk(delta))


def since(folder: Path, version: int) -> tuple[int, list[Version]]:
    """The table's version now and the publishes after ``version``, newest first."""
    delta = DeltaTable(folder)
    entries = delta.history(delta.version() - version)
    return delta.version(), [found for found in map(_version, entries) if found]


def latest(folder: Path) -> Version | None:
    """The last publish."""
    return next(opened(folder)[1], None)


def settled(folder: Path) -> dict[str, PublishInfo]:
    """Of each metric that the last publish held, and that ever had values, the publish that they are from."""
    found: dict[str, PublishInfo] = {}
    wanted: set[str] | None = None
    for version in opened(folder)[1]:
        info = version.info
        wanted = {metric for metric in info.held if metric in info.inputs} if wanted is None else wanted
        found |= dict.fromkeys(wanted - set(info.held), info)
        wanted &= set(info.held)
        if not wanted:
            break
    return found


def _walk(delta: DeltaTable) -> Iterator[Version]:
    seen, limit, depth = 0, FIRST_LOOK, delta.version() + 1
    while seen < depth:
        for entry in delta.history(limit)[seen:]:
            if version := _version(entry):
                yield version
        seen, limit = limit, limit * 8


def _version(entry: dict[str, Any]) -> Version | None:
    note = entry.get("userMetadata")
    return Version(entry["version"], PublishInfo.from_json(note)) if note else None
