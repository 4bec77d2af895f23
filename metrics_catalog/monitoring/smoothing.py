"""What a series is expected to be next, and how far off that usually is: all series in one numpy pass per period.

Holt-Winters with fixed parameters: a level and an additive season, no trend. A surprise moves both only as far as
usual ones do, so that a spike does not become the expectation. The scale is the RMS of the last one-step residuals:
real series have heavy tails, for which the MAD is too small. Parameters: `tests/benchmarks/bench_detection.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.spec.base import Grain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL, SEASON = 0.15, 0.05
CLIP = 3.0  # usual residuals by which one surprise moves level and season at most


@dataclass(frozen=True)
class Shape:
    """Of a grain: periods in a season (1: none), residuals kept for the scale, residuals needed to judge."""

    season: int
    kept: int
    needed: int


SHAPES: dict[Grain, Shape] = {
    "day": Shape(7, 56, 28),
    "week": Shape(1, 26, 12),
    "month": Shape(1, 24, 10),
    "quarter": Shape(1, 12, 8),
    "year": Shape(1, 8, 6),
}


class Smoothing:
    """The state of many series: arrays with a row each. `step` takes them one period further."""

    def __init__(self, count: int, shape: Shape) -> None:
        self.shape = shape
        self.seen = np.zeros(count, dtype=np.int32)  # values so far
        self.level = np.zeros(count)
        self.season = np.zeros((count, shape.season))
        self.residuals = np.full((count, shape.kept), np.nan, dtype=np.float32)
        self.squares = np.zeros(count)
        self.number = np.zeros(count, dtype=np.int32)  # residuals that are kept

    @property
    def scale(self) -> Floats:
        """RMS of the residuals kept; NaN while there are none."""
        with np.errstate(all="ignore"):
            return np.sqrt(np.maximum(self.squares, 0) / self.number)

    def expected(self, period: int) -> Floats:
        """What the period with this running number should be; NaN before a first value."""
        return np.where(self.seen > 0, self.level + self.season[:, period % self.shape.season], np.nan)

    def step(self, values: Floats, period: int, weight: Floats | float = 1.0) -> None:
        """Learn one period, in order. ``weight`` 0-1: how much; below 1 the residual says nothing of the scale."""
        phase = period % self.shape.season
        known = ~np.isnan(values)
        residual = np.where(known & (self.seen > 0), values - self.level - self.season[:, phase], 0.0)
        usual = np.where(self.number >= self.shape.needed // 2, self.scale, np.inf)
        moved = np.clip(residual, -CLIP * usual, CLIP * usual) * weight
        weeks = self.seen // self.shape.season
        self.level += np.where(self.seen > 0, np.maximum(LEVEL, 1 / (self.seen + 1)) * moved, 0.0)
        self.level = np.where(known & (self.seen == 0), values, self.level)
        if self.shape.season > 1:
            self.season[:, phase] += np.where(weeks > 0, np.maximum(SEASON, 1 / (weeks + 1)), 0.0) * moved
        settled = self.seen >= 2 * self.shape.season  # before, it is off because it knows nothing yet
        self._keep(np.where(known & settled & (np.asarray(weight) >= 1), residual, np.nan), period)
        self.seen += known

    def _keep(self, residual: Floats, period: int) -> None:
        at = period % self.shape.kept
        old = self.residuals[:, at].astype(np.float64)
        new = residual.astype(np.float32)
        self.residuals[:, at] = new
        exact = new.astype(np.float64)  # as kept, so that what is taken away later is what was added
        self.squares += np.nan_to_num(exact * exact) - np.nan_to_num(old * old)
        self.number += (~np.isnan(exact)).astype(np.int32) - (~np.isnan(old)).astype(np.int32)


def run(state: Smoothing, values: Floats, periods: NDArray[np.int64], weights: Floats) -> tuple[Floats, Floats, Floats]:
    """One-step expectations, scales, and numbers of residuals known, of series × periods; the state goes along.

    ``periods``: running numbers. ``weights`` broadcasts to ``values``.
    """
    by_period = np.ascontiguousarray(values.T)
    weights = np.broadcast_to(weights, values.shape).T
    expected, scale, number = (np.empty_like(by_period) for _ in range(3))
    for at, period in enumerate(periods):
        expected[at], scale[at], number[at] = state.expected(int(period)), state.scale, state.number
        state.step(by_period[at], int(period), weights[at])
    return expected.T, scale.T, number.T
