"""Which landed files are new, changed, copied or gone: told by content, never by name or date alone.

``size`` and ``mtime_ns`` only spare a second hashing of a file nobody touched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from orchestration.ingest.result import SourceError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class LandedFile:
    """A file present now. ``name`` is its path under the landing folder, with forward slashes."""

    name: str
    path: Path
    size: int
    mtime_ns: int
    sha256: str

    def same_on_disk(self) -> bool:
        """Whether it is still the file that was hashed, not one being written to."""
        stat = self.path.stat()
        return (stat.st_size, stat.st_mtime_ns) == (self.size, self.mtime_ns)


@dataclass(frozen=True)
class Known:
    """A file of the manifest. A duplicate has no rows of its own."""

    sha256: str
    size: int
    mtime_ns: int
    duplicate_of: str | None


@dataclass(frozen=True)
class Delivery:
    """What has to happen: files to (re)load, names whose rows go, copies to note, files seen again untouched."""

    load: tuple[LandedFile, ...] = ()
    remove: tuple[str, ...] = ()
    duplicates: Mapping[str, str] = field(default_factory=dict)
    present: tuple[LandedFile, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether any row changes."""
        return bool(self.load or self.remove)


def landed(landing: Path, pattern: str, known: Mapping[str, Known]) -> list[LandedFile]:
    """Files that match ``pattern`` under ``landing``, by name. Names that begin with a dot are not deliveries.

    Raises `SourceError` for a file that leads out of the landing folder through a link.
    """
    root = landing.resolve()
    found = []
    for path in sorted(root.glob(pattern)):
        name = path.relative_to(root).as_posix()
        if any(part.startswith(".") for part in PurePosixPath(name).parts) or not path.is_file():
            continue
        if not path.resolve().is_relative_to(root):
            raise SourceError(f"{name}: is a link to a file outside the landing folder; deliver the file itself")
        found.append(_landed_file(name, path, known.get(name)))
    return found


def _landed_file(name: str, path: Path, known: Known | None) -> LandedFile:
    stat = path.stat()
    untouched = known is not None and (known.size, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    digest = known.sha256 if known is not None and untouched else _sha256(path)
    return LandedFile(name, path, stat.st_size, stat.st_mtime_ns, digest)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compare(
    present: Iterable[LandedFile],
    known: Mapping[str, Known],
    deletes_missing: bool,
    forced: bool,
    elsewhere: Mapping[str, str] | None = None,
) -> Delivery:
    """The delivery that brings ``known`` to ``present``; ``forced`` loads unchanged files too. Pure.

    ``elsewhere``: content hash -> name of loaded files that are not compared now; a copy of one is a copy all the same.
    """
    present = tuple(present)
    here = {file.name: file.sha256 for file in present}
    loaded = {name: entry for name, entry in known.items() if entry.duplicate_of is None}
    gone = [name for name in loaded if name not in here]
    stays = {
        name: entry.sha256
        for name, entry in loaded.items()
        if here.get(name, None if deletes_missing else entry.sha256) == entry.sha256
    }
    owner = {**(elsewhere or {}), **{digest: name for name, digest in stays.items()}}
    load, duplicates = [], {}
    for file in present:
        holder = owner.setdefault(file.sha256, file.name)
        if holder != file.name and file.name not in stays:
            duplicates[file.name] = holder
        elif file.name not in stays or forced:
            load.append(file)
    replaced = [name for name in duplicates if name in loaded]
    return Delivery(tuple(load), tuple(sorted((gone if deletes_missing else []) + replaced)), duplicates, present)


def read_known(con: DuckDBPyConnection, source: str) -> dict[str, Known]:
    """The manifest of a source by file name."""
    query = "SELECT file, sha256, size, mtime_ns, duplicate_of FROM ingest.files WHERE source = $1"
    return {str(name): Known(*values) for name, *values in con.execute(query, [source]).fetchall()}


def record(
    con: DuckDBPyConnection, source: str, delivery: Delivery, load_id: int | None, rows: Mapping[str, int]
) -> None:
    """Bring the manifest of ``source`` to ``delivery``; ``rows`` loaded by file."""
    fresh = {file.name for file in delivery.load}
    query = "SELECT file, rows, load_id FROM ingest.files WHERE source = $1"
    before = {str(name): (count, load) for name, count, load in con.execute(query, [source]).fetchall()}
    entries = []
    for file in delivery.present:
        copy_of = delivery.duplicates.get(file.name)
        count, load = (rows.get(file.name, 0), load_id) if file.name in fresh else before.get(file.name, (0, None))
        held = (0, None) if copy_of else (count, load)
        entries.append((source, file.name, file.sha256, file.size, file.mtime_ns, held[0], copy_of, held[1]))
    names = [file.name for file in delivery.present] + list(delivery.remove)
    con.execute("DELETE FROM ingest.files WHERE source = $1 AND list_contains($2, file)", [source, names])
    if entries:  # one statement: a row at a time costs more than reading the files
        columns = [list(column) for column in zip(*entries, strict=True)]
        con.execute(f"INSERT INTO ingest.files SELECT {', '.join(f'unnest(${n + 1})' for n in range(8))}", columns)
