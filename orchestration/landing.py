"""A look at a folder, such as the landing folder: its files, and whether one is still growing. Reads no content."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import sha256
from os import DirEntry, scandir
from pathlib import Path
from time import time

# A file touched this recently may still be arriving; longer than the pauses of a copy over a slow network.
SETTLE_SECONDS = 5.0


@dataclass(frozen=True)
class Landing:
    """``state``: hash of names, sizes and times. ``writing``: a file touched moments ago, relative to the folder."""

    state: str
    files: int
    writing: str | None


def look(folder: Path, now: float | None = None, without: Collection[Path] = ()) -> Landing:
    """The folder as it is now; hidden files, files in the making (``.name.partial``) and ``without`` do not count."""
    moment = time() if now is None else now
    digest, files, writing = sha256(), 0, None
    for entry in sorted(_walk(folder, without), key=lambda item: item.path):
        stat = entry.stat()
        digest.update(f"{entry.path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
        files += 1
        if 0 <= moment - stat.st_mtime < SETTLE_SECONDS:
            writing = Path(entry.path).relative_to(folder).as_posix()
    return Landing(digest.hexdigest()[:32], files, writing)


def _walk(folder: Path, without: Collection[Path]) -> Iterator[DirEntry[str]]:
    if not folder.is_dir() or folder in without:
        return
    with scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _walk(Path(entry.path), without)
            elif entry.is_file():
                yield entry
