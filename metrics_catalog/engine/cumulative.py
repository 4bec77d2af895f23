"""Longer reaches than a period: rolling windows, to-date, since ever. SQL over days of a slice, or over rows.

Running values are computed for every day of a dense calendar with one window function, however long the reach:
nothing is fanned out. Distinct keys run too: a key counts from a day it is seen until it has not been seen for the
length of the window, which makes one change up and one down for each stretch. What cannot run (order statistics, keys
with a condition, windows in months) sees each row once for every period whose reach it is in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlglot import exp

from metrics_catalog.engine.periods import Calendar, Span, merged
from metrics_catalog.engine.pieces import PERIOD, Slice, listed, literal_date, merge, same_keys, table
from metrics_catalog.engine.scan import DAY
from metrics_catalog.engine.terms import Reach, Term
from metrics_catalog.engine.tree import column, named, positions, typed
from metrics_catalog.own_grains import EVER
from metrics_catalog.spec.base import Grain

Grains = Mapping[Grain, Mapping[Term, tuple[Span, ...]]]
_CHANGE, _UNTIL = "change", "until"


@dataclass(frozen=True)
class Extent:
    """``days``: the days on which running values are wanted; ``rows``: the days they are made of."""

    days: Span
    rows: Span

    @property
    def dense(self) -> Iterator[str]:
        """Every day a running value passes; what lies before endless history's first wanted day is put on that day."""
        start = self.days.start if self.rows.start == EVER else self.rows.start
        return ((start + timedelta(days=number)).isoformat() for number in range((self.days.end - start).days))


def by_reach(
    wanted: Mapping[Slice, Grains],
) -> Iterator[tuple[Reach, Slice, dict[Grain, dict[Term, tuple[Span, ...]]]]]:
    """What is wanted, one reach and slice at a time."""
    for cut, grains in wanted.items():
        found: dict[Reach, dict[Grain, dict[Term, tuple[Span, ...]]]] = defaultdict(lambda: defaultdict(dict))
        for grain, terms in grains.items():
            for term, spans in terms.items():
                assert term.reach is not None
                found[term.reach][grain][term] = spans
        yield from ((reach, cut, dict(some)) for reach, some in found.items())


def reads(calendar: Calendar, grain: Grain, reach: Reach, periods: Span) -> Span:
    """The days that decide the values of consecutive periods."""
    return Span(reach.span(calendar, calendar.span(grain, periods.start)).start, periods.end)


def extent(calendar: Calendar, reach: Reach, grains: Grains) -> Extent:
    """The days needed for all periods of ``grains``."""
    spans: list[tuple[Grain, Span]] = [(one, span) for one in grains for some in grains[one].values() for span in some]
    first = min(calendar.span(grain, span.start).end for grain, span in spans) - timedelta(days=1)
    last = max(span.end for _, span in spans)
    wanted: list[tuple[Grain, Span]] = [*spans, ("day", Span(first, last))]
    return Extent(Span(first, last), Span(min(reads(calendar, one, reach, span).start for one, span in wanted), last))


def runs(reach: Reach) -> bool:
    """Whether every day has a reach of as many days as the next, or one that only grows."""
    return reach.window is None or reach.window.days is not None


def day_key(reach: Reach, span: Extent) -> exp.Expr:
    """The day a row is added on: its own, or the first day of the extent for all that came before."""
    if span.rows.start != EVER:
        return column(DAY)
    first = literal_date(span.days.start.isoformat())
    return named(exp.Greatest(this=column(DAY), expressions=[first], ignore_nulls=True), DAY)


def spread(source: str, calendar: Calendar, grain: Grain, reach: Reach, spans: Iterable[Span]) -> exp.Select:
    """Rows of ``source`` once for each period whose reach they are in, with that ``period``."""
    periods = [one for span in merged(spans) for one in calendar.spans(grain, span.start, span.end)]
    rows = ((one.start, reach.span(calendar, one).start, one.end) for one in periods)
    columns: dict[str, str] = dict.fromkeys((PERIOD, "first_day", "next_day"), "date")
    written = listed(columns, ([day.isoformat() for day in row] for row in rows), "reaches")
    after = exp.GTE(this=column(DAY), expression=column("first_day"))
    before = exp.LT(this=column(DAY), expression=column("next_day"))
    return exp.Select().from_(table(source), copy=False).join(written, on=exp.and_(after, before), copy=False)


def running(
    source: str, cut: Slice, reach: Reach, span: Extent, terms: Sequence[Term], calendar: Calendar
) -> exp.Select:
    """Each term's running value for every day and member of the slice; ``source``: the components by day and slice."""
    frame = _frame(reach, cut, calendar)
    items = {term.name: merge(term.component, exp.column(term.component.name, table="found")) for term in terms}
    return _dense(source, cut, span, {name: _over(item, frame) for name, item in items.items()})


def running_distinct(source: str, cut: Slice, reach: Reach, span: Extent, term: Term, calendar: Calendar) -> exp.Select:
    """The running sum of changes; none is no data."""
    frame = _frame(reach if reach.to_date else Reach(), cut, calendar)
    total = _over(exp.Sum(this=exp.column(_CHANGE, table="found")), frame)
    value = exp.Nullif(this=typed(total, "bigint"), expression=exp.Literal.number(0))
    return _dense(source, cut, span, {term.name: value})


