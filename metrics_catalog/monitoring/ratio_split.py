"""The change of a ratio split by members without a rest: of numbers, or of arrays of them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

N = TypeVar("N", float, "NDArray[np.float64]")


def rate_and_mix(rates: tuple[N, N], weights: tuple[N, N], whole: tuple[float, float]) -> tuple[N, N]:
    """What a member's own rate gave to the change, and what its weight did; each pair is before and after.

    ``weights``: shares of the denominator. There is no interaction term: rates are weighted by the mean of both
    weights, weights by the mean of both rates' distance from the whole. Over all members both add up to the change.
    A member that was not there, or is no more, has one rate both times, so it moves nothing but the mix.
    """
    (rate0, rate1), (weight0, weight1) = rates, weights
    rate = (weight0 + weight1) / 2 * (rate1 - rate0)
    mix = (weight1 - weight0) * ((rate0 + rate1) / 2 - (whole[0] + whole[1]) / 2)
    return rate, mix
