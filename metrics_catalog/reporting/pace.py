"""How far a metric is from its target, also within a month or quarter that is not over. Pure, no words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from metrics_catalog.engine.formulas import formulas
from metrics_catalog.own_grains import OwnGrain
from metrics_catalog.palette import Tone
from metrics_catalog.reporting.facts import tone
from metrics_catalog.reporting.numbers import Numbers
from metrics_catalog.spec.base import Grain


@dataclass(frozen=True)
class Pace:
    """A target at ``grain`` for the period ``start``, and what there is of it.

    ``part``: of it that is over, 1 when all is. ``expected``: where the whole comes out if it goes on so; it is
    ``value`` itself once all is over. Only what adds up has a pace; of the rest the last whole period counts.
    ``own``: the grain, where it is one of the project's own.
    """

    grain: Grain
    start: date
    target: float
    value: float
    part: float
    expected: float
    tone: Tone
    own: OwnGrain | None = None

    @property
    def share(self) -> float:
        """Of the target, by what there is."""
        return self.value / self.target if self.target else 0.0


def pace(numbers: Numbers, metric: str, grain: Grain, period: date) -> Pace | None:
    """Against the target of the same grain, else of the next longer one; None where there is none, or no data."""
    spec = numbers.catalog.metrics[metric].spec
    last = numbers.calendar.span(grain, period).end - timedelta(days=1)
    wanted = next((one for one in numbers.calendar.from_grain(grain) if one in spec.target), None)
    if wanted is None or not numbers.calendar.knows(wanted, last):
        return None
    target, own = float(spec.target[wanted]), numbers.calendar.own.get(wanted)
    whole = numbers.calendar.span(wanted, last)
    over = whole.end == last + timedelta(days=1)
    if not over and formulas(numbers.catalog)[metric].adds_up and "day" in spec.grains:
        days = (last - whole.start).days + 1
        series = numbers.series(metric, "day")
        value = sum((cell.value or 0.0) for day, cell in series.items() if whole.start <= day <= last)
        part = days / (whole.end - whole.start).days
        return _pace(own, wanted, whole.start, target, value, part, value / part, spec.direction)
    start = whole.start if over else numbers.calendar.back(wanted, whole.start, 1, wanted)
    cell = numbers.value(metric, wanted, start)
    if cell is None or cell.value is None:
        return None
    return _pace(own, wanted, start, target, cell.value, 1.0, cell.value, spec.direction)


def _pace(
    own: OwnGrain | None,
    grain: Grain,
    start: date,
    target: float,
    value: float,
    part: float,
    expected: float,
    way: str,
) -> Pace:
    judged = "good" if expected == target else tone(expected, target, way)  # pyright: ignore[reportArgumentType]
    return Pace(grain, start, target, value, part, expected, judged, own)
