"""Published values judged by all rules: what was found in the periods not judged yet. No clock, no messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.monitoring.cases import CAUGHT_UP, Group, cases, groups
from metrics_catalog.monitoring.detectors import DETECTORS
from metrics_catalog.monitoring.detectors.base import Case, Judge, Verdict
from metrics_catalog.monitoring.detectors.shift import DAYS as SHIFTED
from metrics_catalog.monitoring.finding import Evaluation, Finding
from metrics_catalog.monitoring.judged import Fine, Judged, TooLittle
from metrics_catalog.monitoring.memory import Memory
from metrics_catalog.monitoring.watched import last_period
from metrics_catalog.spec.base import Grain

if TYPE_CHECKING:
    from metrics_catalog.published.reader import Published
    from metrics_catalog.published.snapshot import Snapshot

_ALWAYS_BAD = ("target", "drift", "missing")


def evaluate(
    catalog: Catalog, snapshot: Snapshot, memory: Memory, closed_through: date, published: Published | None = None
) -> Evaluation:
    """Judge every watched series on the periods that are over by ``closed_through`` and were not judged before.

    The first time only the newest period is judged. ``memory`` then knows what was judged, and must be kept
    (`Memory.keep`) when the findings are. ``catalog``: the official one. ``published``: where ``snapshot`` is from;
    with it what was learnt is kept, and a new day costs a new day.
    """
    findings: list[Finding] = []
    parts: list[Judged] = []
    through: dict[Grain, date] = dict(memory.through)
    missing: dict[Grain, dict[str, tuple[date, ...]]] = {}
    judged = 0
    calendar = Calendar.of(catalog)
    for group in groups(catalog, memory, closed_through):
        for case in cases(catalog, snapshot, group, memory, published):
            if case.first >= len(case.panel.starts):
                continue  # nothing is new
            verdicts = [_new(verdict, case, group) for verdict in judge(case)]
            findings += (one for verdict in verdicts for one in findings_of(case, verdict))
            parts.append(Judged.by(case.panel.names, case.panel.count, verdicts))
            judged += sum(int((~np.isnan(one.score)).sum()) for one in verdicts)
            missing.setdefault(group.grain, {}).update(_missing(case, verdicts, group))
        through[group.grain] = last_period(calendar, group.grain, closed_through)
    memory.through, memory.missing = through, missing
    seen = tuple(parts)
    return Evaluation(tuple(sorted(findings, key=_order)), Fine(seen), through, TooLittle(seen), judged)


def judge(case: Case, rules: Iterable[Judge] = tuple(DETECTORS.values())) -> Iterator[Verdict]:
    """What every rule says."""
    for rule in rules:
        yield from rule(case)


def findings_of(case: Case, verdict: Verdict) -> Iterator[Finding]:
    """Every (series, period) that breaks the rule."""
    for row, column in np.argwhere(verdict.score > 1):
        yield _finding(case, verdict, int(row), int(column))


def _new(verdict: Verdict, case: Case, group: Group) -> Verdict:
    """Without what was judged before."""
    columns, blocks = case.panel.starts[case.first :], case.panel.blocks
    asked = [[group.must_judge(block.terms.metric, start) for start in columns] for block in blocks]
    if all(all(some) for some in asked):
        return verdict
    wanted = np.repeat(np.array(asked), [len(block.members) for block in blocks], axis=0)[verdict.rows]
    return replace(verdict, score=np.where(wanted, verdict.score, np.nan))


def _missing(case: Case, verdicts: Iterable[Verdict], group: Group) -> Mapping[str, tuple[date, ...]]:
    """Periods without a total, which may come late: those found now, and those known that still have none."""
    totals = {block.terms.metric: block.first for block in case.panel.blocks if not block.cut}
    starts = case.panel.starts
    found: dict[str, list[date]] = {}
    for metric, row in totals.items():
        recent = starts[-CAUGHT_UP[case.panel.like] :]
        still = [start for start in group.late.get(metric, ()) if start in recent]
        found[metric] = [start for start in still if np.isnan(case.panel.values[row, starts.index(start)])]
    for verdict in (one for one in verdicts if one.rule == "missing"):
        for row, column in np.argwhere(verdict.score > 1):
            series = case.panel.names[int(verdict.rows[row])]
            if not series.members and starts[case.first + column] not in found[series.metric]:
                found[series.metric].append(starts[case.first + column])
    return {metric: tuple(days) for metric, days in found.items() if days}


def _finding(case: Case, verdict: Verdict, row: int, column: int) -> Finding:
    panel, known, at = case.panel, case.known, int(verdict.rows[row])
    series, period = panel.names[at], panel.starts[case.first + column]
    found = Finding(
        series,
        verdict.rule,
        period,
        "critical" if verdict.critical[row, column] else "warn",
        _number(panel.values[at, case.first + column]),
        *(_number(part[row, column]) for part in (verdict.expected, verdict.low, verdict.high)),
        score=float(verdict.score[row, column]),
        event=known.lasting(series, period, SHIFTED) if verdict.rule == "shift" else known.event(series, period),
        note=verdict.notes.get((row, column), {}),
    )
    return replace(found, bad=is_bad(found, panel.names.block(at).terms.spec.direction))


def is_bad(found: Finding, direction: str) -> bool:
    """Whether a finding goes against the metric's direction; what has none, and what is missing, always does."""
    if direction == "none" or found.value is None or found.rule in _ALWAYS_BAD:
        return True
    if found.rule == "shift":
        return (found.low is not None) == (direction == "up")
    below = found.low is not None and found.value < found.low
    return below == (direction == "up")


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _order(found: Finding) -> tuple[bool, float, str, str]:
    return not found.bad, -found.score, str(found.period), str(found.series)
