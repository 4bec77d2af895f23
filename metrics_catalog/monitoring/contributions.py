"""How much of a move each slice makes up: sums exactly, ratios split exactly into rate and mix. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog.monitoring.ratio_split import rate_and_mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WHOLE = 0.02  # parts that miss the whole by more than this share do not add up to it


@dataclass(frozen=True)
class Parts:
    """Per slice member: what it contributes to the move of the whole, and how much it stands out.

    ``rate``, ``mix``: of a ratio, what its own ratio and its weight contribute; NaN for sums. ``score``: comparable
    between slices of the same metric: high for the few that explain much and changed much themselves.
    """

    contribution: Floats
    rate: Floats
    mix: Floats
    score: Floats


def of_sum(before: Floats, after: Floats, move: float) -> Parts:
    """Of a metric that adds up; absent members are 0. Score: share of the move × own relative change."""
    contribution = after - before
    size = np.maximum(np.abs(before), np.abs(after))
    relative = np.divide(np.abs(contribution), size, out=np.zeros_like(size), where=size > 0)
    none = np.full_like(contribution, np.nan)
    return Parts(contribution, none, none, np.maximum(contribution / move, 0) * relative)


def of_ratio(numerators: tuple[Floats, Floats], denominators: tuple[Floats, Floats], move: float) -> Parts:
    """Of a ratio, from numerators and denominators before and after; contributions add up to the move exactly.

    Score: share of the move × root of how far that is out of proportion to its weight.
    """
    (num0, num1), (den0, den1) = numerators, denominators
    whole0, whole1 = num0.sum() / den0.sum(), num1.sum() / den1.sum()
    weight0, weight1 = den0 / den0.sum(), den1 / den1.sum()
    rates = _rates(num0, den0, num1, den1, whole0, whole1)
    rate, mix = rate_and_mix(rates, (weight0, weight1), (whole0, whole1))
    share = (rate + mix) / move
    weight = (weight0 + weight1) / 2
    lift = np.divide(share, weight, out=np.zeros_like(share), where=weight > 0)
    return Parts(rate + mix, rate, mix, np.where(share > 0, share * np.sqrt(np.maximum(lift, 0)), 0.0))


def adds_up(parts: Floats, whole: float) -> bool:
    """Whether parts make up a whole, as distinct counts do not."""
    return bool(abs(parts.sum() - whole) <= WHOLE * max(abs(whole), 1e-9))


def _rates(
    num0: Floats, den0: Floats, num1: Floats, den1: Floats, whole0: float, whole1: float
) -> tuple[Floats, Floats]:
    """Ratios of the members; one that was not there has that of the other time."""
    with np.errstate(all="ignore"):
        rate0, rate1 = num0 / den0, num1 / den1
    none0, none1 = den0 == 0, den1 == 0
    rate0 = np.where(none0, np.where(none1, whole0, rate1), rate0)
    rate1 = np.where(none1, np.where(none0, whole1, rate0), rate1)
    return rate0, rate1
