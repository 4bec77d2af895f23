"""A project's folders and dbt manifest -> `Catalog`. Every problem is collected with its file and line.

Adding a metric is adding a file under ``metrics_catalog/metrics/<domain>/``; nothing is registered anywhere. Metrics
written in the dbt project's own semantic layer are metrics too; one that cannot be taken over is left out, and said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, RootModel

from metrics_catalog.built_columns import with_built_columns
from metrics_catalog.built_periods import with_built_periods
from metrics_catalog.dbt_metrics.parts import DbtMetrics
from metrics_catalog.dbt_metrics.read import read_dbt_metrics
from metrics_catalog.derived import Unchanging
from metrics_catalog.expressions import names, values_asked
from metrics_catalog.located import Document, InvalidFiles, Loc, Problem, check, load, read
from metrics_catalog.project import DBT_FILE, Project
from metrics_catalog.read_semantics import read_semantics
from metrics_catalog.rules import check_all
from metrics_catalog.semantic import EntityValues, Semantics
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
_NOBODY = People(departments={}, people={}, teams={})


class _MetricFile(RootModel[Metric]):
    pass


@dataclass(frozen=True)
class Entry:
    """A metric with its name, domain and file; ``is_dbts``: written in the dbt project's semantic layer."""

    name: str
    domain: str
    spec: AnyMetric
    document: Document
    is_dbts: bool = False

    @cached_property
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

    @cached_property
    def asked(self) -> tuple[tuple[Loc, EntityValues], ...]:
        """Values of other metrics that its filters ask for, each with the place of the filter."""
        filters = [((*loc, "filter"), part.filter) for loc, part in self.parts if not isinstance(part, str)]
        return tuple((loc, values) for loc, text in filters if text for values in values_asked(text))


@dataclass(frozen=True)
class Catalog(Unchanging):
    """All metrics of a project, sorted by domain and name, with what they stand on.

    ``not_read``: metrics of the dbt project that are not taken over, and why (what has no name yet, by its place);
    ``warnings``: what else to know. ``eras``: earlier definitions that still hold for earlier periods, the last first.
    Of such an earlier catalog ``later`` is the one after it, whose columns it shares, and ``until`` its end.
    """

    project: Project
    metrics: Mapping[str, Entry]
    semantics: Semantics
    people: People
    policy: Policy
    people_document: Document
    policy_document: Document
    not_read: Mapping[str, Problem] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    eras: tuple[Era, ...] = ()
    later: Catalog | None = None
    until: date | None = None

    def models(self, name: str, sliced: bool = False) -> tuple[str, ...]:
        """Semantic models whose rows a metric counts; ``sliced``: without the events that conversions look for."""
        return tuple(dict.fromkeys(measure.model for measure in self._measures(name, sliced, {name})))

    def inputs(self, name: str) -> tuple[str, ...]:
        """Metrics that a metric names: parts of it, and those whose values its filters ask for."""
        entry = self.metrics[name]
        parts = (named for _, part in entry.parts if (named := metric_of(part)))
        return tuple(dict.fromkeys((*parts, *(values.metric for _, values in entry.asked))))

    def counted(self, name: str) -> tuple[str, ...]:
        """Semantic models whose rows a metric counts, or a metric whose values its filters ask for."""
        return tuple(dict.fromkeys(model for one in self.made_of([name]) for model in self.models(one)))

    def made_of(self, names: Iterable[str]) -> list[str]:
        """Metrics, then all that these are made of, each once."""
        found = list(dict.fromkeys(names))
        seen = set(found)
        for name in found:
            new = [one for one in self.inputs(name) if one in self.metrics and one not in seen]
            seen.update(new)
            found += new
        return found

    def using(self, name: str) -> list[str]:
        """A metric, then all that have it in them, each once."""
        users: dict[str, list[str]] = {}
        for one in self.metrics:
            for used in self.inputs(one):
                users.setdefault(used, []).append(one)
        found, seen = [name], {name}
        for one in found:
            new = [user for user in users.get(one, ()) if user not in seen]
            seen.update(new)
            found += new
        return found

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


@dataclass(frozen=True)
class Era:
    """Definitions that hold for periods that begin before ``until``, and since the era before."""

    until: date
    catalog: Catalog


def load_catalog(project: Project) -> Catalog:
    """Read every file of the catalog and check it across files. Raises `InvalidFiles` with all errors found."""
    catalog, problems = examine(project)
    if catalog is None or any(problem.level == "error" for problem in problems):
        raise InvalidFiles(problem for problem in problems if problem.level == "error")
    return catalog


