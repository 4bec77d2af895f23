"""Values unusual for their series: off what weekday and level make likely, by more than they usually are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.monitoring.calendar import Known
from metrics_catalog.monitoring.detectors.base import Verdict
from metrics_catalog.monitoring.finding import Series
from metrics_catalog.monitoring.series import Panel, Rows
from metrics_catalog.monitoring.smoothing import SHAPES, forecast
from metrics_catalog.spec.base import Grain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


# Usual residuals from which a value is unusual: about one false alert per series in 360, 90 and 30 days
# (`tests/benchmarks/bench_detection.py`).
LIMITS = {"low": 5.0, "medium": 3.8, "high": 3.0}
CALM = 0.25  # usual relative residual below which a series is judged by its logarithm, above which not at all
CRITICAL = 2.0  # times the limit
WIDER = (1.0, 3.0, 3.0)  # plain days, days beside a holiday, holidays
LEARNT = (1.0, 0.3, 0.3)


@dataclass(frozen=True)
class Outlook:
    """What values are expected to be: arrays of rows × periods, in the metric's unit.

    ``usual``: the spread a value usually has there, below and above. ``known``: residuals it was learnt from.
    """

    expected: Floats
    below: Floats
    above: Floats
    known: Floats
    noise: Floats


def outlook(panel: Panel, known: Known, limit: Floats, first: int) -> Outlook:
    """Limits of what is usual for the periods from column ``first`` on; ``limit``: usual residuals, by row."""
    shape, periods = SHAPES[panel.grain], panel.numbers
    near = known.nearness(panel.grain, panel.starts)
    weights = np.array(LEARNT)[near][None, :]
    wide = limit[:, None] * np.array(WIDER)[near][None, first:]
    values = panel.values
    plain, scale, number = (one[:, first:] for one in forecast(values, periods, shape, weights))
    low, high = plain - wide * scale, plain + wide * scale
    with np.errstate(all="ignore"):
        noise = scale / np.abs(plain)
        logs = np.log1p(np.where(values >= 0, values, np.nan))
        log, log_scale, _ = (one[:, first:] for one in forecast(logs, periods, shape, weights))
    positive = (np.nanmin(values, axis=1, initial=np.inf) >= 0)[:, None]
    calm = positive & (log_scale < CALM)
    low = np.where(calm, np.expm1(log - wide * log_scale), low)
    high = np.where(calm, np.expm1(log + wide * log_scale), high)
    expected = np.where(calm, np.expm1(log), plain)
    return Outlook(expected, low, high, number, np.where(positive, noise, 0.0))


def judge(panel: Panel, known: Known, first: int) -> Iterator[Verdict]:
    """Every watched series of metrics whose anomalies are looked for at this grain."""
    blocks = [block for block in panel.blocks if block.terms.anomaly_grain == panel.grain]
    if not blocks:
        return
    rows = np.concatenate([np.arange(block.first, block.last) for block in blocks])
    part = Panel(panel.grain, panel.starts, panel.values[rows], [panel.series[row] for row in rows], ())
    limit = np.repeat([LIMITS[block.terms.sensitivity] for block in blocks], [_size(block) for block in blocks])
    least = np.repeat([block.terms.minimum for block in blocks], [_size(block) for block in blocks])
    seen = outlook(part, known, limit, first)
    values = part.values[:, first:]
    with np.errstate(all="ignore"):
        off = np.where(values < seen.expected, seen.expected - seen.below, seen.above - seen.expected)
        score = np.abs(values - seen.expected) / off
        small = np.abs(values - seen.expected) < least[:, None] * np.abs(seen.expected)
    score = np.where(small & (score > 1), 1.0, score)
    few, noisy = seen.known < SHAPES[panel.grain].needed, seen.noise > CALM
    score = np.where(few | noisy, np.nan, score)
    too_little = _reasons(part.series, few[:, -1], noisy[:, -1], panel.grain)
    yield Verdict(
        "anomaly", rows, score, seen.expected, seen.below, seen.above, score > CRITICAL, too_little=too_little
    )


def _reasons(
    series: Sequence[Series], few: NDArray[np.bool_], noisy: NDArray[np.bool_], grain: Grain
) -> dict[Series, str]:
    needed = SHAPES[grain].needed
    found = {series[row]: f"fewer than {needed} {grain}s to learn from" for row in np.flatnonzero(few)}
    return found | {
        series[row]: f"a {grain} is usually off by more than {CALM:.0%}: too little goes on in it to judge a single one"
        for row in np.flatnonzero(noisy & ~few)
    }


def _size(block: Rows) -> int:
    return block.last - block.first
