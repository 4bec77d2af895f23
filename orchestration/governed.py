"""What a refresh does for governance: overdue endings, git, and which commit a change of code comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from orchestration.declared import Declared

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from metrics_catalog.governance.begun import Definitions
    from metrics_catalog.governance.ledger import Ledger
    from metrics_catalog.governance.office import Office
    from metrics_catalog.governance.repository import Repository


def origins(declared: Declared) -> Callable[[str], str | None]:
    """Tells of a dbt node or source where its files were last changed; of nothing outside a git repository."""

    @cache
    def repository() -> Repository | None:
        from metrics_catalog.governance.repository import Repository

        return Repository.around(declared.project.root)

    @cache
    def origin(node: str) -> str | None:
        found = repository()
        return None if found is None else found.origin(_files(declared, node))

    return origin


def after_publish(
    con: DuckDBPyConnection, declared: Declared, known: Definitions, ledger: Ledger, now: datetime
) -> Iterator[str]:
    """Retire what is overdue, ask for what was merged, commit what was approved; says what people should know."""
    from metrics_catalog.governance.endings import over
    from metrics_catalog.governance.office import Office
    from metrics_catalog.governance.repository import Repository

    if known.record is None:
        return
    repository, overdue = Repository.around(declared.project.root), over(known.record, now.date())
    if repository is None and not overdue:
        return
    office = Office(known.files, ledger, lambda: nullcontext(con), lambda: datetime.now(UTC))
    if overdue:
        yield from _retired(declared, office, now)
    if repository is not None:
        yield from _with_git(declared, repository, office)


def _retired(declared: Declared, office: Office, now: datetime) -> Iterator[str]:
    from metrics_catalog.governance.endings import remove_file, retire_overdue

    before = office.record.metrics()
    yield from retire_overdue(office, now)
    for name in before.keys() - office.record.metrics().keys():
        if remove_file(declared.project.root, office.record, name):
            yield f"{name}: removed {before[name].path}"


def _with_git(declared: Declared, repository: Repository, office: Office) -> Iterator[str]:
    from metrics_catalog.governance.repository import ask_merged, commit_certified, commit_written

    project = declared.project
    yield from ask_merged(repository, office)
    record, people = office.record, office.official.people
    yield from commit_certified(repository, record, people, project.root)
    if not project.is_dbt:
        yield from commit_written(repository, record, project.named("models/metrics"))


def _files(declared: Declared, node: str) -> list[str]:
    """The files that say what a dbt node does, or what rows a source lets in; relative to the project."""
    project, graph = declared.project, declared.graph
    for model in (node, node.rpartition(".")[0]):  # the latter of what a model says, as a time spine does of a grain
        if model in graph.nodes:
            return [project.named(graph.nodes[model].path)]
    name = node.rpartition(".")[2]
    paths = [folder / f"{name}.yml" for folder in (project.sources, project.suites)]
    return [path.relative_to(project.root).as_posix() for path in paths]
