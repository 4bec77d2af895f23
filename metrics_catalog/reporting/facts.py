"""What is to be said of one number: what it is, was, should be, and whether that is good. Pure, no words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from metrics_catalog.own_grains import OwnGrain
from metrics_catalog.palette import Tone
from metrics_catalog.reporting.numbers import Members, Numbers
from metrics_catalog.spec.base import Grain
from metrics_catalog.spec.metric import MetricFile

Direction = Literal["up", "down", "none"]
COURSE = 26  # periods behind a fact: enough to say what is usual


@dataclass(frozen=True)
class Fact:
    """One metric of one slice in one period; values in its unit, None: no data.

    ``before``: a period earlier; ``year``: a year earlier. ``course``: (period, value), oldest first, this one last.
    ``days``: business days of this period and the one before, of what adds up, where one had more closed days.
    ``own``: the grain, where it is one of the project's own.
    """

    metric: str
    spec: MetricFile
    grain: Grain
    period: date
    value: float | None
    before: float | None
    year: float | None
    course: tuple[tuple[date, float | None], ...]
    earlier: date
    year_ago: date
    days: tuple[int, int] | None = None
    own: OwnGrain | None = None

    @property
    def target(self) -> float | None:
        """What it should be in a period of this grain."""
        wanted = self.spec.target.get(self.grain)
        return None if wanted is None else float(wanted)

    def against(self, compare: str) -> float | None:
        """The value it is compared with: ``previous`` or ``year``."""
        return self.year if compare == "year" else self.before

    def tone(self, compare: str = "previous") -> Tone:
        """Whether its change is good, by the metric's direction, never by the sign."""
        return tone(self.value, self.against(compare), self.spec.direction)

    @property
    def on_target(self) -> Tone:
        """Whether the target is met."""
        if self.value is None or self.target is None or self.spec.direction == "none":
            return "muted"
        met = self.value >= self.target if self.spec.direction == "up" else self.value <= self.target
        return "good" if met else "bad"


def fact(numbers: Numbers, metric: str, grain: Grain, period: date, members: Members = ()) -> Fact:
    """Everything known of one number."""
    back, series = numbers.calendar.back, numbers.series(metric, grain, members)
    earlier, year_ago = back(grain, period, 1, grain), back(grain, period, 1, "year")

    def at(day: date) -> float | None:
        cell = series.get(day)
        return None if cell is None else cell.value

    course = tuple((day, at(day)) for day in periods_to(back, grain, period, COURSE))
    spec = numbers.catalog.metrics[metric].spec
    first = next((i for i, (_, value) in enumerate(course) if value is not None), len(course))
    known = (at(period), at(earlier), at(year_ago))
    own = numbers.calendar.own.get(grain)
    return Fact(metric, spec, grain, period, *known, course[first:], earlier, year_ago, own=own)


def periods_to(back: Callable[[Grain, date, int, Grain], date], grain: Grain, period: date, count: int) -> list[date]:
    """The last ``count`` periods, oldest first, ``period`` the last."""
    return [back(grain, period, number, grain) for number in range(count - 1, -1, -1)]


def tone(value: float | None, before: float | None, direction: Direction) -> Tone:
    """Good, bad, or muted where there is nothing to judge."""
    if value is None or before is None or direction == "none" or value == before:
        return "muted"
    return "good" if (value > before) == (direction == "up") else "bad"


def moved(value: float | None, before: float | None, unit: str) -> float | None:
    """The change as one reads it: relative, or of percentages the difference. None: cannot be said."""
    if value is None or before is None:
        return None
    if unit == "percent":
        return value - before
    return None if before == 0 else (value - before) / abs(before)
