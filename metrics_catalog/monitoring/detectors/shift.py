"""A level that moved and stays: the last 14 days against the 56 before, by whole weeks, so that weekdays cancel out.

Equal to PELT at a 25th of its CPU on real series. A spike moves it little, a slow drift moves it in the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.monitoring.detectors.anomaly import CRITICAL, looked_for
from metrics_catalog.monitoring.detectors.base import Case, Verdict
from metrics_catalog.monitoring.learnt import CALM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WEEK, NEW, OLD = 7, 2, 8  # days; weeks of each side
LIMITS = {"off": np.inf, "low": 5.5, "medium": 3.5, "high": 2.8}  # `tests/benchmarks/bench_detection.py`
SMALLEST = 0.15  # relative move that is one
DAILY = 5  # how many weeks the daily residuals count for, beside the 7 degrees of freedom of 8 weeks


def judge(case: Case) -> Iterator[Verdict]:
    """Daily series of metrics whose anomalies are looked for by day."""
    rows, _, least = looked_for(case)
    if case.panel.grain != "day" or not len(rows) or case.first + 1 < WEEK * (NEW + OLD):
        return
    sensitivity = np.repeat(
        [LIMITS[block.terms.sensitivity] for block in case.panel.blocks],
        [block.last - block.first for block in case.panel.blocks],
    )
    learnt, count = case.learnt, case.values.shape[1]
    plain = np.where(_plain_days(case)[None, :], case.panel.values, np.nan)[:, -count - WEEK * (NEW + OLD) :]
    with np.errstate(all="ignore"):
        new, old, spread = _weeks(plain, count)
        logs = _weeks(np.log1p(np.where(plain >= 0, plain, np.nan)), count)
        times = np.where(
            learnt.calm,
            _distance(*logs, learnt.log_scale),
            _distance(new, old, spread, learnt.scale),
        )
        small = np.abs(new - old) < np.maximum(least, SMALLEST)[:, None] * np.abs(old)
        score = np.where(small, 0.0, times / sensitivity[:, None])
        score = np.where((learnt.noise > CALM) | np.isnan(case.values), np.nan, score)
    low = np.where(new < old, old, np.nan)
    high = np.where(new < old, np.nan, old)
    notes = {int(at): _note(new[row, -1], old[row, -1]) for at, row in enumerate(rows) if score[row, -1] > 1}
    score, old, low, high = score[rows], old[rows], low[rows], high[rows]
    yield Verdict("shift", rows, score, old, low, high, score > CRITICAL, notes)


def _plain_days(case: Case) -> NDArray[np.bool_]:
    return case.known.nearness("day", case.panel.starts) == 0


def _weeks(values: Floats, count: int) -> tuple[Floats, Floats, Floats]:
    """Of the last ``count`` columns: mean of the newest two weeks, of the eight before, and spread of those eight."""
    total = np.cumsum(np.nan_to_num(values), axis=1)
    number = np.cumsum(~np.isnan(values), axis=1)
    end = values.shape[1]

    def mean(until: int, weeks: int) -> Floats:
        """Of the weeks that end ``until`` weeks before each column."""
        last = slice(end - count - WEEK * until, end - WEEK * until)
        before = slice(end - count - WEEK * (until + weeks), end - WEEK * (until + weeks))
        if before.start < 0:  # the very first column is the first day: nothing is before it
            pad = ((0, 0), (1, 0))
            sums, numbers = np.pad(total, pad), np.pad(number, pad)
            last, before = (slice(one.start + 1, one.stop + 1) for one in (last, before))
            return (sums[:, last] - sums[:, before]) / (numbers[:, last] - numbers[:, before])
        return (total[:, last] - total[:, before]) / (number[:, last] - number[:, before])

    weekly = np.stack([mean(NEW + week, 1) for week in range(OLD)])
    return mean(0, NEW), mean(NEW, OLD), _spread(weekly)


def _spread(weekly: Floats) -> Floats:
    """Standard deviation of weeks that all have a value; NaN else."""
    return np.std(weekly, axis=0, ddof=1)


def _distance(new: Floats, old: Floats, spread: Floats, scale: Floats) -> Floats:
    """Difference of the means in standard errors; the spread of weeks is steadied by that of days."""
    freedom = OLD - 1
    steady = np.sqrt((spread**2 * freedom + scale**2 / WEEK * DAILY) / (freedom + DAILY))
    return np.abs(new - old) / (steady * np.sqrt(1 / NEW + 1 / OLD))


def _note(new: float, old: float) -> dict[str, str]:
    moved = f"{new / old - 1:+.0%}"
    return {
        "en": f"the last 14 days are {moved} from the 8 weeks before",
        "zh": f"最近14天的水平比此前8周变动 {moved}",
    }
