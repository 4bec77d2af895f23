"""A review from a project: look, find, keep. What the command, the job and the sensor call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from metrics_catalog.governance.begun import Definitions, definitions_of
from metrics_catalog.ops import outbox
from metrics_catalog.ops.store import open_store, writing
from metrics_catalog.published.reader import Published
from metrics_catalog.review import checks, letters
from metrics_catalog.review.item import Pack
from metrics_catalog.review.page import page
from metrics_catalog.review.scene import Scene, read
from metrics_catalog.review.words import facts, unseen
from metrics_catalog.usage import forget, known_readers

if TYPE_CHECKING:
    from metrics_catalog.project import Project

LANGUAGES = ("en", "zh")
_PACK = "pack.json"


def pack_of(scene: Scene, cause: str) -> Pack:
    """The pack of a scene. Pure but for reading published values."""
    items = checks.found(scene)
    made = scene.made.isoformat(timespec="seconds")
    return Pack(scene.month.start.isoformat(), made, cause, items, tuple(facts(scene)), unseen(scene))


def scene_of(project: Project, now: datetime, month: date | None = None) -> Scene:
    """What there is to review. Raises `OpsUnavailable`, `InvalidFiles`."""
    definitions: Definitions = definitions_of(project)
    return read(definitions, open_store(project.ops), Published(project.published), now, month)


def tell(pack: Pack, scene: Scene, project: Project, folder: Path, event: str) -> int:
    """Put the pack into the outbox for the governance group; once for each ``event``. Raises `OpsUnavailable`."""
    catalog = scene.catalog
    told = letters.letters(pack, catalog.people, catalog.policy.review.group, folder, project.state, event)
    with writing(open_store(project.ops)) as con:
        return outbox.put(con, told, scene.made)


def keep_house(scene: Scene, project: Project) -> int:
    """Tell who read a metric that it will end, and forget reads that are too old; returns how many were told.

    Raises `OpsUnavailable`.
    """
    engine, catalog, record = open_store(project.ops), scene.catalog, scene.definitions.record
    policy, told = catalog.policy.usage, []
    for name in sorted(scene.deprecated if record is not None else ()):
        version, entry = record.metrics()[name], catalog.metrics.get(name)  # pyright: ignore[reportOptionalMemberAccess]
        codes = scene.used[name].readers if name in scene.used else {}
        readers = known_readers(codes, catalog.people.people, policy, project)
        label = {language: name if entry is None else entry.spec.label.to(language) for language in LANGUAGES}
        told += letters.notices(name, label, version, readers, catalog.people, scene.made.date())
    if told:
        with writing(engine) as con:
            outbox.put(con, told, scene.made)
    forget(engine, policy, scene.made)
    return len(told)


def keep(pack: Pack, project: Project) -> Path:
    """Write a pack and its pages into a folder of its own; returns it."""
    folder = folder_of(project) / f"{pack.month[:7]}-{pack.at:%Y%m%dT%H%M%S}"
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        (folder / f"review.{language}.html").write_text(page(pack, language), encoding="utf-8")
    text = json.dumps(pack.as_json(), ensure_ascii=False, indent=1, default=str)
    (folder / _PACK).write_text(text, encoding="utf-8")  # last: a folder with it is whole
    return folder


def kept(project: Project) -> Iterator[tuple[Path, Pack]]:
    """Packs that were kept, the newest first."""
    found = folder_of(project).glob(f"*/{_PACK}")
    for path in sorted(found, key=lambda path: path.parent.name.rsplit("-", 1)[-1], reverse=True):
        yield path.parent, Pack.read(json.loads(path.read_text(encoding="utf-8")))


def folder_of(project: Project) -> Path:
    """Where reviews are kept."""
    return project.state / "reports" / "review"
