"""A day that came with far fewer rows than its weekday usually has: is it delivered in part, or sold less? Pure.

A file that was cut off has what came as usual and the rest not at all: nothing after an hour, nothing of many stores. A
real dip is everywhere a little.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from statistics import median

from metrics_catalog.health import ShortDay
from metrics_catalog.monitoring.calendar import Known, Names

# Of the usual rows. Of 364 days of the demo's real receipts 59 are below 0.9 and looked at, one of 0.53 (the day after
# Thanksgiving) is below 0.7, and none came in part (tests/benchmarks/bench_cause.py).
CUT_BELOW, FEW_BELOW, NEVER_REAL = 0.9, 0.7, 0.3
REFERENCES, LEAST = 8, 3  # same weekdays before that say what is usual
LEAST_ROWS = 200  # a day of fewer rows varies by chance
BACK = 7  # days, of which whoever delivers can be asked for the rest
_EXPLAINS = 0.6  # share of the shortage that what is missing entirely must make up for
_AS_USUAL = 0.5  # of the usual rows of what did come


@dataclass(frozen=True)
class Profile:
    """What came of a day: ``hours``: rows by hour of the day, ``first`` and ``last`` time; empty, None: unknown.

    ``parts``: rows by value of the column of which each value is delivered on its own.
    """

    rows: int
    hours: Mapping[int, int] = field(default_factory=dict)
    first: time | None = None
    last: time | None = None
    parts: Mapping[str, int] = field(default_factory=dict)


def suspects(rows: Mapping[date, int], known: Known, last: date) -> Iterator[tuple[date, tuple[date, ...]]]:
    """Days up to ``last`` that have too few rows to be left alone, with the days that say what is usual."""
    for ago in range(BACK):
        day = last - timedelta(days=ago)
        before = [day - timedelta(weeks=back) for back in range(1, REFERENCES + 1)]
        some = tuple(one for one in before if one in rows and known.nearness("day", [one])[0] == 0)
        if day not in rows or known.is_closed("day", day):
            continue
        if rows[day] < CUT_BELOW * _usual(rows[one] for one in some):
            yield day, some


def judged(
    day: date, came: Profile, before: Sequence[Profile], known: Names | None = None, column: str = ""
) -> ShortDay | None:
    """What is to be said of a day with few rows; None: nothing.

    ``known``: a holiday or event, on which few rows prove nothing. ``column``: the name of what ``parts`` are.
    """
    usual = _usual(one.rows for one in before)
    if came.rows >= CUT_BELOW * usual:
        return None
    few = came.rows < FEW_BELOW * usual
    begins, ends = _cut(came, before, usual)
    absent, steady = _absent(came, before, 1 - came.rows / usual) if few else ((), 0)
    proved = bool(begins or ends or absent)
    partial = known is None and (proved or came.rows <= min(NEVER_REAL * usual, _lowest(before)))
    if not (few or partial):
        return None
    looked = (*(("hours",) if came.hours else ()), *((column,) if steady else ()))
    return ShortDay(day, came.rows, round(usual), partial, begins, ends, absent, steady, looked, dict(known or {}))


def _usual(rows: Collection[int] | Iterator[int]) -> float:
    """The median; 0 where too little is known to say."""
    some = list(rows)
    found = median(some) if len(some) >= LEAST else 0
    return found if found >= LEAST_ROWS else 0


def _lowest(before: Sequence[Profile]) -> float:
    """What no day but one was below, and some less: one of them may have been short itself."""
    rows = sorted(one.rows for one in before)
    return 0.8 * rows[1 if len(rows) > LEAST else 0]


def _cut(came: Profile, before: Sequence[Profile], usual: float) -> tuple[str | None, str | None]:
    """The times before and after which nothing came, where that is why rows are missing."""
    if came.first is None or came.last is None:
        return None, None
    by_hour = [median(one.hours.get(hour, 0) for one in before) for hour in range(24)]
    until, total = _until(by_hour, came.last), sum(by_hour)
    since, shortage = total - _until(by_hour, came.first), usual - came.rows
    ends = total - until >= _EXPLAINS * shortage and came.rows >= _AS_USUAL * until
    begins = total - since >= _EXPLAINS * shortage and came.rows >= _AS_USUAL * since
    return (f"{came.first:%H:%M}" if begins else None, f"{came.last:%H:%M}" if ends else None)


def _until(by_hour: Sequence[float], at: time) -> float:
    return sum(by_hour[: at.hour]) + by_hour[at.hour] * (at.minute + 1) / 60


def _absent(came: Profile, before: Sequence[Profile], shortage: float) -> tuple[tuple[str, ...], int]:
    """Parts that came on each day before and not at all now, the largest first, where that is why; of how many."""
    steady = {
        part: median(one.parts[part] for one in before)
        for part in before[0].parts
        if all(part in one.parts for one in before)
    }
    gone = sorted((part for part in steady if part not in came.parts), key=lambda part: -steady[part])
    there = sum(rows for part, rows in steady.items() if part in came.parts)
    total, missing = sum(steady.values()), sum(steady[part] for part in gone)
    as_usual = sum(came.parts.get(part, 0) for part in steady) >= _AS_USUAL * there
    return (tuple(gone) if gone and as_usual and missing >= _EXPLAINS * shortage * total else ()), len(steady)
