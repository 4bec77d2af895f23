"""Whether a project is governed, and its definitions. Light to import: most questions need no database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from metrics_catalog.catalog import Catalog, Entry, examine, load_catalog
from metrics_catalog.located import InvalidFiles, Problem
from metrics_catalog.project import Project
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

if TYPE_CHECKING:
    from metrics_catalog.governance.ledger import Ledger
    from metrics_catalog.governance.record import Record

_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Definitions:
    """What a project's ``files`` say, what of it is ``official``, and the ``record`` that makes the difference.

    While nothing is certified there is no record and the files are official. ``problems``: errors in files; what is
    certified stands in for those, so that a draft never stops what is official.
    """

    files: Catalog
    official: Catalog
    record: Record | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def versions(self) -> dict[str, int]:
        """The certified version of each official metric."""
        return {} if self.record is None else {name: one.number for name, one in self.record.metrics().items()}

    @property
    def faults(self) -> dict[str, list[Problem]]:
        """What is wrong with the file of a metric, by its name."""
        project = self.files.project
        folder = f"{project.metrics.relative_to(project.root).as_posix()}/"
        found: dict[str, list[Problem]] = {}
        for problem in self.problems:
            if problem.path.startswith(folder):
                found.setdefault(PurePosixPath(problem.path).stem, []).append(problem)
        return found

    def retired(self, metric: str) -> Entry | None:
        """A retired metric as it was last certified, to read what was published of it; None for any other."""
        version = None if self.record is None else self.record.retired(metric)
        if version is None:
            return None
        from metrics_catalog.governance.certified import certified_entry

        return certified_entry(version)


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
    from metrics_catalog.governance.replay import recorded

    record = recorded(ledger.entries())
    return record if record.begun else None


def definitions_of(project: Project) -> Definitions:
    """A project's definitions.

    Raises `OpsUnavailable`, `Damaged`, `InvalidFiles`; the last, where definitions are certified, only for those.
    """
    record = record_of(project)
    if record is None:
        files = load_catalog(project)
        return Definitions(files, files)
    from metrics_catalog.governance.certified import PEOPLE, POLICY, checked, official, read_as

    files, problems = examine(project)
    if files is None:
        people, policy = record.current(PEOPLE), record.current(POLICY)
        files, problems = examine(project, people and read_as(people, People), policy and read_as(policy, Policy))
    errors = tuple(problem for problem in problems if problem.level == "error")
    if files is None:
        raise InvalidFiles(errors)
    catalog = official(files, record)
    if not errors:
        return Definitions(files, catalog, record)
    return Definitions(_readable(files, catalog, {one.path for one in errors}), checked(catalog), record, errors)


def official_catalog(project: Project) -> Catalog:
    """The catalog by which a project computes. Raises `InvalidFiles`, `OpsUnavailable`, `Damaged`."""
    return definitions_of(project).official


def _readable(files: Catalog, official: Catalog, broken: Collection[str]) -> Catalog:
    """The files, with what is certified in place of those that are broken."""
    kept = {name: entry for name, entry in files.metrics.items() if entry.document.path not in broken}
    certified = {name: entry for name, entry in official.metrics.items() if entry.document.path in broken}
    return replace(files, metrics={**certified, **kept})
