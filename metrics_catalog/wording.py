"""Numbers, periods and slices as people read them, in both languages. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from metrics_catalog.spec.base import GRAINS, Grain

Number = Decimal | float | int
_CURRENCIES = {"usd": "$", "cny": "¥", "eur": "€", "gbp": "£", "jpy": "¥", "hkd": "HK$"}
_ENGLISH = ((Decimal("1e9"), "B"), (Decimal("1e6"), "M"), (Decimal("1e4"), "K"))  # K from 10,000 on
_CHINESE = ((Decimal("1e8"), "亿"), (Decimal("1e4"), "万"))
_IN_FULL = 1_000_000  # below it a column of numbers is read more easily with every digit
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def number(value: Number | None, unit: str, language: str, short: bool = False, beside: Number | None = None) -> str:
    """A value with its unit: ``$1,234``, ``12.3%``, ``1,204``; ``short``: ``$1.23M``, ``$123万``. None is a dash.

    ``beside``: shortened as that one is, unless less than a tenth would be left.
    """
    if value is None:
        return "–"
    exact = Decimal(str(value))
    if unit == "percent":
        return f"{_grouped(exact * 100, 1)}%"
    sign = "-" if exact < 0 else ""
    text, end = _shortened(abs(exact), language, beside) if short else (_plain(abs(exact), unit), "")
    return f"{sign}{_CURRENCIES.get(unit, '')}{text}{end}"


def alike(values: Iterable[Number | None], unit: str, language: str) -> Callable[[Number | None], str]:
    """How to write numbers that stand together: in full, or from a million on all in the magnitude of the largest."""
    largest = max((abs(Decimal(str(one))) for one in values if one is not None), default=Decimal(0))
    if unit == "percent" or largest < _IN_FULL:
        return lambda value: number(value, unit, language)
    return lambda value: number(value, unit, language, short=True, beside=largest)


def change(new: Number | None, old: Number | None, unit: str, language: str) -> str:
    """How much more than ``old``: ``+3.2%``; of percentages the `points`; a dash: no telling."""
    if new is None or old is None:
        return "–"
    before, after = Decimal(str(old)), Decimal(str(new))
    if unit == "percent":
        return points(f"{(after - before) * 100:+,.1f}", language)
    return "–" if before == 0 else f"{(after - before) / abs(before) * 100:+,.1f}%"


def points(count: str, language: str) -> str:
    """A difference of percentages: ``+1.4 pp``, ``+1.4个百分点``."""
    return f"{count}个百分点" if language == "zh" else f"{count} pp"


def period(grain: Grain, start: date, language: str) -> str:
    """A period by its first day: ``3 May 2017``, ``week of 1 May 2017``, ``May 2017``, ``Q2 2017``, ``2017``.

    One of the project's own grains: ``fiscal month of 29 Jan 2017``.
    """
    chinese = language == "zh"
    if grain not in GRAINS:
        return (
            f"{day(start, language)}起的 {spaced(grain)}" if chinese else f"{spaced(grain)} of {day(start, language)}"
        )
    if grain == "year":
        return f"{start.year}年" if chinese else f"{start.year}"
    if grain == "quarter":
        quarter = (start.month + 2) // 3
        return f"{start.year}年第{quarter}季度" if chinese else f"Q{quarter} {start.year}"
    if grain == "month":
        return f"{start.year}年{start.month}月" if chinese else f"{_MONTHS[start.month - 1]} {start.year}"
    if grain == "week":
        last = start + timedelta(days=6)
        return f"{day(start, language)}至{last.month}月{last.day}日" if chinese else f"week of {day(start, language)}"
    return day(start, language)


def spaced(grain: Grain) -> str:
    """A grain within a sentence: ``fiscal month``."""
    return grain.replace("_", " ")


def day(value: date, language: str) -> str:
    """``3 May 2017``, ``2017年5月3日``."""
    if language == "zh":
        return f"{value.year}年{value.month}月{value.day}日"
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def members(of: Sequence[tuple[str, str | None]], language: str) -> str:
    """A slice: ``store 367, brand Private``; the total by its word."""
    if not of:
        return "总计" if language == "zh" else "total"
    empty = "（空）" if language == "zh" else "(none)"
    join = "、" if language == "zh" else ", "
    return join.join(f"{dimension} {empty if member is None else member}" for dimension, member in of)


def _plain(value: Decimal, unit: str) -> str:
    if unit in _CURRENCIES:
        return _grouped(value, 2 if value < 1000 else 0)
    return _grouped(value, 0 if value == value.to_integral_value() else 2 if value < 1000 else 0)


def _shortened(value: Decimal, language: str, beside: Number | None) -> tuple[str, str]:
    like = value if beside is None else abs(Decimal(str(beside)))
    for size, letter in _CHINESE if language == "zh" else _ENGLISH:
        scaled = value / (1000 if letter == "K" else size)
        if value >= size or (like >= size and scaled >= Decimal("0.1")):
            digits = 0 if scaled == scaled.to_integral_value() else 2 if scaled < 10 else 1 if scaled < 100 else 0
            return _grouped(scaled, digits), letter
    return _grouped(value, 0 if value >= 100 or value == value.to_integral_value() else 2), ""


def _grouped(value: Decimal, digits: int) -> str:
    return f"{value:,.{digits}f}"
