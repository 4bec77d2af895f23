"""Values unusual for their series: off what weekday and level make likely, by more than they usually are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.monitoring.detectors.base import Case, Verdict
from metrics_catalog.monitoring.learnt import NOISY
from metrics_catalog.monitoring.smoothing import SHAPES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metrics_catalog.monitoring.series import Panel

# Usual residuals from which a value is unusual: with level shifts about one false alert per series in 360, 90 and 30
# days (`tests/benchmarks/bench_detection.py`).
LIMITS = {"off": np.inf, "low": 5.2, "medium": 3.75, "high": 2.7}
CRITICAL = 2.0  # times the limit


def judge(case: Case) -> Iterator[Verdict]:
    """Every watched series of metrics whose anomalies are looked for at this grain."""
    rows, times, least = looked_for(case)
    if not len(rows):
        return
    learnt, values = case.learnt, case.values
    expected, low, high = learnt.limits(times)
    with np.errstate(all="ignore"):
        score = np.abs(values - expected) / np.where(values < expected, expected - low, high - expected)
        small = np.abs(values - expected) < least[:, None] * np.abs(expected)
    score = np.where(small & (score > 1), 1.0, score)
    few = learnt.number < SHAPES[case.panel.like].needed
    noisy = learnt.noise > NOISY
    score = np.where(few | noisy, np.nan, score)
    reasons = _reasons(case.panel, few[rows, -1], noisy[rows, -1])
    too_little = {why: rows[of] for why, of in reasons if of.any()}
    score, expected, low, high = score[rows], expected[rows], low[rows], high[rows]
    yield Verdict("anomaly", rows, score, expected, low, high, score > CRITICAL, too_little=too_little)


def looked_for(case: Case) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Rows whose anomalies are looked for; of all rows the limit in usual residuals, the smallest relative effect."""
    blocks = case.panel.blocks
    sizes = [len(block.members) for block in blocks]
    watched = np.repeat([block.terms.anomaly_grain == case.panel.grain for block in blocks], sizes)
    times = np.repeat([LIMITS[block.terms.sensitivity] for block in blocks], sizes)
    return np.flatnonzero(watched), times, np.repeat([block.terms.minimum for block in blocks], sizes)


def _reasons(panel: Panel, few: NDArray[np.bool_], noisy: NDArray[np.bool_]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    yield f"fewer than {SHAPES[panel.like].needed} {panel.grain}s to learn from", few
    wild = f"a {panel.grain} is usually off by more than {NOISY:.0%}: too little goes on to judge a single one"
    yield wild, noisy & ~few
