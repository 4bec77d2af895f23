"""Conversions: events of one model that follow a base event of another, each counted for the last base event before it.

Both are laid in one row per event by entity and time; a running maximum says which base event came last. One sort, no
join of events with events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlglot import exp

from metrics_catalog.engine.building import Building
from metrics_catalog.engine.components import STORED, Component, Conversion
from metrics_catalog.engine.needs import Wanted, chosen
from metrics_catalog.engine.periods import Span, merged
from metrics_catalog.engine.pieces import in_spans, slice_name, table
from metrics_catalog.engine.scan import DAY, Scan, with_imports
from metrics_catalog.engine.terms import Term
from metrics_catalog.engine.tree import column, is_present, named, positions, typed
from metrics_catalog.semantic import Semantics

_PLACE, _AMOUNT, _FOLLOWS = "place", "amount", "follows"
Relations = Callable[[Iterable[str]], Iterable[tuple[str, exp.Expr]]]


def from_events(build: Building, model: str, wanted: Wanted) -> None:
    """The conversions of each term, whose base events are rows of ``model``, by the period and slice of those."""
    for term in dict.fromkeys(term for grains in wanted.values() for some in grains.values() for term in some):
        own = chosen(wanted, [term])
        _lay_out(build, term, own)
        for cut, grains in own.items():
            for grain, terms in grains.items():
                keys = [build.period(grain), *(column(name) for name in cut)]
                kind = STORED if _conversion(term).event.agg == "sum" else "bigint"
                total = named(typed(exp.Sum(this=column(_AMOUNT)), kind), term.name)
                query = exp.Select(expressions=[*keys, total]).from_(table(f"{term.name}_followed"), copy=False)
                query = query.where(in_spans(column(DAY), terms[term]), copy=False)
                query = query.group_by(*positions(len(keys)), copy=False)
                build.piece(grain, cut, f"{term.name}_{slice_name(cut)}_{grain}", query, [term])


def _lay_out(build: Building, term: Term, wanted: Wanted) -> None:
    """A table of conversions, each with the day and members of its base event."""
    conversion, name, semantics, relations = _conversion(term), term.name, build.semantics, build.relations
    some = [span for grains in wanted.values() for by_term in grains.values() for span in by_term[term]]
    days = merged(Span(span.start, conversion.until(span.end)) for span in some)
    dimensions = tuple(dict.fromkeys(one for cut in wanted for one in cut))
    keys = tuple(mine.name for mine, _ in conversion.keys)
    base = _events(semantics, term.component, (*keys, *(one for one in dimensions if one not in keys)), days, relations)
    events = _events(semantics, conversion.event, keys, days, relations, amount=True)
    build.step(f"{name}_base", _placed(base, keys, dimensions))
    build.step(f"{name}_events", events)
    build.step(f"{name}_followed", _followed(name, keys, dimensions, conversion.days))


def _conversion(term: Term) -> Conversion:
    assert term.component.conversion is not None
    return term.component.conversion


def _events(
    semantics: Semantics,
    component: Component,
    names: Sequence[str],
    days: Iterable[Span],
    relations: Relations,
    amount: bool = False,
) -> exp.Select:
    """Rows that count, with their day and ``names``; ``amount``: what each adds up to."""
    scan = Scan(semantics, component.model, tuple(names), (component,))
    items = scan.keys()
    tests: list[exp.Expr] = [in_spans(scan.day, days)]
    if component.filter is not None:
        tests.append(component.filter.copy())
    if component.expr is not None and component.agg != "conversions":
        tests.append(is_present(component.expr.copy()))
    if amount:
        value = component.expr if component.agg == "sum" and component.expr is not None else exp.Literal.number(1)
        items.append(named(value.copy(), _AMOUNT))
    return with_imports(scan.select(items).where(*tests, copy=False), relations(scan.models))


def _placed(base: exp.Select, keys: Sequence[str], dimensions: Sequence[str]) -> exp.Select:
    """Base events numbered by key, then time; members break ties, so that two runs number alike."""
    order = [exp.Ordered(this=column(name)) for name in dict.fromkeys((*keys, DAY, *dimensions))]
    number = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=order))
    names = dict.fromkeys((DAY, *keys, *dimensions))
    query = exp.Select(expressions=[*(column(name) for name in names), named(number, _PLACE)])
    query = query.from_(base.subquery("events", copy=False), copy=False)
    return query.where(*(is_present(column(key)) for key in keys), copy=False)


def _followed(name: str, keys: Sequence[str], dimensions: Sequence[str], days: int) -> exp.Select:
    """Each conversion with the day and members of the base event it follows."""
    own = [column(key) for key in (*keys, DAY)]
    starts = exp.Select(expressions=[*own, column(_PLACE), named(exp.Null(), _AMOUNT)])
    ends = exp.Select(expressions=[*(one.copy() for one in own), named(exp.Null(), _PLACE), column(_AMOUNT)])
    both = exp.union(
        starts.from_(table(f"{name}_base"), copy=False), ends.from_(table(f"{name}_events"), copy=False), distinct=False
    )
    order = [exp.Ordered(this=column(DAY)), exp.Ordered(this=column(_PLACE), nulls_first=False)]
    so_far = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")
    latest = exp.Window(
        this=exp.Max(this=column(_PLACE)),
        partition_by=[column(key) for key in keys],
        order=exp.Order(expressions=order),
        spec=so_far,
    )
    laid = exp.Select(
        expressions=[named(column(DAY), "happened_on"), column(_PLACE), column(_AMOUNT), named(latest, _FOLLOWS)]
    )
    laid = laid.from_(both.subquery("events", copy=False), copy=False)
    base = table(f"{name}_base")
    items = [exp.column(one, table=base.name) for one in dict.fromkeys((DAY, *dimensions))]
    query = exp.Select(expressions=[*items, exp.column(_AMOUNT, table="laid")])
    query = query.from_(laid.subquery("laid", copy=False), copy=False)
    on = exp.EQ(this=column(_FOLLOWS), expression=exp.column(_PLACE, table=base.name))
    query = query.join(base, on=on, copy=False)
    start = exp.column(DAY, table=base.name)
    end = typed(exp.DateAdd(this=start, expression=exp.Literal.number(days), unit=exp.var("day")), "date")
    is_event = exp.Is(this=exp.column(_PLACE, table="laid"), expression=exp.Null())
    return query.where(is_event, exp.LT(this=column("happened_on"), expression=end), copy=False)
