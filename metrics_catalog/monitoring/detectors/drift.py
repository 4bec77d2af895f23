"""Slow drift: an open month, quarter or year that on its present course will miss its target. Told by the day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from metrics_catalog import wording
from metrics_catalog.monitoring.detectors.base import Case, Verdict, none_of
from metrics_catalog.monitoring.series import Rows
from metrics_catalog.own_grains import OwnGrain
from metrics_catalog.spec.base import Grain

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEEK, WEEKS = 7, 4  # the rest of a period is reckoned to be as the same weekdays of the last four weeks
FROM = 0.25  # share of a period that must be over before its course says anything
CRITICAL = 2.0


def judge(case: Case) -> Iterator[Verdict]:
    """Totals of metrics that add up over days and have a target for something longer."""
    for block in case.panel.blocks:
        if case.panel.grain != "day" or block.cut:
            continue
        for grain in block.terms.paced:
            yield _of(case, block, grain)


def _of(case: Case, block: Rows, grain: Grain) -> Verdict:
    spec, columns = block.terms.spec, range(case.first, len(case.panel.starts))
    target = float(spec.target[grain])
    score = none_of((1, len(columns)))
    notes: dict[tuple[int, int], dict[str, str]] = {}
    for at, column in enumerate(columns):
        course = _course(case, block, grain, column)
        if course is None:
            continue
        so_far, coming, spread = course
        short = (target - so_far - coming) * (1 if spec.direction == "up" else -1)
        score[0, at] = max(0.0, short / max(block.terms.minimum * abs(target), spread))
        if score[0, at] > 1:
            said = _called(case.known.calendar.own.get(grain), grain)
            notes[0, at] = _note(spec.unit, said, case.panel.starts[column], so_far, so_far + coming, target)
    rows, none = np.arange(block.first, block.last), none_of(score.shape)
    return Verdict("drift", rows, score, none, none, none, score > CRITICAL, notes)


def _course(case: Case, block: Rows, grain: Grain, column: int) -> tuple[float, float, float] | None:
    """Sum so far, sum still to come, and the usual error of the latter; None where it cannot be said."""
    day = case.panel.starts[column]
    if not case.known.calendar.knows(grain, day):
        return None
    span = case.known.calendar.span(grain, day)
    over, whole = (day - span.start).days + 1, (span.end - span.start).days
    values: NDArray[np.float64] = case.panel.values[block.first]
    if over < FROM * whole or over == whole or column + 1 < max(over, WEEK * WEEKS) or np.isnan(values[column]):
        return None
    with np.errstate(all="ignore"):
        usual = np.nanmean(values[column + 1 - WEEK * WEEKS : column + 1].reshape(WEEKS, WEEK), axis=0)
    left = [number % WEEK for number in range(whole - over)]  # the day after `column` is the first of those weekdays
    closed = [case.known.is_closed("day", day + timedelta(days=number + 1)) for number in range(whole - over)]
    coming = [0.0 if shut else usual[at] for at, shut in zip(left, closed, strict=True)]
    spread = float(case.learnt.scale[block.first, column - case.first]) * np.sqrt(len(left))
    total = float(np.nansum(coming))
    return None if np.isnan(spread) else (float(np.nansum(values[column + 1 - over : column + 1])), total, spread)


def _called(own: OwnGrain | None, grain: Grain) -> tuple[str, str]:
    """What a grain is called in a sentence, in English and in Chinese."""
    return (grain, _GRAINS[grain]) if own is None else (own.label.en, own.label.zh)


def _note(unit: str, called: tuple[str, str], day: date, so_far: float, course: float, target: float) -> dict[str, str]:
    def told(value: float, language: str) -> str:
        return wording.number(value, unit, language, short=True)

    english, chinese = called
    off = wording.change(course, target, "", "en")
    return {
        "en": f"{told(so_far, 'en')} so far this {english}; on this course {told(course, 'en')}, "
        f"{off} from the target of {told(target, 'en')}",
        "zh": f"本{chinese}至{wording.day(day, 'zh')}累计 {told(so_far, 'zh')}；"
        f"按目前走势预计 {told(course, 'zh')}，与目标 {told(target, 'zh')} 相差 {off}",
    }


_GRAINS: dict[Grain, str] = {"day": "日", "week": "周", "month": "月", "quarter": "季度", "year": "年"}
