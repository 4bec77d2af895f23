"""Metrics over the last periods, side by side."""

from __future__ import annotations

from collections.abc import Iterator

from metrics_catalog.own_grains import names
from metrics_catalog.reporting import words
from metrics_catalog.reporting.body import Block, Chart, Points
from metrics_catalog.reporting.copy import Copy
from metrics_catalog.reporting.facts import Fact, periods_to
from metrics_catalog.spec.report import (
    AnySection,
    Trend,
)
from metrics_catalog.wording import number


def blocks(copy: Copy, section: AnySection) -> Iterator[Block]:
    """A chart for each metric."""
    assert isinstance(section, Trend)
    charts = tuple(_chart(copy, one, section) for name in section.metrics if (one := copy.fact(name)))
    yield Block("trend", copy.titled(section.title, "trend"), charts=charts)


def _chart(copy: Copy, one: Fact, section: Trend) -> Chart:
    numbers, grain = copy.issue.numbers, copy.issue.grain
    series = numbers.series(one.metric, grain, copy.members)
    days = periods_to(numbers.calendar.back, grain, one.period, section.periods)
    known = [day for day in days if day in series]
    days = [day for day in days if known and day >= known[0]]
    before: Points = ()
    if section.compare == "year":
        back = [(day, numbers.calendar.back(grain, day, 1, "year")) for day in days]
        before = tuple((day.isoformat(), series[old].value) for day, old in back if old in series)
    return Chart(
        metric=one.metric,
        label=one.spec.label.to(copy.language),
        value=number(one.value, one.spec.unit, copy.language, short=True),
        change=words.delta(one.value, one.before, one.spec.unit, copy.language),
        tone=one.tone(),
        unit=one.spec.unit,
        grain=grain,
        points=tuple((day.isoformat(), series[day].value if day in series else None) for day in days),
        before=before,
        target=None if copy.members else one.target,
        legend=copy.say("year_before") if before else None,
        names={day.isoformat(): name for day, name in names(numbers.calendar.own.get(grain), days).items()},
    )
