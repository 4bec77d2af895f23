"""A project's folders and dbt manifest -> `Catalog`. Every problem is collected with its file and line.

Adding a metric is adding a file under ``metrics_catalog/metrics/<domain>/``; nothing is registered anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, RootModel

from metrics_catalog.expressions import names
from metrics_catalog.located import Document, InvalidFiles, Loc, Problem, check, load, read
from metrics_catalog.project import Project
from metrics_catalog.rules import check_all
from metrics_catalog.semantic import Semantics, read_semantics
from metrics_catalog.spec.metric import (
    AnyMetric,
    ConversionMetric,
    CumulativeMetric,
    Input,
    Measure,
    Metric,
    RatioMetric,
    SimpleMetric,
    metric_of,
)
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
    spec: AnyMetric
    document: Document

    @property
    def parts(self) -> tuple[tuple[Loc, str | Measure | Input], ...]:
        """What it is made of, each with its place in the file: measures of its own, and other metrics."""
        spec = self.spec
        if isinstance(spec, SimpleMetric):
            return (((), spec),)
        if isinstance(spec, RatioMetric):
            return ((("numerator",), spec.numerator), (("denominator",), spec.denominator))
        if isinstance(spec, CumulativeMetric):
            return ((("metric",), spec.metric),)
        if isinstance(spec, ConversionMetric):
            return ((("base",), spec.base), (("conversion",), spec.conversion))
        given = [(("inputs", name), part) for name, part in spec.inputs.items()]
        return (*given, *((("expr",), name) for name in names(spec.expr) if name not in spec.inputs))


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

    def models(self, name: str, sliced: bool = False) -> tuple[str, ...]:
        """Semantic models whose rows a metric counts; ``sliced``: without the events that conversions look for."""
        return tuple(dict.fromkeys(measure.model for measure in self._measures(name, sliced, {name})))

    def inputs(self, name: str) -> tuple[str, ...]:
        """Metrics that a metric names."""
        return tuple(dict.fromkeys(named for _, part in self.metrics[name].parts if (named := metric_of(part))))

    def _measures(self, name: str, sliced: bool, seen: set[str]) -> Iterator[Measure]:
        """Measures of a metric and of all it is made of; what does not exist is another's problem."""
        entry = self.metrics.get(name)
        for loc, part in () if entry is None else entry.parts:
            if sliced and loc == ("conversion",):
                continue
            if isinstance(part, Measure):
                yield part
            elif (other := metric_of(part)) and other not in seen:
                yield from self._measures(other, sliced, {*seen, other})


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
