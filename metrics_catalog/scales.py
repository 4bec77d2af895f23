"""The axes of charts: round numbers, chosen days, and what is written at them. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date

from metrics_catalog.spec.base import Grain
from metrics_catalog.wording import Number, number, period

_ZEROS = re.compile(r"\.(?:0+|(\d*?[1-9])0+)(?=\D|$)")


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers that hold ``[low, high]``, roughly ``about`` steps; two at least."""
    span = high - low or abs(high) or 1.0
    rough = span / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * size for size in (1, 2, 2.5, 5, 10) if power * size >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * i, 12) for i in range(first, max(last, first + 1) + 1)]


def span(values: Sequence[float]) -> tuple[float, float]:
    """What a value axis must show: from zero where that costs less than half of the height."""
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    if low >= 0 and low < 0.5 * high:
        return 0.0, high
    return (low, high) if high > low else (low - abs(low) * 0.1 - 1e-9, high + abs(high) * 0.1 + 1e-9)


def dates(days: Sequence[date], about: int = 6) -> list[date]:
    """At most ``about`` of ``days``, evenly spread, the last one among them."""
    if len(days) <= about:
        return list(days)
    step = math.ceil(len(days) / about)
    return list(days)[::-1][::step][::-1]


def date_label(at: date, grain: Grain, language: str) -> str:
    """A period on an axis: ``3 May``, ``5月3日``, ``May``; January and quarters say the year."""
    if grain in ("day", "week"):
        return f"{at.month}月{at.day}日" if language == "zh" else period("day", at, "en").rsplit(" ", 1)[0]
    if grain == "month":
        if language == "zh":
            return f"{at.year}年1月" if at.month == 1 else f"{at.month}月"
        return period("month", at, "en") if at.month == 1 else period("month", at, "en").split()[0]
    return period(grain, at, language)


def tick_label(value: Number, unit: str, language: str) -> str:
    """A number at an axis: as short as it is exact, ``$7.5万`` and not ``$7.50万``."""
    return _ZEROS.sub(lambda found: f".{found[1]}" if found[1] else "", number(value, unit, language, short=True))
