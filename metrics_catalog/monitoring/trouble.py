"""One thing that is wrong now, as one evaluation sees it; incidents are what becomes of it over time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from metrics_catalog.monitoring.cause import Explained
from metrics_catalog.monitoring.finding import Finding, Level, RuleName, Series
from metrics_catalog.spec.alerting import Severity


class Member(NamedTuple):
    """What an incident is made of and recovers by: one rule on one series."""

    series: Series
    rule: RuleName

    def as_json(self) -> list[Any]:
        """Plain data, from which `read` makes it again."""
        return [self.series.metric, self.series.grain, [list(pair) for pair in self.series.members], self.rule]

    @classmethod
    def read(cls, data: list[Any]) -> Member:
        """Back from `as_json`."""
        metric, grain, members, rule = data
        return cls(Series(metric, grain, tuple((name, value) for name, value in members)), rule)

    @classmethod
    def of(cls, finding: Finding) -> Member:
        """The member a finding is about."""
        return cls(finding.series, finding.rule)


@dataclass(frozen=True)
class Trouble:
    """``key``: what it is, the same as long as it lasts. ``metrics``: all it touches, the leading one first.

    ``findings``: the leading one first; a trouble of the pipeline may have none. ``text``: what happened, by language.
    ``owners``: whom it concerns besides the metrics' owners (a source's). ``level``: the worst of the findings.
    """

    key: str
    explained: Explained
    severity: Severity
    metrics: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    text: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()

    @property
    def members(self) -> frozenset[Member]:
        """The rules and series it consists of."""
        return frozenset(map(Member.of, self.findings))

    @property
    def leading(self) -> Finding | None:
        """The finding that is told first."""
        return self.findings[0] if self.findings else None

    @property
    def level(self) -> Level:
        """The worst level."""
        return "critical" if any(one.level == "critical" for one in self.findings) else "warn"
