"""Who judges what: own rules in SQL, the rest by Great Expectations on the new rows or on the whole source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb

from expectations import quarantine, results, rules
from expectations.check import malformed
from expectations.progress import Progress
from expectations.quarantine import FINDINGS, NOTHING
from expectations.results import Outcome
from expectations.suite import ExpectationSpec, Suite
from metrics_catalog.located import InvalidFiles

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from expectations.gx.engine import DuckDBDatasource


class MiscountError(Exception):
    """The rows found are not the rows Great Expectations counted: a defect here, so nothing is accepted."""


@dataclass
class Judged:
    """``outcomes`` by expectation; ``new`` of this run; ``kept``: reasons of accepted rows that still stand."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome, keep: bool) -> None:
        """An outcome of this run; ``keep``: it says nothing about rows accepted before."""
        self.outcomes[outcome.name] = outcome
        self.new.append(outcome.name)
        if keep:
            self.kept.append(outcome.name)


def judge(con: DuckDBPyConnection, suite: Suite, progress: Progress) -> Judged:
    """Outcomes of ``suite`` for what is new; bad rows are in the findings. Raises `InvalidFiles`, `MiscountError`."""
    judged = Judged()
    _own(con, suite, progress, judged)
    others = [spec for spec in suite.expectations if not spec.kind.own]
    if progress.loaded:
        rows = quarantine.rows_after(con, suite.name, progress.since)
        by_row = [spec for spec in others if spec.kind.level == "row"]
        if not rows:  # rows were only removed: no row is left to judge, and those that stay are judged
            for spec in by_row:
                judged.add(Outcome.of(spec, True, 0, 0), keep=not progress.full)
        _by_great_expectations(con, suite, progress, [spec for spec in others if rows or spec not in by_row], judged)
    _carry_over(con, suite, judged)
    return judged


def _own(con: DuckDBPyConnection, suite: Suite, progress: Progress, judged: Judged) -> None:
    for spec in suite.expectations:
        if not spec.kind.own:
            continue
        reloaded = spec.kwargs.get("source") in progress.reloaded
        if not (progress.loaded or reloaded):
            continue
        try:
            found = rules.find(con, suite.name, spec, NOTHING if reloaded else progress.since)
        except duckdb.Error as error:
            judged.add(Outcome.of(spec, False, error=str(error).splitlines()[0]), keep=True)
        else:
            judged.add(Outcome.of(spec, not found.unexpected, found.unexpected, found.elements), keep=False)


def _by_great_expectations(
    con: DuckDBPyConnection, suite: Suite, progress: Progress, specs: Sequence[ExpectationSpec], judged: Judged
) -> None:
    if not specs:
        return
    if problems := malformed(suite):
        raise InvalidFiles(problems)
    from expectations.gx.engine import opened

    whole = [spec for spec in specs if progress.full or spec.kind.level != "row"]
    with opened(con) as datasource:
        _batch(con, datasource, suite.name, None, whole, judged)
        _batch(con, datasource, suite.name, progress.since, [spec for spec in specs if spec not in whole], judged)


def _batch(
    con: DuckDBPyConnection,
    datasource: DuckDBDatasource,
    source: str,
    since: int | None,
    specs: Sequence[ExpectationSpec],
    judged: Judged,
) -> None:
    """Judge one batch (``since`` None: the whole source) and collect its bad rows."""
    if not specs:
        return
    from expectations.gx.judge import answers, statements

    batch = datasource.batch(source, since)
    found = answers(batch, specs)
    for spec in specs:
        answer = found[spec.name]
        counts = (answer.unexpected_count, answer.element_count)
        outcome = Outcome.of(spec, answer.success, *counts, observed=answer.observed, error=answer.error)
        judged.add(outcome, keep=since is not None or answer.error is not None)
    bad = [spec for spec in specs if judged.outcomes[spec.name].quarantined]
    for statement in statements(datasource, batch, source, since, bad):
        con.execute(f"INSERT INTO {FINDINGS} {statement.sql}", list(statement.values))
    _guard(con, [judged.outcomes[spec.name] for spec in bad])


def _guard(con: DuckDBPyConnection, outcomes: Sequence[Outcome]) -> None:
    """Count per reason is what Great Expectations counted, or nothing is written."""
    rows = quarantine.counts(con)
    for outcome in outcomes:
        if rows.get(outcome.name, 0) != outcome.unexpected_count:
            raise MiscountError(
                f"{outcome.name}: {rows.get(outcome.name, 0)} rows found, {outcome.unexpected_count} counted"
            )


def _carry_over(con: DuckDBPyConnection, suite: Suite, judged: Judged) -> None:
    """What was not judged now keeps its last outcome, and the reasons it gave."""
    known = results.latest(con, suite.name)
    for spec in suite.expectations:
        if spec.name not in judged.outcomes and spec.name in known:
            judged.outcomes[spec.name] = known[spec.name]
            judged.kept.append(spec.name)
