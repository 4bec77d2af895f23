"""`metrics check`: every hand-written file of a project at once, each problem with its file and line."""

from __future__ import annotations

from dataclasses import dataclass, replace

from metrics_catalog.governance.begun import Definitions
from metrics_catalog.located import InvalidFiles, Problem
from orchestration.settings import Settings


@dataclass(frozen=True)
class Checked:
    """How much was checked (0 where it could not be read), and what is wrong, sorted by place."""

    metrics: int
    sources: int
    suites: int
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> int:
        """Problems that stop a refresh."""
        return sum(problem.level == "error" for problem in self.problems)

    @property
    def counts(self) -> dict[str, int]:
        """Numbers for the last line of a report."""
        warnings = len(self.problems) - self.errors
        checked = {"sources": self.sources, "suites": self.suites, "metrics": self.metrics}
        return {**checked, "errors": self.errors, "warnings": warnings}


def check_project(settings: Settings) -> Checked:
    """Check sources, suites, the dbt project and the catalog, and that what is generated from them is fresh."""
    from expectations.check import check_suites
    from metrics_catalog.monitoring import comparable
    from orchestration.declared import read_declared
    from orchestration.generate import outdated, stale

    try:
        declared = read_declared(settings)
    except InvalidFiles as invalid:
        return Checked(0, 0, 0, invalid.problems)
    definitions = declared.definitions
    suites = {name: suite for name, suite in declared.suites.items() if suite.expectations}
    columns = {name: {one: spec.columns[one].type for one in spec.columns} for name, spec in declared.sources.items()}
    problems = [
        *check_suites(suites, columns),
        *outdated(declared.catalog, stale(declared.catalog)),
        *definitions.files.warnings,
    ]
    problems += [*definitions.problems, *comparable.check(definitions.files), *_reports(definitions)]
    if definitions.record is not None:
        from metrics_catalog.governance.proposals import not_official

        problems += not_official(definitions.files, definitions.record)
    return Checked(len(definitions.files.metrics), len(declared.sources), len(suites), tuple(sorted(problems)))


def _reports(definitions: Definitions) -> list[Problem]:
    """What is wrong with reports, by the official metrics and those that are still proposed."""
    from metrics_catalog.governance.record import METRIC
    from metrics_catalog.report_files import check_reports, read_reports

    official, record = definitions.official, definitions.record
    reports, problems = read_reports(official.project)
    newest = {} if record is None else {subject: versions[-1] for subject, versions in record.versions.items()}
    retired = {
        subject.removeprefix(METRIC): version.successor or ""
        for subject, version in newest.items()
        if version.status == "retired"
    }
    metrics = {name: one for name, one in definitions.files.metrics.items() if name not in retired}
    catalog = replace(official, metrics={**metrics, **official.metrics}, people=definitions.files.people)
    return [*problems, *check_reports(reports.values(), catalog, retired)]
