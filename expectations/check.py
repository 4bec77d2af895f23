"""Suites against the sources they are for, and against Great Expectations. Judges no data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from expectations.suite import ExpectationSpec, Suite
from metrics_catalog.located import Problem, suggest

Columns = Mapping[str, str]


def check_suites(suites: Mapping[str, Suite], sources: Mapping[str, Columns]) -> list[Problem]:
    """Every problem of ``suites`` with its line; ``sources`` are columns and their types by source name.

    Imports Great Expectations (seconds); `check_columns` is the part that does not.
    """
    return check_columns(suites, sources) + [problem for suite in suites.values() for problem in malformed(suite)]


def check_columns(suites: Mapping[str, Suite], sources: Mapping[str, Columns]) -> list[Problem]:
    """Sources and columns that do not exist, each with its line."""
    problems: list[Problem] = []
    for suite in suites.values():
        if suite.name not in sources:
            message = f'there is no source "{suite.name}"{suggest(suite.name, sources)}'
            problems.append(suite.problem_at((), message))
            continue
        for index, spec in enumerate(suite.expectations):
            found = [*_unknown(spec, sources[suite.name]), *_unknown_reference(spec, sources)]
            problems += [suite.problem(index, ("kwargs", *loc), message) for loc, message in found]
    return problems


def malformed(suite: Suite) -> list[Problem]:
    """What Great Expectations itself refuses in ``suite``, each with its line. Imports it when there is a need."""
    theirs = [(index, spec) for index, spec in enumerate(suite.expectations) if not spec.kind.own]
    if not theirs:
        return []
    from expectations.gx.judge import refused

    return [suite.problem(index, ("kwargs", *loc), message) for index, spec in theirs for loc, message in refused(spec)]


def _unknown(spec: ExpectationSpec, columns: Columns) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name, loc in spec.kind.columns_of(spec.kwargs):
        if name not in columns:
            yield loc, f'"{name}" is not a column of the source{suggest(name, columns)}'


def _unknown_reference(spec: ExpectationSpec, sources: Mapping[str, Columns]) -> Iterator[tuple[tuple[str, ...], str]]:
    if spec.type != "references":
        return
    source, field = spec.kwargs["source"], spec.kwargs["field"]
    if source not in sources:
        yield ("source",), f'there is no source "{source}"{suggest(source, sources)}'
    elif field not in sources[source]:
        yield ("field",), f'"{field}" is not a column of {source}{suggest(field, sources[source])}'
