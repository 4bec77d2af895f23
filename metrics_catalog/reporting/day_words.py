"""Business days in words, in both languages. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from metrics_catalog.monitoring.calendar import Names
from metrics_catalog.reporting import words
from metrics_catalog.reporting.business_days import Closed, Days
from metrics_catalog.reporting.facts import Fact
from metrics_catalog.spec.base import Grain
from metrics_catalog.wording import spaced

SHOWN = 3  # runs of closed days said one by one
_THIS = {"day": "当日", "week": "本周", "month": "本月", "quarter": "本季度", "year": "本年"}


def open_days(grain: Grain, now: Days, before: Days, language: str) -> str:
    """How many there were: ``6 business days (closed 25 Dec 2017, Christmas Day)``, and in the period compared with."""
    if language == "zh":
        this, closed = _THIS.get(grain, "本期"), _closed(now, language)
        return f"{this}有{now.open}个营业日{closed}，对比期有{before.open}个{_closed(before, language)}。"
    counted = f"{now.open} business day{'' if now.open == 1 else 's'}{_closed(now, language)}"
    return f"This {spaced(grain)} had {counted}, the one compared with had {before.open}{_closed(before, language)}."


def per_day(fact: Fact, language: str, compare: str = "previous", days: tuple[int, int] | None = None) -> str | None:
    """``-20.0% per business day, 6 against 7``; None where periods compare as they are. ``days``: else the fact's."""
    days = days or fact.days
    value, before = fact.value, fact.against(compare)
    if days is None or value is None or before is None or 0 in days:
        return None
    change = words.delta(value / days[0], before / days[1], fact.spec.unit, language)
    if language == "zh":
        return f"按营业日平均{change}，{days[0]}天对{days[1]}天"
    return f"{change} per business day, {days[0]} against {days[1]}"


def _closed(days: Days, language: str) -> str:
    said = [_said(first, last, name, language) for first, last, name in _runs(days.closed)]
    if not said:
        return ""
    if (more := len(said) - SHOWN) > 0:
        said = [*said[:SHOWN], f"另{more}处" if language == "zh" else f"{more} more"]
    return f"（{'、'.join(said)}停业）" if language == "zh" else f" (closed {'; '.join(said)})"


def _runs(closed: Closed) -> Iterator[tuple[date, date, Names | None]]:
    """Closed days in a row, with the first name in it."""
    run: list[tuple[date, Names | None]] = []
    for day, name in (*closed, (None, None)):
        if run and (day is None or day - run[-1][0] > timedelta(days=1)):
            yield run[0][0], run[-1][0], next((one for _, one in run if one is not None), None)
            run = []
        if day is not None:
            run.append((day, name))


def _said(first: date, last: date, name: Names | None, language: str) -> str:
    chinese = language == "zh"
    text = words.named_day(first, language)
    if last != first:
        text = f"{text}{'至' if chinese else ' to '}{words.named_day(last, language)}"
    return text if name is None else f"{text}{name['zh']}" if chinese else f"{text}, {name['en']}"
