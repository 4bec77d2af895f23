"""Distinct keys of a slice for all grains in one pass: a key counts in each period that began after it was last seen.

Where several slices can read them, the rows are first thinned to one for each day, key and the dimensions of all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from metrics_catalog.engine.building import Building
from metrics_catalog.engine.components import Component
from metrics_catalog.engine.needs import Spans
from metrics_catalog.engine.passes import ENTITY, SlimColumns, by_members, passing, row_dimensions
from metrics_catalog.engine.periods import merged
from metrics_catalog.engine.pieces import Slice, in_spans, slice_name, table
from metrics_catalog.engine.rollup import covering
from metrics_catalog.engine.scan import DAY, conditional
from metrics_catalog.engine.terms import Term
from metrics_catalog.engine.tree import column, is_present, named, positions, typed
from metrics_catalog.semantic import Semantics
from metrics_catalog.spec.base import Grain

_SEEN = "seen"
# Thinning costs about as much as one pass and, at best, makes the passes over what it leaves cheap (`bench_engine`).
_WORTH = 3


@dataclass(frozen=True)
class KeyDays:
    """Each key once for each day and members it is seen with: columns are called as in the slim rows.

    ``serves``: the dimensions of rows that it can be read for.
    """

    table: str
    query: exp.Select
    serves: tuple[Slice, ...]


def key_days(
    semantics: Semantics,
    model: str,
    key: str,
    carried: Collection[Slice],
    components: Collection[Component],
    columns: SlimColumns,
) -> Iterator[KeyDays]:
    """The thinned rows that are worth it: for counting the keys of column ``key``, by rows that carry dimensions."""
    left = set(carried)
    for keys, decided in covering(semantics, model, [frozenset(one) for one in left]):
        serves = tuple(sorted(one for one in left if {*one} <= {*keys, *decided}))
        left.difference_update(serves)
        if len(serves) >= _WORTH:
            dimensions = tuple(sorted({name for one in serves for name in one}))
            query = _once_a_day(f"{model}_rows", key, dimensions, components, columns)
            yield KeyDays(f"{model}_{key}_by_{slice_name(dimensions)}", query, serves)


def _once_a_day(
    rows: str, key: str, dimensions: Slice, components: Collection[Component], columns: SlimColumns
) -> exp.Select:
    keys = [column(name) for name in (DAY, *dimensions, key)]
    kept = dict.fromkeys(columns.keep[one] for one in components if one in columns.keep)
    items = [*keys, *(named(passing(column(name)), name) for name in kept)]
    query = exp.Select(expressions=items).from_(table(rows), copy=False)
    return query.where(is_present(column(key)), copy=False).group_by(*positions(len(keys)), copy=False)


def first_seen(
    build: Building, source: str, cut: Slice, component: Component, grains: Mapping[Grain, Spans], columns: SlimColumns
) -> tuple[exp.Select, tuple[str, ...]]:
    """By day and slice, how many keys are seen for the first time in their period of each grain.

    Also the semantic models that must be at hand.
    """
    key = column(columns.value[component])
    carried = [column(name) for name in row_dimensions(build.semantics, component, cut)]
    before = exp.Window(
        this=exp.Lag(this=column(DAY)),
        partition_by=[key.copy(), *(one.copy() for one in carried)],
        order=exp.Order(expressions=[exp.Ordered(this=column(DAY))]),
    )
    items = [column(DAY), *carried, named(key, ENTITY), named(before, _SEEN)]
    tests = [is_present(key.copy()), in_spans(column(DAY), merged(span for spans in grains.values() for span in spans))]
    if component in columns.keep:
        tests.append(column(columns.keep[component]))
    rows = exp.Select(expressions=items).from_(table(source), copy=False).where(*tests, copy=False)
    counts = [named(_firsts(build, grain), f"new_in_{grain}") for grain in grains]
    return by_members(build.semantics, rows.subquery("rows"), column(DAY), cut, component, counts)


def _firsts(build: Building, grain: Grain) -> exp.Expr:
    """How many rows are the first of their key in their period."""
    start = build.calendar.start_sql(grain, column(DAY))
    never = exp.Is(this=column(_SEEN), expression=exp.Null())
    first = exp.or_(never, exp.LT(this=column(_SEEN), expression=start), copy=False)
    return exp.Count(this=conditional(exp.Literal.number(1), first))


def counted(days: str, keys: Sequence[exp.Expr], grain: Grain, term: Term, whole: bool) -> exp.Select:
    """The keys of each period; none is no data. ``whole``: ``days`` has just the slice, so days need no grouping."""
    new = column(f"new_in_{grain}")
    total = new if whole and grain == "day" else typed(exp.Sum(this=new), "bigint")
    value = exp.Nullif(this=total, expression=exp.Literal.number(0))
    query = exp.Select(expressions=[*keys, named(value, term.name)]).from_(table(days), copy=False)
    return query if total is new else query.group_by(*positions(len(keys)), copy=False)
