"""Stocks: of each period only the last (first) day with rows counts. One grouping over the stored rollup."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from metrics_catalog.engine.components import Component
from metrics_catalog.engine.periods import Span
from metrics_catalog.engine.pieces import PERIOD, Slice, in_spans, merge
from metrics_catalog.engine.scan import DAY, conditional
from metrics_catalog.engine.tree import column, is_present, named, positions

_TAKEN = "taken"


def last_days(
    stored: exp.Expr, period: exp.Expr, cut: Slice, component: Component, spans: Iterable[Span]
) -> exp.Select:
    """The component by period and slice, of its last or first day in the period.

    The day is the same for all slices, so that they add up; with ``per``, each member of it has its own.
    """
    kept = component.semi_additive
    assert kept is not None
    own = conditional(column(DAY), is_present(column(component.name)))
    edge = {"last": exp.Max, "first": exp.Min}[kept.take](this=own)
    inside = [period.this.copy(), *(column(name) for name in kept.per)]
    carried = dict.fromkeys((DAY, *cut, component.name))
    marked = exp.Select(
        expressions=[
            period,
            *(column(name) for name in carried),
            named(exp.Window(this=edge, partition_by=inside), _TAKEN),
        ]
    ).from_(stored, copy=False)
    marked = marked.where(in_spans(column(DAY), spans), copy=False)
    keys = [column(PERIOD), *(column(name) for name in cut)]
    value = named(merge(component, column(component.name)), component.name)
    query = exp.Select(expressions=[*keys, value]).from_(marked.subquery("marked", copy=False), copy=False)
    on_that_day = exp.EQ(this=column(DAY), expression=column(_TAKEN))
    return query.where(on_that_day, copy=False).group_by(*positions(len(keys)), copy=False)
