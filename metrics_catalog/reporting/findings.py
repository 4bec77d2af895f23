"""What stands out in a report's numbers: computed, scored, ranked. Pure, no words; `sentences` says it.

A finding that is not about its numbers alone does not exist here: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Literal

from metrics_catalog.palette import Tone
from metrics_catalog.reporting.contributions import Share
from metrics_catalog.reporting.facts import Fact, moved, tone
from metrics_catalog.reporting.pace import Pace

Kind = Literal["bound", "move", "streak", "record", "pace", "contribution"]
LEAST = 8  # changes needed before one can be called unusual
UNUSUAL = 1.5  # times the usual change
STREAK = 4  # periods
RECORD = 12  # periods
MOST = 0.5  # of a change, that two members made: below it nobody made it
PER_METRIC = 2
PER_KIND = 3


@dataclass(frozen=True)
class Found:
    """One finding. ``size``: of the move, streak's whole move, or bound; ``count``: periods it is about."""

    kind: Kind
    fact: Fact
    tone: Tone
    score: float
    size: float = 0.0
    count: int = 0
    is_record: bool = False
    is_critical: bool = False
    pace: Pace | None = None
    shares: tuple[Share, ...] = ()
    by: str = ""


def ranked(found: Iterable[Found], limit: int) -> list[Found]:
    """The best ones: at most two of a metric, of different kinds, and three of a kind."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (-one.score, one.fact.metric, one.kind)):
        same = [other for other in kept if other.fact.metric == one.fact.metric]
        kind = sum(other.kind == one.kind for other in kept)
        alike = {"move", "record", "streak"}
        if kind < PER_KIND and len(same) < PER_METRIC and not any(_is_alike(one, other, alike) for other in same):
            kept.append(one)
    return kept[:limit]


def of_fact(fact: Fact, pace: Pace | None) -> Iterator[Found]:
    """What stands out of one number."""
    if fact.value is None:
        return
    changes = _changes(fact)
    yield from _bound(fact, fact.value)
    yield from _move(fact, changes)
    yield from _streak(fact, changes)
    yield from _record(fact, fact.value)
    if pace is not None:
        off = abs(pace.expected / pace.target - 1) if pace.target else 0.0
        yield Found("pace", fact, pace.tone, (1.6 if pace.tone == "bad" else 1.1) + min(off, 0.5), pace=pace)


def of_shares(fact: Fact, by: str, shares: Sequence[Share]) -> Iterator[Found]:
    """The members that made most of a change, if a few did."""
    if fact.value is None or fact.before is None or not shares:
        return
    change = fact.value - fact.before
    same_way = tuple(one for one in shares[:3] if one.given * change > 0)
    if not change or not same_way:
        return
    part = sum(one.given for one in same_way[:2]) / change
    if part >= MOST:
        size = abs(moved(fact.value, fact.before, fact.spec.unit) or 0.0)
        score = 1.2 + min(part, 1.0) * 0.4 + min(size * 4, 1.0)
        yield Found("contribution", fact, fact.tone(), score, change, shares=same_way[:2], by=by)


def _is_alike(one: Found, other: Found, alike: set[str]) -> bool:
    return one.kind == other.kind or (one.kind in alike and other.kind in alike)


def _changes(fact: Fact) -> list[float]:
    """How it moved from period to period, oldest first, up to now; gaps are left out."""
    values = [value for _, value in fact.course]
    pairs = (moved(now, before, fact.spec.unit) for before, now in pairwise(values))
    return [one for one in pairs if one is not None]


def _bound(fact: Fact, value: float) -> Iterator[Found]:
    bounds = fact.spec.bounds
    if bounds is None or bounds.grain != fact.grain:
        return
    for limits, is_critical in ((bounds.critical, True), (bounds.warn, False)):
        if limits is None:
            continue
        for edge, is_out in ((limits.below, lambda e: value < e), (limits.above, lambda e: value > e)):
            if edge is not None and is_out(float(edge)):
                score = 4.0 if is_critical else 3.0
                yield Found("bound", fact, "bad", score, float(edge), is_critical=is_critical)
                return


def _move(fact: Fact, changes: Sequence[float]) -> Iterator[Found]:
    if len(changes) <= LEAST or fact.before is None:
        return
    now, past = changes[-1], changes[:-1]
    usual = sqrt(sum(one * one for one in past) / len(past))
    if usual and abs(now) >= UNUSUAL * usual:
        since = next((i for i, one in enumerate(reversed(past)) if one * now > 0 and abs(one) >= abs(now)), len(past))
        yield Found("move", fact, fact.tone(), abs(now) / usual, now, since + 1, since >= LEAST)


def _streak(fact: Fact, changes: Sequence[float]) -> Iterator[Found]:
    count = 0
    for change in reversed(changes):
        if change * changes[-1] <= 0:
            break
        count += 1
    if count >= STREAK:
        first = fact.course[-1 - count][1]
        size = moved(fact.value, first, fact.spec.unit)
        if size is not None:
            yield Found("streak", fact, tone(fact.value, first, fact.spec.direction), 1.0 + 0.15 * count, size, count)


def _record(fact: Fact, value: float) -> Iterator[Found]:
    past = [one for _, one in fact.course[:-1] if one is not None]
    if len(past) < RECORD:
        return
    for best, way in ((max, 1), (min, -1)):
        if (value - best(past)) * way > 0:
            judged: Tone = "muted" if fact.spec.direction == "none" else "bad"
            if fact.spec.direction == ("up" if way > 0 else "down"):
                judged = "good"
            yield Found("record", fact, judged, 1.2 + len(past) / 50, way, len(past) + 1)