def examine(
    project: Project, people: tuple[People, Document] | None = None, policy: tuple[Policy, Document] | None = None
) -> tuple[Catalog | None, list[Problem]]:
    """The catalog as far as it can be read, and every problem, warnings included.

    ``people`` and ``policy`` stand in for a file that cannot be read.
    """
    problems: list[Problem] = []
    metrics = {entry.name: entry for entry in _metrics(project, problems)}
    people = _collect(problems, project.people, People, project, _NOBODY) or people
    policy = _collect(problems, project.policy, Policy, project, Policy()) or policy
    semantics, dbts = None, DbtMetrics()
    try:
        semantics = read_semantics(project.manifest, project.dbt / DBT_FILE)
        semantics = with_built_periods(semantics, project)
        semantics = with_built_columns(semantics, project) if project.is_dbt else semantics
        dbts = read_dbt_metrics(project, semantics)
    except InvalidFiles as invalid:
        problems += invalid.problems
    if people is None or policy is None or semantics is None:
        return None, sorted(problems)
    problems += _twice(metrics, dbts)
    semantics = replace(semantics, timezone=policy[0].timezone)
    catalog = Catalog(project, metrics, semantics, people[0], policy[0], people[1], policy[1])
    catalog, found = _with_dbts(catalog, dbts)
    warnings = sorted(problem for problem in (*problems, *found) if problem.level == "warning")
    return replace(catalog, warnings=tuple(warnings)), sorted([*problems, *found])


def entry_of(name: str, domain: str, document: Document) -> Entry:
    """A metric file's content as an entry. Raises `InvalidFiles`."""
    return Entry(name, domain, check(document, _MetricFile).root, document)


def _twice(metrics: Mapping[str, Entry], dbts: DbtMetrics) -> Iterator[Problem]:
    for name in sorted(set(metrics) & {*dbts.metrics, *dbts.not_read}):
        theirs = dbts.metrics[name].document.problem((), "") if name in dbts.metrics else dbts.not_read[name]
        where = f"{theirs.path}:{theirs.line}"
        yield metrics[name].document.problem(
            (), f'the dbt project has a metric "{name}" too, in {where}; keep one of them'
        )


def _with_dbts(catalog: Catalog, dbts: DbtMetrics) -> tuple[Catalog, list[Problem]]:
    """The catalog with those of dbt's metrics that no rule finds fault with, and what the rules say of the rest."""
    not_read = dict(dbts.not_read)
    while True:
        found = {name: one for name, one in dbts.metrics.items() if name not in {*not_read, *catalog.metrics}}
        entries = [Entry(one.name, one.domain, one.spec, one.document, is_dbts=True) for one in found.values()]
        every = sorted([*catalog.metrics.values(), *entries], key=lambda entry: (entry.domain, entry.name))
        whole = replace(catalog, metrics={entry.name: entry for entry in every}, not_read=not_read)
        problems = list(check_all(whole))
        faults = {name: p for p in problems if p.level == "error" for name, one in found.items() if one.holds(p)}
        if not faults:
            left = {**not_read, **{f"{one.path}:{one.line}": one for one in dbts.unnamed}}
            told = [replace(problem, level="warning") for problem in left.values()]
            notes = [note for one in found.values() for note in one.notes]
            return replace(whole, not_read=left), [*problems, *told, *notes]
        for name, problem in faults.items():
            not_read[name] = replace(problem, message=f'metric "{name}" is not read: {problem.message}')


def _metrics(project: Project, problems: list[Problem]) -> Iterator[Entry]:
    seen: dict[str, str] = {}
    folder = project.metrics
    for path in _yaml_files(folder):
        try:
            document = read(path, project.root)
            name, domain = path.stem, path.parent.name
            problems += _misplaced(path, folder, document, seen)
            seen[name] = document.path
            yield entry_of(name, domain, document)
        except InvalidFiles as invalid:
            problems += invalid.problems


def _yaml_files(folder: Path) -> Iterable[Path]:
    return sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")])


def _misplaced(path: Path, folder: Path, document: Document, seen: Mapping[str, str]) -> Iterator[Problem]:
    if path.parent.parent != folder or path.suffix != ".yml":
        yield document.problem((), "a metric file belongs at metrics_catalog/metrics/<domain>/<metric>.yml")
    if not path.stem.isidentifier() or not path.stem.isascii() or path.stem != path.stem.lower():
        yield document.problem((), f'"{path.stem}" is not a metric name: use small letters, digits and underscores')
    if path.stem in seen:
        yield document.problem((), f'there is already a metric "{path.stem}" in {seen[path.stem]}')


def _collect(
    problems: list[Problem], path: Path, spec: type[S], project: Project, absent: S
) -> tuple[S, Document] | None:
    """A file's content; ``absent``: what an existing dbt project, which has no such file, means by that."""
    if project.is_dbt and not path.exists():
        return absent, Document(path.relative_to(project.root).as_posix(), {}, {})
    try:
        return load(path, spec, project.root)
    except InvalidFiles as invalid:
        problems += invalid.problems
        return None
