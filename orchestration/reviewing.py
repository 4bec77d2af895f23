"""Decisions that are due and reviews, as a job does them; and what asks for either. Knows no Dagster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from metrics_catalog.governance.begun import ledger_of
from metrics_catalog.located import InvalidFiles

if TYPE_CHECKING:
    from metrics_catalog.decisions.record import Decision
    from metrics_catalog.project import Project
    from metrics_catalog.review.triggers import Trigger

MONTH = "month"


@dataclass(frozen=True)
class Wanted:
    """``due``: names of decisions that can be measured; ``triggers``: what asks for a review, seen before or not."""

    due: tuple[str, ...] = ()
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True)
class Reviewed:
    """A review that was written: how many ``items``, how many letters went out, where it is kept."""

    items: int
    told: int
    folder: Path


def look(project: Project, now: datetime) -> Wanted:
    """What is to be done; nothing before the project has an ops store. Raises `OpsUnavailable`."""
    if ledger_of(project) is None:
        return Wanted()
    from metrics_catalog.decisions.due import ready
    from metrics_catalog.governance.begun import official_catalog
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.published.reader import Published
    from metrics_catalog.review.make import scene_of
    from metrics_catalog.review.triggers import triggers

    try:
        due = ready(open_store(project.ops), official_catalog(project), Published(project.published), now)
        return Wanted(tuple(one.name for one in due), tuple(sorted(triggers(scene_of(project, now)))))
    except InvalidFiles:
        return Wanted()  # a project that is not certified, and being written


def measure(project: Project, now: datetime) -> Sequence[Decision]:
    """Measure the decisions that are due. Raises `OpsUnavailable`, `InvalidFiles`."""
    from metrics_catalog.decisions.due import measure_due
    from metrics_catalog.governance.begun import official_catalog
    from metrics_catalog.ops.store import open_store
    from metrics_catalog.published.reader import Published

    catalog, published = official_catalog(project), Published(project.published)
    return measure_due(open_store(project.ops), catalog, published, now)


def review(project: Project, cause: str, event: str, now: datetime, month: date | None = None) -> Reviewed:
    """Write a review, tell the governance group and who reads what ends. Raises `OpsUnavailable`, `InvalidFiles`.

    ``event``: what it is for: the same is told once; "" for the monthly one: its month.
    """
    from metrics_catalog.review.make import keep, keep_house, pack_of, scene_of, tell

    scene = scene_of(project, now, month)
    pack = pack_of(scene, cause)
    folder = keep(pack, project)
    told = tell(pack, scene, project, folder, event or f"{cause}/{pack.month[:7]}")
    return Reviewed(len(pack.items), told + keep_house(scene, project), folder)


def reviewed(project: Project) -> Path:
    """The folder of a review made now, which is told to nobody. Raises `OpsUnavailable`, `InvalidFiles`."""
    from metrics_catalog.review.make import keep, pack_of, scene_of

    scene = scene_of(project, datetime.now(UTC))
    return keep(pack_of(scene, "demand"), project)
