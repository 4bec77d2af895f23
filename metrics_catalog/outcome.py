"""What a publish came to, metric by metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Literal

from metrics_catalog.changes import Changes
from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.published.model import AuditReport

if TYPE_CHECKING:
    from metrics_catalog.governance.record import Record, Request

State = Literal["published", "unchanged", "held", "no data"]


@dataclass(frozen=True)
class Hold:
    """Published values would change and nobody said they may: why, and the request that asks for it."""

    metric: str
    why: str
    request: Request | None = None

    def __str__(self) -> str:
        asked = "" if self.request is None else f" ({self.request.name})"
        return f"{self.metric}: published values would change: {self.why}{asked}"


@dataclass(frozen=True)
class MetricOutcome:
    """What became of one metric: ``periods`` computed (over all grains), ``rows`` of all slices.

    ``findings``: what the audit refused. ``hold``: what waits for an approval. ``note``: why values published before
    were changed. ``definition``: the fingerprint of its calculation.
    """

    metric: str
    state: State
    periods: int = 0
    rows: int = 0
    findings: tuple[str, ...] = ()
    hold: Hold | None = None
    note: str | None = None
    definition: str = ""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is held, in words."""
        return (*self.findings, *([str(self.hold)] if self.hold else []))


@dataclass(frozen=True)
class PublishOutcome:
    """What a publish did; ``version`` is None when nothing changed. ``waiting``: days each source has not delivered."""

    version: int | None
    closed_through: date
    metrics: Mapping[str, MetricOutcome]
    waiting: Mapping[str, tuple[date, ...]]
    rows: int = 0


def holds_of(marks: Mapping[str, Mapping[str, str]], record: Record) -> dict[str, Hold]:
    """Of the marks of a publish, each with the request that was opened for it."""
    return {
        metric: Hold(metric, mark["why"], record.restatement(metric, mark["digest"])) for metric, mark in marks.items()
    }


def outcome_of(
    changes: Changes,
    version: int | None,
    periods: Mapping[str, int],
    rows: Mapping[str, int],
    report: AuditReport,
    holds: Mapping[str, Hold],
    notes: Mapping[str, str],
) -> PublishOutcome:
    """``periods``: how many of each metric were computed; ``rows``: of each that were published."""
    metrics: dict[str, MetricOutcome] = {}
    prints = calculations(changes.catalog)
    for metric in changes.catalog.metrics:
        findings = tuple(str(finding) for finding in report.findings if finding.metric == metric)
        one = MetricOutcome(
            metric, "published", periods.get(metric, 0), rows.get(metric, 0), findings, holds.get(metric)
        )
        state = _state(one, metric in periods, any(changes.spans[model] for model in changes.models(metric)))
        note = notes.get(metric) if state == "published" else None
        metrics[metric] = replace(one, state=state, note=note, definition=prints[metric])
    owed = {
        source: tuple(sorted(day for day in coverage.missing if day <= changes.closed_through))
        for source, coverage in changes.inputs.coverages.items()
    }
    total = sum(one.rows for one in metrics.values() if one.state == "published")
    waiting = {source: days for source, days in owed.items() if days}
    return PublishOutcome(version, changes.closed_through, metrics, waiting, total)


def _state(outcome: MetricOutcome, computed: bool, has_rows: bool) -> State:
    if outcome.reasons:
        return "held"
    if not computed:
        return "unchanged" if has_rows else "no data"
    return "published" if outcome.rows else "no data"
