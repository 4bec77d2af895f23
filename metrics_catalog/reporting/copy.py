"""One copy of an issue while it is made: for whom, in which language, about which slice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime

from metrics_catalog.engine.formulas import formulas
from metrics_catalog.governance.begun import Definitions
from metrics_catalog.monitoring.calendar import Known
from metrics_catalog.own_grains import EVER
from metrics_catalog.report_files import ReportFile
from metrics_catalog.reporting import words
from metrics_catalog.reporting.business_days import Days, business_days
from metrics_catalog.reporting.day_words import open_days
from metrics_catalog.reporting.facts import Fact, fact
from metrics_catalog.reporting.findings import Found
from metrics_catalog.reporting.numbers import Members, Numbers
from metrics_catalog.reporting.pace import Pace, pace
from metrics_catalog.reporting.trust import Trust
from metrics_catalog.spec.base import Grain, Label
from metrics_catalog.spec.report import Headline


@dataclass(frozen=True)
class Issue:
    """What all copies of one issue share. ``known``: holidays, events, closed days. ``period``: its first day."""

    report: ReportFile
    definitions: Definitions
    numbers: Numbers
    trust: Trust
    known: Known
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
    _uneven: dict[str, tuple[Days, Days] | None] = field(default_factory=dict)

    def fact(self, metric: str) -> Fact | None:
        """A metric's number; None for one that is no more."""
        if metric not in self._facts:
            numbers, issue = self.issue.numbers, self.issue
            found = None
            if metric in numbers.catalog.metrics:
                found = fact(numbers, metric, issue.grain, issue.period, self.members)
                found = replace(found, days=self.open_days(metric, "previous"))
            self._facts[metric] = found
        return self._facts[metric]

    def uneven(self, compare: str) -> tuple[Days, Days] | None:
        """Business days of the issue's period and of the one it is compared with, where not as many were closed."""
        if compare not in self._uneven:
            now, before = (None if period == EVER else self._days(period) for period in self.days(compare))
            both = None if now is None or before is None else (now, before)
            self._uneven[compare] = both if both and len(both[0].closed) != len(both[1].closed) else None
        return self._uneven[compare]

    def open_days(self, metric: str, compare: str) -> tuple[int, int] | None:
        """How many business days both have, for a metric that adds up over them; None where they are alike."""
        uneven = self.uneven(compare)
        if uneven is None or not formulas(self.issue.numbers.catalog)[metric].adds_up:
            return None
        return uneven[0].open, uneven[1].open

    def _days(self, period: date) -> Days:
        numbers = self.issue.numbers
        shown = [name for name in self.issue.report.spec.metrics if name in numbers.catalog.metrics]
        span = numbers.calendar.span(self.issue.grain, period)
        return business_days(numbers, self.issue.known, shown, span, self.members)

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
        """What it is compared with, and whether one of both had fewer business days, in a sentence or two."""
        earlier = self.earlier(compare)
        if earlier == EVER:
            return words.begun(self.say("no_before"))
        period = self.named(self.issue.grain, earlier)
        told = [self.say("compared", period=period), self.business_days(compare)]
        return ("" if self.language == "zh" else " ").join(filter(None, told))

    def named(self, grain: Grain, start: date) -> str:
        """A period within a sentence; of an own grain as the time spine calls it."""
        return words.named_period(self.issue.numbers.calendar.own.get(grain), grain, start, self.language)

    def business_days(self, compare: str) -> str:
        """The business days of both, in a sentence; nothing where no more were closed than in the other."""
        uneven = self.uneven(compare)
        return "" if uneven is None else open_days(self.issue.grain, *uneven, self.language)

    def with_days(self, note: str, compare: str) -> str:
        """A section's note, and the business days of both, unless a headline says them already."""
        spec = self.issue.report.spec
        if any(isinstance(one, Headline) and one.compare == compare for one in spec.sections):
            return note
        end = "" if not note else "。" if self.language == "zh" else ". "
        days = self.business_days(compare)
        return f"{note}{end}{days}" if days else note

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
