"""Everything a project declares, read together: sources, suites, dbt project, catalog; problems with their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from expectations.check import check_columns
from expectations.suite import Suite, load_suites
from metrics_catalog.catalog import Catalog
from metrics_catalog.governance.begun import Definitions, definitions_of
from metrics_catalog.located import InvalidFiles, Problem, read, suggest
from metrics_catalog.project import Project
from orchestration.ingest.spec import AnySource, load_specs
from orchestration.settings import Settings
from orchestration.transform.graph import DbtGraph, read_graph
from orchestration.transform.runner import ensure_parsed

T = TypeVar("T")


@dataclass(frozen=True)
class Declared:
    """A project, consistent across files. Every source has a suite, if an empty one.

    ``catalog`` is the official one, of ``definitions``.
    """

    settings: Settings
    project: Project
    sources: dict[str, AnySource]
    suites: dict[str, Suite]
    graph: DbtGraph
    definitions: Definitions

    @property
    def catalog(self) -> Catalog:
        """What the platform computes by."""
        return self.definitions.official


def read_declared(settings: Settings) -> Declared:
    """Read the whole project; dbt parses when its files changed. Raises `InvalidFiles` with all problems found."""
    project = settings.locate()
    problems: list[Problem] = []
    sources = _collect(problems, lambda: load_specs(project))
    suites = _collect(problems, lambda: load_suites(project.suites, project.root))
    graph = _collect(problems, lambda: read_graph(ensure_parsed(project), project.dbt))
    definitions = _collect(problems, lambda: definitions_of(project)) if graph is not None else None
    if sources is not None and suites is not None:
        columns = {name: {column: one.type for column, one in spec.columns.items()} for name, spec in sources.items()}
        problems += check_columns(suites, columns)
    if sources is not None and graph is not None:
        problems += _undeclared(project, sources, graph)
    if sources is not None and definitions is not None:
        problems += _unknown_owners(project, sources, definitions.official)
    if problems or sources is None or suites is None or graph is None or definitions is None:
        raise InvalidFiles(problems)
    whole = {name: suites.get(name, Suite.empty(name)) for name in sources}
    return Declared(settings, project, sources, whole, graph, definitions)


def _collect(problems: list[Problem], read_part: Callable[[], T]) -> T | None:
    try:
        return read_part()
    except InvalidFiles as invalid:
        problems += invalid.problems
        return None


def _undeclared(project: Project, sources: dict[str, AnySource], graph: DbtGraph) -> Iterator[Problem]:
    for id_, table in graph.clean_sources().items():
        if table not in sources:
            yield Problem(
                project.named(graph.source_paths[id_]),
                1,
                f'source clean.{table}: there is no source "{table}"{suggest(table, sources)}',
            )


def _unknown_owners(project: Project, sources: dict[str, AnySource], catalog: Catalog) -> Iterator[Problem]:
    for name, spec in sources.items():
        if spec.owner not in catalog.people.owners:
            document = read(project.sources / f"{name}.yml", project.root)
            hint = suggest(spec.owner, catalog.people.owners)
            yield document.problem(("owner",), f'owner: "{spec.owner}" is not in {catalog.people_document.path}{hint}')
