"""Findings with their causes -> troubles: one for one cause, however many slices and metrics it shows in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import cast

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.monitoring.cause import Explained
from metrics_catalog.monitoring.finding import Finding, Level
from metrics_catalog.monitoring.trouble import Member, Trouble
from metrics_catalog.spec.alerting import Cause, Severity
from metrics_catalog.spec.governance import Tier

SLICES = 3  # members of one dimension that move at once: no longer each for a reason of its own
_LEVELS: Mapping[Level, int] = {"critical": 0, "warn": 1}
# A change that was decided, or a day that was known, is less urgent than what nobody knows of.
_MILDER: Mapping[Cause, int] = {"definition": 1, "restatement": 1, "event": 4}
Judged = tuple[Finding, Explained]


def troubles(catalog: Catalog, judged: Sequence[Judged]) -> list[Trouble]:
    """The troubles that findings come to, the most severe first."""
    by_subject: dict[str, list[Judged]] = {}
    moves: list[Finding] = []
    for finding, explained in judged:
        if explained.cause == "move":
            moves.append(finding)
        else:
            by_subject.setdefault(key_of(explained.cause, explained.subjects), []).append((finding, explained))
    found = [_caused(catalog, key, some) for key, some in by_subject.items()]
    explained_of = {(Member.of(finding), finding.period): explained for finding, explained in judged}
    for some in _Moves(catalog, moves).groups():
        explained = explained_of[Member.of(some[0]), some[0].period]
        found.append(_moved(catalog, some, explained))
    return sorted(found, key=lambda trouble: (trouble.severity, trouble.key))


def key_of(cause: Cause, subjects: Sequence[str]) -> str:
    """What a trouble is called by its cause: by its first subject, as one cause rarely has two."""
    return f"{cause}:{subjects[0] if subjects else ''}"[:300]


def severity(catalog: Catalog, cause: Cause, metrics: Iterable[str], level: Level) -> Severity:
    """How bad: by tier and level of the worst metric, milder for what is known."""
    alerts = catalog.policy.alerts
    tiers: list[Tier] = [catalog.metrics[one].spec.tier for one in metrics if one in catalog.metrics]
    worst = min((alerts.severity(tier, level) for tier in tiers), default=3)
    return cast(Severity, min(5, worst + _MILDER.get(cause, 0)))


def ranked(catalog: Catalog, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The most important first: against the metric's direction, tier, total before slices, level, score."""

    def rank(one: Finding) -> tuple[object, ...]:
        entry = catalog.metrics.get(one.series.metric)
        tier = 3 if entry is None else entry.spec.tier
        return (not one.bad, tier, len(one.series.members), _LEVELS[one.level], -one.score, one.series, one.rule)

    return tuple(sorted(findings, key=rank))


def _caused(catalog: Catalog, key: str, judged: Sequence[Judged]) -> Trouble:
    findings = ranked(catalog, (finding for finding, _ in judged))
    explained = next(explained for finding, explained in judged if finding == findings[0])
    metrics = _metrics(findings)
    level: Level = "critical" if any(one.level == "critical" for one in findings) else "warn"
    return Trouble(key, explained, severity(catalog, explained.cause, metrics, level), metrics, findings)


def _moved(catalog: Catalog, findings: Sequence[Finding], explained: Explained) -> Trouble:
    leading = findings[0].series
    members = ",".join(f"{name}={member}" for name, member in leading.members)
    key = ":".join(["move", leading.metric, *([members] if members else [])])
    level: Level = "critical" if any(one.level == "critical" for one in findings) else "warn"
    how_bad = severity(catalog, "move", [leading.metric], level)
    if not any(one.bad for one in findings):
        how_bad = cast(Severity, min(5, how_bad + 2))  # good news: told, without waking anybody
    elif len(leading.members) > 0:
        how_bad = cast(Severity, min(5, how_bad + 1))  # a part of the whole, which itself is within its bounds
    return Trouble(
        key[:300], replace(explained, subjects=(leading.metric,)), how_bad, _metrics(findings), tuple(findings)
    )


def _metrics(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.series.metric for one in findings))


@dataclass
class _Moves:
    """Real moves, joined when they are likely one: related metrics, overlapping periods, slices that can overlap."""

    catalog: Catalog
    findings: list[Finding]

    def groups(self) -> list[tuple[Finding, ...]]:
        """Each group ranked."""
        found = ranked(self.catalog, self.findings)
        root = list(range(len(found)))

        def top(one: int) -> int:
            while root[one] != one:
                root[one] = root[root[one]]
                one = root[one]
            return one

        crowded = self._crowded()
        for later, one in enumerate(found):
            for earlier in range(later):
                if top(earlier) != top(later) and self._same(found[earlier], one, crowded):
                    root[top(later)] = top(earlier)
        grouped: dict[int, list[Finding]] = {}
        for number, one in enumerate(found):
            grouped.setdefault(top(number), []).append(one)
        return [tuple(some) for some in grouped.values()]

    def _crowded(self) -> set[tuple[str, date, tuple[str, ...]]]:
        """Metrics, periods and slices of which many members move."""
        seen: dict[tuple[str, date, tuple[str, ...]], set[object]] = {}
        for one in self.findings:
            series = one.series
            seen.setdefault((series.metric, one.period, series.slice), set()).add(series.members)
        return {key for key, members in seen.items() if len(members) >= SLICES}

    def _same(self, one: Finding, other: Finding, crowded: set[tuple[str, date, tuple[str, ...]]]) -> bool:
        tree = self._in_tree(one.series.metric, other.series.metric)
        if not (tree or self._share_rows(one.series.metric, other.series.metric)):
            return False
        mine, theirs = self._span(one), self._span(other)
        if mine.end <= theirs.start or theirs.end <= mine.start:
            return False
        if not tree and _sign(one) * _sign(other) < 0:
            return False
        a, b = one.series, other.series
        if not a.members or not b.members or a.slice != b.slice or a.members == b.members:
            return True
        return (a.metric, one.period, a.slice) in crowded and (b.metric, other.period, b.slice) in crowded

    def _in_tree(self, one: str, other: str) -> bool:
        return one == other or one in self._made_of(other) or other in self._made_of(one)

    def _made_of(self, metric: str) -> frozenset[str]:
        return self.catalog.once((_Moves, metric), lambda: frozenset(self.catalog.made_of([metric])))

    def _share_rows(self, one: str, other: str) -> bool:
        """Whether they count the same rows, or rows that are made of the other's, as receipts are of their lines."""
        mine, theirs = self._nodes(one), self._nodes(other)
        upstream = self.catalog.semantics.upstream
        return any(a in upstream(b) or b in upstream(a) for a in mine for b in theirs)

    def _nodes(self, metric: str) -> tuple[str, ...]:
        return tuple(self.catalog.semantics.model(model).node for model in self.catalog.models(metric))

    def _span(self, one: Finding) -> Span:
        return Calendar.of(self.catalog).span(one.series.grain, one.period)


def _sign(one: Finding) -> int:
    if one.value is None or one.expected is None:
        return 0
    return (one.value > one.expected) - (one.value < one.expected)
