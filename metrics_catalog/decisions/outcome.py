"""What came of a decision: actual against expected, and against what would likely have been without it. Pure.

The effect is the change beyond that of the others of the same dimension; without others, beyond the changes that the
metric's own history shows over as many periods. How far those spread, and how far it used to stray from the others, is
how sure the effect is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from math import sqrt
from statistics import median, stdev
from typing import Any, Literal

from metrics_catalog.decisions.windows import Member, Numbers, Windows
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.spec.base import Grain

Basis = Literal["others", "history", "none"]
Verdict = Literal["met", "part of it", "not met", "moved", "no data"]
LEAST = 5  # others, or earlier windows, below which their spread says nothing
TAIL = 0.05  # of the spread, left out on either side: a band that holds 90 %
_Z = 1.645  # of a normal distribution, 5 % lie above
_STEPS = 40  # earlier windows looked at, at most


@dataclass(frozen=True)
class Outcome:
    """Values are in the metric's unit: means of the periods, of a ratio that of all of them together.

    ``without``, ``low``, ``high``: what the value would likely have been had nothing been done, and the band that holds
    90 % of the comparison's. ``clear``: whether ``actual`` is outside of that band, on the side of the expectation.
    ``compared``: how many others, or earlier windows.
    """

    verdict: Verdict
    through: date
    grain: Grain
    periods: int
    before: float | None = None
    actual: float | None = None
    expected: float | None = None
    without: float | None = None
    low: float | None = None
    high: float | None = None
    basis: Basis = "none"
    compared: int = 0
    clear: bool | None = None

    @property
    def effect(self) -> float | None:
        """How much more than without the decision."""
        return None if self.actual is None or self.without is None else self.actual - self.without

    def as_json(self) -> dict[str, Any]:
        """Plain data, from which `read` makes it again."""
        return asdict(self) | {"through": self.through.isoformat()}

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Outcome:
        """Back from `as_json`."""
        return cls(**{**data, "through": date.fromisoformat(data["through"])})


@dataclass(frozen=True)
class Question:
    """What is compared: one ``member`` among others, at a grain, over two windows, against what is ``expected``."""

    member: Member
    grain: Grain
    windows: Windows
    through: date


def compared(question: Question, numbers: Mapping[Member, Numbers], calendar: Calendar) -> Outcome:
    """What was, is, and likely would have been; no verdict yet (``moved``, or ``no data``)."""
    own, spans = numbers.get(question.member), question.windows
    plain = Outcome("no data", question.through, question.grain, len(spans.after))
    if own is None or not spans.after:
        return plain
    before, actual = own.level(spans.before), own.level(spans.after)
    plain = replace(plain, before=before, actual=actual)
    if before is None or actual is None:
        return plain
    plain = replace(plain, verdict="moved")
    others = [one for member, one in numbers.items() if member != question.member]
    beside = _moves(spans, others, before)
    earlier = list(_earlier(question, calendar))
    if len(beside) >= LEAST:
        without = median(beside)
        low, high = _quantile(beside, TAIL), _quantile(beside, 1 - TAIL)
        # A series may be less steady than the others: its own earlier distance from them counts too.
        strayed = [found for one in earlier if (found := _strayed(own, others, one, without)) is not None]
        if len(strayed) >= LEAST:
            margin = _margin(strayed, question)
            low, high = min(low, without - margin), max(high, without + margin)
        return replace(plain, without=without, low=low, high=high, basis="others", compared=len(beside))
    moves = sorted(move for one in earlier for move in _moves(one, [own], before))
    if len(moves) < LEAST:
        return plain
    without, margin = median(moves), _margin(moves, question)
    low, high = without - margin, without + margin
    return replace(plain, without=without, low=low, high=high, basis="history", compared=len(moves))


def _moves(spans: Windows, series: Sequence[Numbers], level: float) -> list[float]:
    """Where something at ``level`` would be had it moved as each of ``series`` did, ascending."""
    pairs = [(one.level(spans.before), one.level(spans.after)) for one in series]
    known = [(old, new) for old, new in pairs if old is not None and new is not None]
    if level > 0:
        return sorted(level * new / old for old, new in known if old > 0 and new >= 0)
    return sorted(level + new - old for old, new in known)


def _strayed(own: Numbers, others: Sequence[Numbers], spans: Windows, without: float) -> float | None:
    """Where it would be had it strayed from ``without`` as it did from the others over earlier windows."""
    before, after = own.level(spans.before), own.level(spans.after)
    if before is None or after is None or len(moves := _moves(spans, others, before)) < LEAST:
        return None
    usual = median(moves)
    return without * after / usual if before > 0 and usual > 0 else without + after - usual


def _earlier(question: Question, calendar: Calendar) -> Iterator[Windows]:
    """Earlier pairs of windows that lie as far apart, which end before the decision, the latest first."""
    step = _step(question.grain)
    for count in range(1, _STEPS + 1):
        before, after = (
            tuple(calendar.back(question.grain, one, count * step, question.grain) for one in window)
            for window in (question.windows.before, question.windows.after)
        )
        if after[-1] <= question.windows.before[-1]:
            yield Windows(before, after)


def _margin(values: Sequence[float], question: Question) -> float:
    """Half the width of a band that holds 90 %, from windows of one series: they overlap, so few of them are new."""
    fresh = len(values) * _step(question.grain) / len(question.windows.after)
    freedom = max(1.0, fresh - 1)
    student = _Z + (_Z**3 + _Z) / (4 * freedom) + (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / (96 * freedom**2)
    return student * stdev(values) * sqrt(1 + 1 / max(1.0, fresh))


def _step(grain: Grain) -> int:
    return 7 if grain == "day" else 1


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
