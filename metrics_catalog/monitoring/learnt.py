"""What is usual for the series of a panel: what each period should be and how far off that mostly is, known before it.

Learnt twice, of the values and of their logarithms: a calm series moves by percentages, a wild one does not.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.monitoring.calendar import Known
from metrics_catalog.monitoring.series import Panel
from metrics_catalog.monitoring.smoothing import SHAPES, Smoothing, run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# All from `tests/benchmarks/bench_detection.py`.
CALM = 0.25  # usual residual of the logarithm up to which it is the better scale
NOISY = 0.3  # usual relative residual above which nothing can be said of a single value
NEAR = (1.0, 3.0, 5.0)  # how much wider limits are on plain days, days beside a holiday, holidays and events
LEARNT = (1.0, 0.3, 0.3)  # and how much is learnt from such days


@dataclass(frozen=True)
class Learnt:
    """Series × judged periods. ``log``, ``log_scale``: of log(1 + value). ``wider``: factor by what is known of days.

    ``number``: residuals behind the scale. ``positive``: series that never were below 0, by row.
    """

    expected: Floats
    scale: Floats
    log: Floats
    log_scale: Floats
    number: NDArray[np.int32]
    wider: Floats
    positive: NDArray[np.bool_]

    @property
    def calm(self) -> NDArray[np.bool_]:
        """Where the logarithm is the better scale."""
        return self.positive & (self.log_scale < CALM)

    @property
    def noise(self) -> Floats:
        """Usual residual relative to what is expected; 0 for series that may be below 0, which have no such size."""
        with np.errstate(all="ignore"):
            return np.where(self.positive, self.scale / np.abs(self.expected), 0.0)

    def part(self, rows: slice) -> Learnt:
        """The same of some series."""
        return Learnt(*(getattr(self, one.name)[rows] for one in fields(self)))

    def limits(self, times: Floats) -> tuple[Floats, Floats, Floats]:
        """What is expected, and the values ``times`` (by row) the usual residual below and above it."""
        wide = times[:, None] * self.wider
        with np.errstate(all="ignore"):
            low = np.where(self.calm, np.expm1(self.log - wide * self.log_scale), self.expected - wide * self.scale)
            high = np.where(self.calm, np.expm1(self.log + wide * self.log_scale), self.expected + wide * self.scale)
            return np.where(self.calm, np.expm1(self.log), self.expected), low, high


@dataclass
class Pupils:
    """The two states of all series of a panel, row by row."""

    plain: Smoothing
    log: Smoothing

    @classmethod
    def new(cls, panel: Panel) -> Pupils:
        """States that have seen nothing."""
        count, shape = panel.count, SHAPES[panel.like]
        return cls(Smoothing(count, shape), Smoothing(count, shape))


def learn(panel: Panel, known: Known, first: int, pupils: Pupils, begin: int = 0) -> Learnt:
    """Learn the columns from ``begin`` on; what was expected of those from ``first`` on. Pupils then know them all."""
    values, numbers = panel.values[:, begin:], panel.numbers[begin:]
    near = known.nearness(panel.grain, panel.starts[begin:])
    near = _with_events(panel, known, near, begin)
    weights, wider = np.array(LEARNT)[near], np.array(NEAR)[near]
    at = max(0, first - begin)
    expected, scale, number = run(pupils.plain, values, numbers, weights, at)
    with np.errstate(all="ignore"):
        logs = np.log1p(np.where(values >= 0, values, np.nan))
        positive = np.logical_not((panel.values < 0).any(axis=1, keepdims=True))
    log, log_scale, _ = run(pupils.log, logs, numbers, weights, at)
    wide = np.broadcast_to(wider, values.shape)[:, at:]
    return Learnt(expected, scale, log, log_scale, number, wide, positive)


def _with_events(panel: Panel, known: Known, near: NDArray[np.int64], begin: int) -> NDArray[np.int64]:
    """By row too where an event concerns only some series; else one row for all."""
    near = near[None, :]
    for event in known.events:
        days = [at for at, start in enumerate(panel.starts[begin:]) if known.falls(event, panel.grain, start)]
        rows = [row for row in range(panel.count) if days and known.concerns(event, panel.names[row])]
        if not rows:
            continue
        near = np.array(np.broadcast_to(near, (panel.count, near.shape[1])))
        near[np.ix_(rows, days)] = 2
    return near
