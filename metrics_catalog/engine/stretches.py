"""Any list of periods as SQL: a day -> the first day of its period. Few branches, found by halving.

Ten years of retail weeks are not 520 branches: where many periods of one length follow each other, arithmetic finds
the first day, in a fifth of the time; for a few it does not pay (`bench_calendar`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise

from sqlglot import exp

from metrics_catalog.engine.tree import case, text, typed

_WORTH = 8  # periods of one length


@dataclass(frozen=True)
class Stretch:
    """Periods of ``length`` days one after the other, the first from ``start``; 0: one period."""

    start: date
    length: int


def stretches(starts: Sequence[date]) -> list[Stretch]:
    """The same periods as the fewest stretches."""
    lengths = [(after - start).days for start, after in pairwise(starts)]
    found: list[Stretch] = []
    place = 0
    for length, run in groupby(lengths):
        count = len(list(run))
        if count >= _WORTH:
            found.append(Stretch(starts[place], length))
        else:
            found += [Stretch(start, 0) for start in starts[place : place + count]]
        place += count
    return [*found, *(Stretch(start, 0) for start in starts[-1:])]


def stretches_sql(starts: Sequence[date], day: exp.Expr) -> exp.Expr:
    """The last of ``starts`` that is not after ``day``; null before the first."""
    if not starts:
        return typed(exp.Null(), "date")
    known = _chosen(stretches(starts), day)
    return case(exp.GTE(this=day.copy(), expression=_literal(starts[0])), known)


def _chosen(some: Sequence[Stretch], day: exp.Expr) -> exp.Expr:
    if len(some) > 1:
        later = some[len(some) // 2 :]
        test = exp.LT(this=day.copy(), expression=_literal(later[0].start))
        return case(test, _chosen(some[: len(some) // 2], day), _chosen(later, day))
    start, length = _literal(some[0].start), some[0].length
    if not length:
        return start
    passed = exp.DateDiff(this=day.copy(), expression=start, unit=exp.var("day"))
    inside = exp.Paren(this=exp.Mod(this=passed, expression=exp.Literal.number(length)))
    return typed(exp.DateSub(this=day.copy(), expression=inside, unit=exp.var("day")), "date")


def _literal(day: date) -> exp.Expr:
    return typed(text(day.isoformat()), "date")
