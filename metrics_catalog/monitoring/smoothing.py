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
    """The state of many series, which are the last axis of every array. `step` takes them one period further."""

    def __init__(self, count: int, shape: Shape) -> None:
        self.shape = shape
        self.seen = np.zeros(count, dtype=np.int32)  # values so far
        self.level = np.zeros(count)
        self.season = np.zeros((shape.season, count))
        self.residuals = np.full((shape.kept, count), np.nan, dtype=np.float32)
        self.squares = np.zeros(count)
        self.number = np.zeros(count, dtype=np.int32)  # residuals that are kept

    def part(self, rows: slice) -> Smoothing:
        """Some series, on the same memory: what they learn, this learns."""
        made = Smoothing(0, self.shape)
        for name in ARRAYS:
            setattr(made, name, getattr(self, name)[..., rows])
        return made

    @property
    def scale(self) -> Floats:
        """RMS of the residuals kept; NaN while there are none."""
        return np.sqrt(np.maximum(self.squares, 0.0) / self.number)

    def expected(self, period: int) -> Floats:
        """What the period with this running number should be; NaN before a first value."""
        made = self.level + self.season[period % self.shape.season]
        made[self.seen == 0] = np.nan
        return made

    def step(self, values: Floats, period: int, weight: Floats | float, expected: Floats, scale: Floats) -> None:
        """Learn one period, in order. ``weight`` 0-1: how much; below 1 the residual says nothing of the scale.

        ``expected``, ``scale``: as they are before it.
        """
        residual = values - expected
        known = ~np.isnan(values)
        usual = np.where(self.number >= self.shape.needed // 2, CLIP * scale, np.inf)
        moved = np.where(np.isnan(residual), 0.0, np.clip(residual, -usual, usual) * weight)
        seen = self.seen
        self.level += np.maximum(LEVEL, 1.0 / (seen + 1)) * moved
        np.copyto(self.level, values, where=known & (seen == 0))
        if self.shape.season > 1:
            weeks = seen // self.shape.season
            moved *= np.maximum(SEASON, 1.0 / np.maximum(weeks, 1))
            np.copyto(moved, 0.0, where=weeks == 0)
            self.season[period % self.shape.season] += moved
        settled = seen >= 2 * self.shape.season  # before, it is off because it knows nothing yet
        self._keep(np.where(settled & (np.asarray(weight) >= 1), residual, np.nan), period)
        self.seen += known

    def _keep(self, residual: Floats, period: int) -> None:
        place = self.residuals[period % self.shape.kept]
        old = place.astype(np.float64)
        place[:] = residual
        new = place.astype(np.float64)  # as kept, so that what is taken away later is what was added
        for value, sign in ((old, -1), (new, 1)):
            there = ~np.isnan(value)
            self.squares += np.where(there, sign * value * value, 0.0)
            self.number += sign * there


ARRAYS = ("seen", "level", "season", "residuals", "squares", "number")
AT_ONCE = 16384  # series whose state fits the cache that cores share; fewer are more calls of numpy


def run(
    state: Smoothing, values: Floats, periods: NDArray[np.int64], weights: Floats, first: int = 0
) -> tuple[Floats, Floats, NDArray[np.int32]]:
    """One-step expectations, scales, and numbers of residuals known, of series × periods; the state goes along.

    ``periods``: running numbers. ``weights`` broadcasts to ``values``. What comes back begins with column ``first``.
    """
    count, length = len(values), len(periods)
    weights = np.broadcast_to(weights, values.shape)
    expected, scale = np.empty((count, length - first)), np.empty((count, length - first))
    number = np.empty((count, length - first), dtype=np.int32)
    with np.errstate(all="ignore"):
        for begin in range(0, count, AT_ONCE):
            rows = slice(begin, begin + AT_ONCE)
            part, mine, weight = state.part(rows), np.ascontiguousarray(values[rows].T), weights[rows].T
            for at, period in enumerate(periods.tolist()):
                now, spread = part.expected(period), part.scale
                if at >= first:
                    expected[rows, at - first], scale[rows, at - first] = now, spread
                    number[rows, at - first] = part.number
                part.step(mine[at], period, weight[at], now, spread)
    return expected, scale, number
