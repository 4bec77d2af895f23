"""How far values are outside given limits. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.spec.monitoring import Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray


def ends(limits: Limits | None) -> tuple[float, float]:
    """Below and above as numbers; open ends are infinite."""
    low = -np.inf if limits is None or limits.below is None else float(limits.below)
    return low, np.inf if limits is None or limits.above is None else float(limits.above)


def outside(values: NDArray[np.float64], warn: Limits | None, critical: Limits | None) -> NDArray[np.float64]:
    """1 + how far out, relative to the limit that was crossed; at most 1 inside. NaN stays NaN.

    The distance is measured in the limit itself, where it is not 0, else in 1.
    """
    low = max(ends(warn)[0], ends(critical)[0])
    high = min(ends(warn)[1], ends(critical)[1])
    under = (low - values) / _size(low)
    over = (values - high) / _size(high)
    out = np.fmax(under, over)
    return np.where(np.isnan(values), np.nan, np.where(out > 0, 1 + out, 0.0))


def is_outside(values: NDArray[np.float64], limits: Limits | None) -> NDArray[np.bool_]:
    """Whether values are outside limits."""
    low, high = ends(limits)
    return (values < low) | (values > high)


def _size(limit: float) -> float:
    return abs(limit) if np.isfinite(limit) and limit else 1.0