def distinct_changes(touched: exp.Select, cut: Slice, reach: Reach, span: Extent, calendar: Calendar) -> exp.Select:
    """``touched`` (days each key of a slice is seen) -> by how many keys each day changes the running count."""
    keys = [column(name) for name in cut]
    if reach.window is None:
        inside = [calendar.start_sql(reach.to_date, column(DAY))] if reach.to_date else []
        first = exp.Select(expressions=[named(exp.Min(this=column(DAY)), DAY), *keys])
        first = first.from_(touched.subquery("touched", copy=False), copy=False)
        first = first.group_by(column("entity"), *(one.copy() for one in (*keys, *inside)), copy=False)
        changes = exp.Select(expressions=[day_key(reach, span), *(one.copy() for one in keys), named(_one(1), _CHANGE)])
        return _totals(changes.from_(first.subquery("firsts", copy=False), copy=False), cut)
    assert reach.window.days is not None
    after = exp.Window(
        this=exp.Lead(this=column(DAY)),
        partition_by=[*(one.copy() for one in keys), column("entity")],
        order=exp.Order(expressions=[exp.Ordered(this=column(DAY))]),
    )
    over = typed(exp.DateAdd(this=column(DAY), expression=_one(reach.window.days), unit=exp.var("day")), "date")
    until = exp.Least(this=over, expressions=[after], ignore_nulls=True)
    stretches = exp.Select(expressions=[column(DAY), *(one.copy() for one in keys), named(until, _UNTIL)])
    stretches = stretches.from_(touched.subquery("touched", copy=False), copy=False)
    up = exp.Select(expressions=[column(DAY), *(one.copy() for one in keys), named(_one(1), _CHANGE)])
    down = exp.Select(
        expressions=[named(column(_UNTIL), DAY), *(one.copy() for one in keys), named(exp.Neg(this=_one(1)), _CHANGE)]
    )
    both = exp.union(*(one.from_("stretches", copy=False) for one in (up, down)), distinct=False, copy=False)
    return _totals(both, cut).with_("stretches", as_=stretches, copy=False)


def last_days(calendar: Calendar, grain: Grain) -> list[exp.Expr]:
    """The condition that a day is the last of its period."""
    if grain == "day":
        return []
    after = typed(exp.DateAdd(this=column(DAY), expression=_one(1), unit=exp.var("day")), "date")
    return [exp.EQ(this=calendar.start_sql(grain, after), expression=after.copy())]


def _frame(reach: Reach, cut: Slice, calendar: Calendar) -> exp.Window:
    members = [exp.column(name, table="grid") for name in cut]
    day = exp.column(DAY, table="grid")
    if reach.to_date:
        members.append(calendar.start_sql(reach.to_date, day))  # type: ignore[arg-type]
    days = reach.window.days if reach.window is not None else None
    start = "UNBOUNDED" if days is None else exp.Literal.number(days - 1)
    spec = exp.WindowSpec(kind="ROWS", start=start, start_side="PRECEDING", end="CURRENT ROW")
    return exp.Window(partition_by=members, order=exp.Order(expressions=[exp.Ordered(this=day)]), spec=spec)


def _over(value: exp.Expr, frame: exp.Window) -> exp.Expr:
    """The aggregate inside ``value`` as a window function."""
    window = frame.copy()
    if isinstance(value, exp.Cast):
        window.set("this", value.this)
        return exp.Cast(this=window, to=value.to)
    window.set("this", value)
    return window


def _dense(source: str, cut: Slice, span: Extent, items: Mapping[str, exp.Expr]) -> exp.Select:
    """``items`` over every day and member of the slice, joined to what was ``found``."""
    days = listed({DAY: "date"}, ([day] for day in span.dense), "days")
    grid = exp.Select(expressions=[exp.column(DAY, table="days"), *(exp.column(name, table="members") for name in cut)])
    grid = grid.from_(days, copy=False)
    if cut:
        members = (
            exp.Select(expressions=[column(name) for name in cut]).from_(table(source), copy=False).distinct(copy=False)
        )
        grid = grid.join(members.subquery("members", copy=False), join_type="cross", copy=False)
    keys = [exp.column(name, table="grid") for name in (DAY, *cut)]
    query = exp.Select(expressions=[*keys, *(named(item, name) for name, item in items.items())])
    query = query.from_(grid.subquery("grid", copy=False), copy=False)
    found = exp.alias_(table(source), "found", table=True)
    return query.join(found, on=same_keys("grid", "found", DAY, cut), join_type="left", copy=False)


def _totals(changes: exp.Expr, cut: Slice) -> exp.Select:
    keys = [column(DAY), *(column(name) for name in cut)]
    query = exp.Select(expressions=[*keys, named(exp.Sum(this=column(_CHANGE)), _CHANGE)])
    return query.from_(changes.subquery("changes"), copy=False).group_by(*positions(len(keys)), copy=False)  # type: ignore[attr-defined]


def _one(number: int) -> exp.Expr:
    return exp.Literal.number(number)
