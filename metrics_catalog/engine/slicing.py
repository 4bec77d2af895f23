"""Any slice of additive metrics from stored rollups: the same arithmetic as official values, on the fly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from metrics_catalog.engine.components import Component, Formula
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.query import Filter
from metrics_catalog.engine.scan import DAY, STORED
from metrics_catalog.engine.tree import column, is_present, named, text, typed
from metrics_catalog.engine.values import PERIOD, in_spans, merged_components, side_by_side, value_of
from metrics_catalog.spec.base import Grain


def sliced(
    formula: Formula,
    sources: Mapping[str, exp.Expr],
    calendar: Calendar,
    grain: Grain,
    by: Sequence[str],
    where: Sequence[Filter],
    spans: Sequence[Span],
) -> exp.Select:
    """Rows of (period, ``by``…, value) for one metric; ``sources`` are the rollups of the models it is made of."""
    used: dict[str, list[Component]] = {}
    for component in formula.components:
        used.setdefault(component.model, []).append(component)
    parts = []
    for model, components in used.items():
        start = calendar.start_sql(grain, column(DAY))
        query = merged_components(sources[model].copy(), PERIOD, start, tuple(by), components)
        parts.append((query.where(in_spans(column(DAY), spans), *(condition(one) for one in where)), tuple(components)))
    pieces = [(f"piece{number}", components) for number, (_, components) in enumerate(parts)]
    value = value_of(formula)
    keys = [column(PERIOD), *(named(typed(column(name), "varchar"), name) for name in by)]
    query = exp.select(*keys, named(typed(value.copy(), STORED), "value")).from_(
        side_by_side(pieces, tuple(by)).subquery("joined")
    )
    for (table, _), (piece, _) in zip(pieces, parts, strict=True):
        query = query.with_(table, as_=piece)
    return query.where(is_present(value))


def condition(part: Filter) -> exp.Expr:
    """A filter as SQL; the empty member (None) matches only itself."""
    member = typed(column(part.dimension), "varchar")
    tests: list[exp.Expr] = [exp.EQ(this=member.copy(), expression=text(one)) for one in part.values if one is not None]
    if None in part.values:
        tests.append(exp.Is(this=member.copy(), expression=exp.Null()))
    inside = exp.Coalesce(this=exp.paren(exp.or_(*tests)), expressions=[exp.false()])
    return inside if part.op in ("=", "in") else exp.Not(this=inside)
