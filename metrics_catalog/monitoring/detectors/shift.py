"""A level that moved and stays: the last 14 days against the 56 before, by whole weeks, so that weekdays cancel out.

Equal to PELT at a 25th of its CPU on real series. A spike moves it little, a slow drift moves it in the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.monitoring.detectors.anomaly import CRITICAL, looked_for
from metrics_catalog.monitoring.detectors.base import Case, Verdict
from metrics_catalog.monitoring.learnt import NOISY, Learnt
from metrics_catalog.monitoring.smoothing import AT_ONCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WEEK, NEW, OLD = 7, 2, 8  # days; weeks of each side
DAYS = WEEK * NEW
LIMITS = {"off": np.inf, "low": 5.5, "medium": 3.8, "high": 2.8}  # `tests/benchmarks/bench_detection.py`
SMALLEST = 0.15  # relative move that is one
BOTH = 0.3  # the week that moved less must have moved by this share of the other
DAILY = 5  # how many weeks the daily residuals count for, beside the 7 degrees of freedom of 8 weeks


def judge(case: Case) -> Iterator[Verdict]:
    """Daily series of metrics whose anomalies are looked for by day."""
    rows, _, least = looked_for(case)
    if case.panel.grain != "day" or not len(rows) or case.first + 1 < WEEK * (NEW + OLD):
        return
    sensitivity = np.repeat(
        [LIMITS[block.terms.sensitivity] for block in case.panel.blocks],
        [len(block.members) for block in case.panel.blocks],
    )
    learnt, count = case.learnt, case.values.shape[1]
    tail = case.panel.values[:, -count - WEEK * (NEW + OLD) :]
    plain, least = _plain_days(case)[-tail.shape[1] :], np.maximum(least, SMALLEST)
    new, old, times = (np.empty_like(case.values) for _ in range(3))
    for begin in range(0, case.panel.count, AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        new[part], old[part], times[part] = _moves(tail[part], plain, learnt.part(part), least[part], count)
    with np.errstate(all="ignore"):
        score = np.where((learnt.noise > NOISY) | np.isnan(case.values), np.nan, times / sensitivity[:, None])[rows]
    new, old = new[rows], old[rows]
    low, high = np.where(new < old, old, np.nan), np.where(new < old, np.nan, old)
    notes = {(row, at): _note(new[row, at], old[row, at]) for row, at in np.argwhere(score > 1).tolist()}
    yield Verdict("shift", rows, score, old, low, high, score > CRITICAL, notes)


def _moves(
    values: Floats, plain: NDArray[np.bool_], learnt: Learnt, least: Floats, count: int
) -> tuple[Floats, Floats, Floats]:
    """New and old level, and the distance of their logarithms where the series is calm, else their own.

    0 where they did not move by the share ``least``; most series did not, and have no logarithms taken.
    """
    values = np.where(plain[None, :], values, np.nan)
    with np.errstate(all="ignore"):
        new, old, spread, both = _weeks(values, count)
        moved = both & (np.abs(new - old) >= least[:, None] * np.abs(old))
        far = _distance(new, old, spread, learnt.scale)
        calm = moved & learnt.calm
        rows = np.flatnonzero(calm.any(axis=1))
        logs = _weeks(np.log1p(np.where(values[rows] >= 0, values[rows], np.nan)), count)
        far[rows] = np.where(calm[rows], _distance(*logs[:3], learnt.log_scale[rows]), far[rows])
    return new, old, np.where(moved, far, 0.0)


def _plain_days(case: Case) -> NDArray[np.bool_]:
    return case.known.nearness("day", case.panel.starts) == 0


def _weeks(values: Floats, count: int) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Of the last ``count`` columns: mean of the newest two weeks, of the eight before, and spread of those eight.

    And whether both new weeks moved, as a single day moves only one.
    """
    known, end = ~np.isnan(values), values.shape[1] + 1
    total, number = np.zeros((len(values), end)), np.zeros((len(values), end), dtype=np.int16)  # before each column
    np.cumsum(np.where(known, values, 0.0), axis=1, out=total[:, 1:])
    np.cumsum(known, axis=1, dtype=np.int16, out=number[:, 1:])

    def mean(until: int, weeks: int) -> Floats:
        """Of the weeks that end ``until`` weeks before each column."""
        last, first = end - WEEK * until, end - WEEK * (until + weeks)
        after, before = slice(last - count, last), slice(first - count, first)
        return (total[:, after] - total[:, before]) / (number[:, after] - number[:, before])

    weekly = [mean(NEW + week, 1) for week in range(OLD)]
    middle = sum(weekly) / OLD
    spread = np.sqrt(sum((one - middle) ** 2 for one in weekly) / (OLD - 1))  # NaN where a week has no value
    old = mean(NEW, OLD)
    first, second = mean(1, 1) - old, mean(0, 1) - old
    both = np.minimum(np.abs(first), np.abs(second)) >= BOTH * np.maximum(np.abs(first), np.abs(second))
    return mean(0, NEW), old, spread, both & (first * second > 0)


def _distance(new: Floats, old: Floats, spread: Floats, scale: Floats) -> Floats:
    """Difference of the means in standard errors; the spread of weeks is steadied by that of days."""
    freedom = OLD - 1
    steady = np.sqrt((spread**2 * freedom + scale**2 / WEEK * DAILY) / (freedom + DAILY))
    return np.abs(new - old) / (steady * np.sqrt(1 / NEW + 1 / OLD))


def _note(new: float, old: float) -> dict[str, str]:
    moved = f"{new / old - 1:+.0%}"
    return {
        "en": f"the last 14 days {moved} against the 8 weeks before",
        "zh": f"最近14天的水平较此前8周变动{moved}",
    }
