"""One copy of an issue while it is made: for whom, in which language, about which slice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from metrics_catalog.governance.begun import Definitions
from metrics_catalog.own_grains import EVER
from metrics_catalog.report_files import ReportFile
from metrics_catalog.reporting import words
from metrics_catalog.reporting.facts import Fact, fact
from metrics_catalog.reporting.findings import Found
from metrics_catalog.reporting.numbers import Members, Numbers
from metrics_catalog.reporting.pace import Pace, pace
from metrics_catalog.reporting.trust import Trust
from metrics_catalog.spec.base import Grain, Label


@dataclass(frozen=True)
class Issue:
    """What all copies of one issue share. ``period``: its first day."""

    report: ReportFile
    definitions: Definitions
    numbers: Numbers
    trust: Trust
    period: date
    made: datetime

    @property
    def grain(self) -> Grain:
        """What one issue is about."""
        return self.report.spec.grain


@dataclass
class Copy:
    """One copy while it is made: for whom, in which language, about which slice."""

    issue: Issue
    audience: str
    language: str
    members: Members = ()
    found: list[Found] = field(default_factory=list)
    _facts: dict[str, Fact | None] = field(default_factory=dict)

    def fact(self, metric: str) -> Fact | None:
        """A metric's number; None for one that is no more."""
        if metric not in self._facts:
            known = metric in self.issue.numbers.catalog.metrics
            args = (self.issue.numbers, metric, self.issue.grain, self.issue.period, self.members)
            self._facts[metric] = fact(*args) if known else None
        return self._facts[metric]

    def pace(self, metric: str) -> Pace | None:
        """How far it is from its target, which is the whole company's."""
        return None if self.members else pace(self.issue.numbers, metric, self.issue.grain, self.issue.period)

    def say(self, key: str, **facts: object) -> str:
        """A phrase in the reader's language."""
        return words.say(key, self.language, **facts)

    def earlier(self, compare: str) -> date:
        """First day of the period that is compared with."""
        return self.issue.numbers.calendar.back(
            self.issue.grain, self.issue.period, 1, "year" if compare == "year" else self.issue.grain
        )

    def days(self, compare: str) -> tuple[date, date]:
        """The issue's period and the one it is compared with."""
        return self.issue.period, self.earlier(compare)

    def compared(self, compare: str) -> str:
        """The period it is compared with, in words."""
        earlier = self.earlier(compare)
        return self.say("no_before") if earlier == EVER else self.named(self.issue.grain, earlier)

    def named(self, grain: Grain, start: date) -> str:
        """A period within a sentence; of an own grain as the time spine calls it."""
        own = self.issue.numbers.calendar.own.get(grain)
        return words.named_period(grain, start, self.language) if own is None else own.called(start, self.language)

    def titled(self, title: Label | None, key: str, **facts: object) -> str:
        """A section's own title, or the usual one."""
        return title.to(self.language) if title else self.say(key, **facts)

    @property
    def subject(self) -> str | None:
        """What it is about, of a copy for one member: ``store 367``."""
        if not self.members:
            return None
        between = "" if self.language == "zh" else " "
        parts = [
            f"{words.dimension(d, self.language)}{between}{words.member(m, self.language)}" for d, m in self.members
        ]
        return words.listed(parts, self.language)
