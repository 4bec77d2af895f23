"""What somebody expects of a decision: ``store=367 +5% by 2018-01-31``. Text to data and back. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from metrics_catalog.engine.query import InvalidQuery
from metrics_catalog.query_text import day_range
from metrics_catalog.spec.base import Grain, ordered
from metrics_catalog.spec.metric import AnyMetric
from metrics_catalog.wording import day, number, points
from metrics_catalog.wording import members as slice_words

Kind = Literal["better", "relative", "absolute", "at least", "at most"]
Members = tuple[tuple[str, str | None], ...]
DAYS = 28  # until an effect is looked at, where nobody says when: four whole weeks
_BY = re.compile(r"^(?P<what>.*?)\s*\b(?:by|到|至)\s+(?P<day>\S+)\s*$", re.IGNORECASE | re.DOTALL)
_SIZE = re.compile(r"(?:^|(?<=\s))(?P<op>\+|-|−|>=|<=|≥|≤)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>%|pp)?\s*$")
_LEVELS: dict[str, Kind] = {">=": "at least", "≥": "at least", "<=": "at most", "≤": "at most"}
_SIGNS: dict[str, str] = {"at least": "≥", "at most": "≤"}
_HINT = 'write for instance "store=367 +5% by 2018-01-31", "-3pp", ">= 12000 by 2018-03"'


@dataclass(frozen=True)
class Expected:
    """``size``: relative change (0.05: 5 % more), absolute change or level in the metric's unit; None with "better".

    ``by``: the last day of which the effect is looked at; None until the decision says when.
    """

    kind: Kind = "better"
    size: Decimal | None = None
    members: Members = ()
    by: date | None = None

    def target(self, before: float) -> float | None:
        """The value that was expected, of one that was ``before``; None: no value was named."""
        if self.size is None:
            return None
        size = float(self.size)
        return {"relative": before + abs(before) * size, "absolute": before + size}.get(self.kind, size)

    def rises(self, before: float) -> bool:
        """Whether more was expected, not less."""
        target = self.target(before)
        return self.kind == "at least" or (self.kind != "at most" and (target is None or target >= before))

    def is_met(self, before: float, actual: float, direction: str) -> bool | None:
        """Whether ``actual`` is what was expected; None where no direction says what is better."""
        target = self.target(before)
        if target is not None:
            return actual >= target if self.rises(before) else actual <= target
        return None if direction == "none" else actual > before if direction == "up" else actual < before

    def as_json(self) -> dict[str, Any]:
        """Plain data, from which `read` makes it again."""
        size = None if self.size is None else str(self.size)
        return {"kind": self.kind, "size": size, "members": self.members, "by": self.by and self.by.isoformat()}

    @classmethod
    def read(cls, data: dict[str, Any]) -> Expected:
        """Back from `as_json`."""
        size, by = data["size"], data["by"]
        members = tuple((name, member) for name, member in data["members"])
        size = None if size is None else Decimal(size)
        return cls(data["kind"], size, members, None if by is None else date.fromisoformat(by))

    def words(self, unit: str, language: str) -> str:
        """As people read it: ``store 367: +5% by 31 Jan 2018``."""
        where = f"{slice_words(self.members, language)}: " if self.members else ""
        return where + _size_words(self, unit, language)


def parse_expected(text: str, spec: AnyMetric) -> Expected:
    """An expectation of one metric from text; members must be of a slice it is published by. Raises `InvalidQuery`."""
    ends = _BY.match(text)
    what, by = (ends["what"], _last_day(ends["day"])) if ends else (text, None)
    size = _SIZE.search(what)
    try:
        words = shlex.split(what[: size.start()] if size else what)
    except ValueError:
        raise InvalidQuery(f'"{text}" has a quote that is not closed') from None
    words = [word.strip(",，") for word in words if word.strip(",，")]
    if odd := [word for word in words if "=" not in word]:
        raise InvalidQuery(f'"{text}": "{odd[0]}" is not an expected change; {_HINT}')
    members = members_of(dict(word.split("=", 1) for word in words), spec, text)
    expected = Expected() if size is None else _sized(size, spec.unit, text)
    return replace(expected, members=members, by=by)


def members_of(given: dict[str, str], spec: AnyMetric, text: str) -> Members:
    """Members in the order of the published slice that has just these dimensions. Raises `InvalidQuery`."""
    cuts: Sequence[Sequence[str]] = ((), *spec.slices)
    cut = next((cut for cut in cuts if set(cut) == set(given)), None)
    if cut is None:
        shown = ", ".join(" × ".join(one) for one in spec.slices) or "its total only"
        raise InvalidQuery(f'"{text}": the metric is published by {shown}')
    return tuple((name, given[name].strip() or None) for name in cut)


def finest(spec: AnyMetric) -> Grain:
    """The grain at which an effect is looked at."""
    return ordered(spec.judged_grains)[0]


def _sized(match: re.Match[str], unit: str, whole: str) -> Expected:
    size, op = Decimal(match["number"]), match["op"]
    share = size / 100 if match["unit"] else size
    if op in _LEVELS:
        return Expected(_LEVELS[op], share)
    sign = 1 if op == "+" else -1
    if match["unit"] == "pp" and unit != "percent":
        raise InvalidQuery(f'"{whole}": pp is for metrics in percent; this one is in {unit}')
    return Expected("relative" if match["unit"] == "%" else "absolute", share * sign)


def _last_day(text: str) -> date:
    return day_range(text)[1] - timedelta(days=1)


def _size_words(one: Expected, unit: str, language: str) -> str:
    """The size and the day, in words."""
    chinese = language == "zh"
    by = "" if one.by is None else f"（到{day(one.by, language)}）" if chinese else f" by {day(one.by, language)}"
    if one.size is None:
        return ("好转" if chinese else "better") + by
    if one.kind in _SIGNS:
        return f"{_SIGNS[one.kind]} {number(one.size, unit, language)}{by}"
    percent = f"{(one.size * 100).normalize():+f}"
    if one.kind == "relative":
        return f"{percent}%{by}"
    if unit == "percent":
        return f"{points(percent, language)}{by}"
    return f"{'+' * (one.size > 0)}{number(one.size, unit, language)}{by}"
