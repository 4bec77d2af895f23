"""What a rule found in published values: plain data between the detectors and the incidents."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from metrics_catalog.spec.base import Grain

RuleName = Literal["bounds", "target", "change", "anomaly", "shift", "drift", "missing"]
Level = Literal["warn", "critical"]


@dataclass(frozen=True, order=True)
class Series:
    """One metric at one grain for one slice: ``members`` are (dimension, member) in the slice's order; total: ()."""

    metric: str
    grain: Grain
    members: tuple[tuple[str, str | None], ...] = ()

    @property
    def slice(self) -> tuple[str, ...]:
        """The slice's dimensions."""
        return tuple(dimension for dimension, _ in self.members)


@dataclass(frozen=True)
class Finding:
    """One period of one series breaks one rule.

    ``value``: as published, None where it is missing. ``expected``, ``low``, ``high``: what the rule reckoned with, in
    the metric's unit. ``score``: how far out, comparable between findings of all rules (1: just over the edge).
    ``bad``: against the metric's direction; a metric without one is always bad. ``event``: a known event or holiday
    that day, in both languages. ``note``: what the rule has to say, by language.
    """

    series: Series
    rule: RuleName
    period: date
    level: Level
    value: float | None
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    score: float = 1.0
    bad: bool = True
    event: Mapping[str, str] | None = None
    note: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """What one evaluation judged: ``fine`` are the (series, rule) pairs judged in order on their newest period.

    ``through``: the last period that was judged, per grain. ``too_little``: series with too little data to judge, and
    why. ``judged``: (series, rule, period) triples looked at.
    """

    findings: tuple[Finding, ...]
    fine: Container[tuple[Series, RuleName]]
    through: Mapping[Grain, date]
    too_little: Mapping[Series, str] = field(default_factory=dict)
    judged: int = 0
