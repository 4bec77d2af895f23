"""Whether a project is governed, and its official catalog. Light to import: most questions need no database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from metrics_catalog.catalog import Catalog, load_catalog
from metrics_catalog.project import Project

if TYPE_CHECKING:
    from metrics_catalog.governance.ledger import Ledger
    from metrics_catalog.governance.record import Record

_SQLITE = "sqlite:///"


def ledger_of(project: Project) -> Ledger | None:
    """The project's ledger; None while it has no ops store, so that nothing was ever certified.

    Raises `OpsUnavailable`.
    """
    if project.ops.startswith(_SQLITE) and not Path(project.ops.removeprefix(_SQLITE)).exists():
        return None
    from metrics_catalog.governance.ledger import Ledger
    from metrics_catalog.ops.store import open_store

    return Ledger(open_store(project.ops))


def record_of(project: Project) -> Record | None:
    """What is certified in a project; None where nothing is. Raises `OpsUnavailable`, `Damaged`."""
    ledger = ledger_of(project)
    if ledger is None:
        return None
    from metrics_catalog.governance.record import recorded

    record = recorded(ledger.entries())
    return record if record.begun else None


def official_catalog(project: Project) -> Catalog:
    """The catalog by which a project computes. Raises `InvalidFiles`, `OpsUnavailable`, `Damaged`."""
    files, record = load_catalog(project), record_of(project)
    if record is None:
        return files
    from metrics_catalog.governance.certified import official

    return official(files, record)
