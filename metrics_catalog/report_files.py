"""``metrics_catalog/reports/*.yml`` -> reports, and what is wrong with them. A bad report never stops a refresh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from metrics_catalog.catalog import Catalog
from metrics_catalog.located import Document, InvalidFiles, Problem, load, suggest
from metrics_catalog.project import Project
from metrics_catalog.rules.translations import untranslated
from metrics_catalog.spec.metric import MetricFile
from metrics_catalog.spec.report import CORE, Breakdown, Contribution, Headline, Ranking, Report, named


@dataclass(frozen=True)
class ReportFile:
    """A report with its name and file."""

    name: str
    spec: Report
    document: Document

    @cached_property
    def readers(self) -> tuple[str, ...]:
        """People and teams it names."""
        return (*self.spec.audience.people, *self.spec.audience.teams)


def read_reports(project: Project) -> tuple[dict[str, ReportFile], list[Problem]]:
    """The reports that can be read, by name, and what is wrong with the others."""
    found: dict[str, ReportFile] = {}
    problems: list[Problem] = []
    for path in sorted(project.reports.glob("*.y*ml")):
        try:
            spec, document = load(path, Report, project.root)
        except InvalidFiles as invalid:
            problems += invalid.problems
            continue
        if path.suffix != ".yml" or not path.stem.isidentifier() or path.stem != path.stem.lower():
            problems.append(document.problem((), "a report's file is <name>.yml: small letters, digits, underscores"))
            continue
        found[path.stem] = ReportFile(path.stem, spec, document)
    return found, problems


def check_reports(reports: Iterable[ReportFile], catalog: Catalog, retired: Mapping[str, str]) -> list[Problem]:
    """What in them does not fit the catalog. ``retired``: metrics that are no more, and what to use instead."""
    return sorted(problem for report in reports for problem in _check(report, catalog, retired))


def naming(reports: Iterable[ReportFile], metrics: Iterable[str]) -> tuple[str, ...]:
    """The reports that show any of the metrics."""
    wanted = set(metrics)
    return tuple(report.name for report in reports if wanted & set(report.spec.metrics))


def _check(report: ReportFile, catalog: Catalog, retired: Mapping[str, str]) -> Iterator[Problem]:
    yield from untranslated(report.document, report.spec.label, "description", report.spec.description)
    yield from _people(report, catalog)
    per = report.spec.audience.per
    known = {name for name in report.spec.metrics if name in catalog.metrics}
    if per is not None:
        dimensions = {one for entry in catalog.metrics.values() for cut in entry.spec.slices for one in cut}
        if per not in dimensions:
            message = f'audience.per: "{per}" is not a dimension of any metric{suggest(per, dimensions)}'
            yield report.document.problem(("audience", "per"), message)
    for index, section in enumerate(report.spec.sections):
        where = ("sections", index)
        for loc, name in named(section):
            if name not in known:
                yield report.document.problem((*where, *loc), _unknown(name, catalog, retired))
            else:
                yield from _published(report, catalog.metrics[name].spec, name, (*where, *loc), per)
        if isinstance(section, (Breakdown, Ranking, Contribution)) and section.metric in known:
            yield from _sliced(report, catalog.metrics[section.metric].spec, section, index, per)
    yield from _too_many(report)


def _unknown(name: str, catalog: Catalog, retired: Mapping[str, str]) -> str:
    if name in retired:
        instead = f'; use "{retired[name]}"' if retired[name] else ""
        return f'metric "{name}" is retired{instead}'
    if name in catalog.not_read:
        return str(catalog.not_read[name])
    return f'there is no metric "{name}"{suggest(name, catalog.metrics)}'


def _published(
    report: ReportFile, spec: MetricFile, name: str, loc: tuple[str | int, ...], per: str | None
) -> Iterator[Problem]:
    grain = report.spec.grain
    if grain not in spec.judged_grains:
        message = f"{name} is not published by {grain}; it is by {', '.join(spec.judged_grains)}"
        yield report.document.problem(loc, message)
    if per is not None and (per,) not in spec.slices:
        yield report.document.problem(loc, f"{name} is not published by {per}, and a copy for each {per} needs it")


def _sliced(
    report: ReportFile, spec: MetricFile, section: Breakdown | Ranking | Contribution, index: int, per: str | None
) -> Iterator[Problem]:
    wanted = {section.by} if per in (None, section.by) else {section.by, per}
    if not any(set(cut) == wanted for cut in spec.slices):
        shown = "; ".join(", ".join(cut) for cut in spec.slices) or "nothing but the total"
        message = f"by: {section.metric} is not published by {', '.join(sorted(wanted))}; it is by {shown}"
        yield report.document.problem(("sections", index, "by"), message)
    elif per == section.by and not isinstance(section, Ranking):
        message = f"by: a copy for one {per} cannot be split by {per}; a ranking shows its place"
        yield report.document.problem(("sections", index, "by"), message)


def _people(report: ReportFile, catalog: Catalog) -> Iterator[Problem]:
    people, document = catalog.people, report.document
    if report.spec.owner not in people.owners:
        hint = suggest(report.spec.owner, people.owners)
        yield document.problem(("owner",), f'owner "{report.spec.owner}" is not in people.yml{hint}')
    named_ones = {"people": people.people, "teams": people.teams}
    for kind, known in named_ones.items():
        for index, name in enumerate(getattr(report.spec.audience, kind)):
            loc = ("audience", kind, index)
            if name not in known:
                message = f'audience: "{name}" is not among the {kind} of people.yml{suggest(name, known)}'
                yield document.problem(loc, message)
            elif not any(people.people[one].channels for one in people.behind(name)) and not known[name].channels:
                message = f'audience: "{name}" has no channels in people.yml, so nothing can be sent there'
                yield document.problem(loc, message, "warning")


def _too_many(report: ReportFile) -> Iterator[Problem]:
    count = len(report.spec.metrics)
    if count > CORE:
        headline = next((i for i, one in enumerate(report.spec.sections) if isinstance(one, Headline)), 0)
        message = f"shows {count} metrics; nobody keeps more than {CORE} in mind"
        yield report.document.problem(("sections", headline), message, "warning")
