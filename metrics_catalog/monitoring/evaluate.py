"""Published values judged by all rules: what was found in the periods not judged yet. No clock, no messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.monitoring.calendar import Known, known_days
from metrics_catalog.monitoring.detectors import DETECTORS
from metrics_catalog.monitoring.detectors.base import Judge, Verdict
from metrics_catalog.monitoring.finding import Evaluation, Finding, RuleName, Series
from metrics_catalog.monitoring.memory import Memory
from metrics_catalog.monitoring.series import Panel, last_period, read_panel, starts_until
from metrics_catalog.monitoring.watched import Terms, terms_of
from metrics_catalog.spec.base import Grain, ordered

if TYPE_CHECKING:
    from metrics_catalog.published.snapshot import Snapshot

# Periods read to learn from, and periods judged at most when evaluations were missed.
HISTORY: Mapping[Grain, int] = {"day": 400, "week": 120, "month": 60, "quarter": 24, "year": 12}
CAUGHT_UP: Mapping[Grain, int] = {"day": 28, "week": 4, "month": 2, "quarter": 1, "year": 1}


@dataclass(frozen=True)
class Judged:
    """What was judged at one grain: the panel, what each rule said of its columns from ``first`` on."""

    panel: Panel
    first: int
    verdicts: tuple[Verdict, ...]

    @property
    def number(self) -> int:
        """(series, rule, period) triples that could be judged."""
        return sum(int((~np.isnan(one.score)).sum()) for one in self.verdicts)


def evaluate(catalog: Catalog, snapshot: Snapshot, memory: Memory, closed_through: date) -> Evaluation:
    """Judge every watched series on the periods that are over by ``closed_through`` and were not judged before.

    The first time only the newest period is judged. ``memory`` then knows what was judged, and must be kept
    (`Memory.keep`) when the findings are. ``catalog``: the official one.
    """
    calendar, terms = Calendar(catalog.policy.week_start), terms_of(catalog)
    findings: list[Finding] = []
    fine: set[tuple[Series, RuleName]] = set()
    too_little: dict[Series, str] = {}
    through: dict[Grain, date] = dict(memory.through)
    judged = 0
    for grain, wanted in by_grain(terms.values()).items():
        last = last_period(calendar, grain, closed_through)
        starts = starts_until(calendar, grain, last, HISTORY[grain])
        known = known_days(catalog.policy, starts[0], starts[-1])
        panel = read_panel(snapshot, wanted, grain, starts)
        found = judge(panel, known, first_column(panel, memory.through.get(grain), CAUGHT_UP[grain]))
        findings += findings_of(found, known)
        fine |= fine_of(found)
        for verdict in found.verdicts:
            too_little |= verdict.too_little
        through[grain] = last
        judged += found.number
    memory.through = through
    return Evaluation(tuple(sorted(findings, key=_order)), frozenset(fine), through, too_little, judged)


def by_grain(terms: Iterable[Terms]) -> dict[Grain, list[Terms]]:
    """Metrics that have something to judge, by grain."""
    found: dict[Grain, list[Terms]] = defaultdict(list)
    for one in terms:
        for grain in one.grains:
            found[grain].append(one)
    return {grain: found[grain] for grain in ordered(found)}


def first_column(panel: Panel, through: date | None, most: int) -> int:
    """The first column to judge: the one after what was judged; without that the last, and ``most`` at most."""
    end = len(panel.starts)
    if through is None:
        return end - 1
    later = sum(1 for start in panel.starts if start > through)
    return end - max(1, min(later, most))  # the newest again when nothing is new: it may have been corrected


def judge(panel: Panel, known: Known, first: int, rules: Iterable[Judge] = tuple(DETECTORS.values())) -> Judged:
    """Every rule on the columns from ``first`` on."""
    return Judged(panel, first, tuple(verdict for rule in rules for verdict in rule(panel, known, first)))


def findings_of(judged: Judged, known: Known) -> Iterator[Finding]:
    """Every (series, period) that breaks a rule."""
    for verdict in judged.verdicts:
        for row, column in np.argwhere(verdict.score > 1):
            yield _finding(judged, verdict, int(row), int(column), known)


def fine_of(judged: Judged) -> set[tuple[Series, RuleName]]:
    """(series, rule) pairs whose newest period was judged and breaks nothing."""
    return {
        (judged.panel.series[verdict.rows[row]], verdict.rule)
        for verdict in judged.verdicts
        for row in np.flatnonzero(verdict.score[:, -1] <= 1)
    }


def _finding(judged: Judged, verdict: Verdict, row: int, column: int, known: Known) -> Finding:
    panel, at = judged.panel, int(verdict.rows[row])
    series, period = panel.series[at], panel.starts[judged.first + column]
    value = _number(panel.values[at, judged.first + column])
    expected, low, high = (_number(part[row, column]) for part in (verdict.expected, verdict.low, verdict.high))
    found = Finding(
        series,
        verdict.rule,
        period,
        "critical" if verdict.critical[row, column] else "warn",
        value,
        expected,
        low,
        high,
        float(verdict.score[row, column]),
        event=known.event(series, period),
        note=verdict.notes.get(row, {}),
    )
    direction = next(one.terms.spec.direction for one in panel.blocks if one.first <= at < one.last)
    return replace(found, bad=is_bad(found, direction))


def is_bad(found: Finding, direction: str) -> bool:
    """Whether a finding goes against the metric's direction; what has none, and what is missing, always does."""
    if direction == "none" or found.value is None:
        return True
    below = found.low is not None and found.value < found.low
    return below == (direction == "up")


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _order(found: Finding) -> tuple[bool, float, str, str]:
    return not found.bad, -found.score, str(found.period), str(found.series)
