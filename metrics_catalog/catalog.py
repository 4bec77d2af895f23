"""A project's folders and dbt manifest -> `Catalog`. Every problem is collected with its file and line.

Adding a metric is adding a file under ``metrics_catalog/metrics/<domain>/``; nothing is registered anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, RootModel

from metrics_catalog.located import Document, InvalidFiles, Problem, check, load, read
from metrics_catalog.project import Project
from metrics_catalog.rules import check_all
from metrics_catalog.semantic import Semantics, read_semantics
from metrics_catalog.spec.metric import Measure, Metric, RatioMetric, SimpleMetric
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy

S = TypeVar("S", bound=BaseModel)


class _MetricFile(RootModel[Metric]):
    pass


@dataclass(frozen=True)
class Entry:
    """A metric with its name, domain and file."""

    name: str
    domain: str
    spec: SimpleMetric | RatioMetric
    document: Document

    def measures(self, catalog: Mapping[str, Entry]) -> tuple[tuple[str, Measure], ...]:
        """The measures it is made of, with the name each goes by; metrics named in a ratio are looked up."""
        if isinstance(self.spec, SimpleMetric):
            return ((self.name, self.spec),)
        parts = (("numerator", self.spec.numerator), ("denominator", self.spec.denominator))
        return tuple(
            (f"{self.name}__{role}", part) if isinstance(part, Measure) else catalog[part].measures(catalog)[0]
            for role, part in parts
        )


@dataclass(frozen=True)
class Catalog:
    """All metrics of a project, sorted by domain and name, with what they stand on."""

    project: Project
    metrics: Mapping[str, Entry]
    semantics: Semantics
    people: People
    policy: Policy
    people_document: Document
    policy_document: Document

    def measures(self, name: str) -> tuple[tuple[str, Measure], ...]:
        """Measures of one metric: one for a simple metric, numerator and denominator for a ratio."""
        return self.metrics[name].measures(self.metrics)

    def models(self, name: str) -> tuple[str, ...]:
        """Semantic models a metric is computed from."""
        return tuple(dict.fromkeys(measure.model for _, measure in self.measures(name)))


def load_catalog(project: Project) -> Catalog:
    """Read every file of the catalog and check it across files. Raises `InvalidFiles` with all errors found."""
    catalog, problems = examine(project)
    if catalog is None or any(problem.level == "error" for problem in problems):
        raise InvalidFiles(problem for problem in problems if problem.level == "error")
    return catalog


def examine(project: Project) -> tuple[Catalog | None, list[Problem]]:
    """The catalog as far as it can be read, and every problem, warnings included."""
    problems: list[Problem] = []
    metrics = {entry.name: entry for entry in _metrics(project, problems)}
    people = _collect(problems, project.people, People, project)
    policy = _collect(problems, project.policy, Policy, project)
    semantics = None
    try:
        semantics = read_semantics(project.manifest)
    except InvalidFiles as invalid:
        problems += invalid.problems
    if people is None or policy is None or semantics is None:
        return None, sorted(problems)
    catalog = Catalog(project, metrics, semantics, people[0], policy[0], people[1], policy[1])
    return catalog, sorted([*problems, *check_all(catalog)])


def _metrics(project: Project, problems: list[Problem]) -> Iterator[Entry]:
    seen: dict[str, str] = {}
    for path in _yaml_files(project.metrics):
        try:
            document = read(path, project.root)
            name, domain = path.stem, path.parent.name
            problems += _misplaced(path, project, document, seen)
            seen[name] = document.path
            yield Entry(name, domain, check(document, _MetricFile).root, document)
        except InvalidFiles as invalid:
            problems += invalid.problems


def _yaml_files(folder: Path) -> Iterable[Path]:
    return sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")])


def _misplaced(path: Path, project: Project, document: Document, seen: Mapping[str, str]) -> Iterator[Problem]:
    if path.parent.parent != project.metrics or path.suffix != ".yml":
        yield document.problem((), "a metric file belongs at metrics_catalog/metrics/<domain>/<metric>.yml")
    if not path.stem.isidentifier() or not path.stem.isascii() or path.stem != path.stem.lower():
        yield document.problem((), f'"{path.stem}" is not a metric name: use small letters, digits and underscores')
    if path.stem in seen:
        yield document.problem((), f'there is already a metric "{path.stem}" in {seen[path.stem]}')


def _collect(problems: list[Problem], path: Path, spec: type[S], project: Project) -> tuple[S, Document] | None:
    try:
        return load(path, spec, project.root)
    except InvalidFiles as invalid:
        problems += invalid.problems
        return None
