"""Terms that merge, from the stored rollups: days of a slice first, longer periods from those days; stocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from metrics_catalog.engine.building import Building
from metrics_catalog.engine.needs import Spans, Wanted, every_span
from metrics_catalog.engine.pieces import Slice, in_spans, merged_components, renamed_components, slice_name, table
from metrics_catalog.engine.rollup import slice_of
from metrics_catalog.engine.scan import DAY
from metrics_catalog.engine.semi_additive import last_days
from metrics_catalog.engine.terms import Term
from metrics_catalog.engine.tree import column, named
from metrics_catalog.spec.base import Grain, ordered


def from_rollups(build: Building, model: str, wanted: Wanted) -> None:
    """Sums, counts, minima and maxima of ``model``."""
    for cut, grains in wanted.items():
        stored = build.stored(model, cut)
        base = _base(grains)
        days = base[:1] == ["day"]
        if whole := set(stored.keys) <= set(cut):  # the rollup is a table of the slice's days itself
            base = [] if days else base
        shared = f"{model}_{slice_name(cut)}_{base[0]}s" if base else ""
        if base:
            _merged(build, stored.table, shared, cut, base[0], [grains[grain] for grain in base])
        for grain, terms in grains.items():
            source = table(shared) if grain in base else stored.table.copy()
            components = {term.name: term.component for term in terms}
            if grain == "day" and (whole or days):
                query = renamed_components(source, cut, components)
            else:
                query = merged_components(source, build.period(grain), cut, components)
            query = query.where(in_spans(column(DAY), every_span([terms])), copy=False)
            build.piece(grain, cut, f"{model}_{slice_name(cut)}_{grain}", query, terms)


def _merged(
    build: Building, stored: exp.Expr, name: str, cut: Slice, grain: Grain, wanted: Sequence[Mapping[Term, Spans]]
) -> None:
    """A table of a slice by the first days of ``grain``, from which longer periods are merged."""
    components = tuple(dict.fromkeys(term.component for terms in wanted for term in terms))
    key = named(build.calendar.start_sql(grain, column(DAY)), DAY)
    query = merged_components(stored.copy(), key, cut, components)
    build.step(name, query.where(in_spans(column(DAY), every_span(wanted)), copy=False))


def _base(grains: Mapping[Grain, Mapping[Term, Spans]]) -> list[Grain]:
    """Grains merged from one shared table of the first of them; the others read the rollup itself.

    All of them when a table of days pays, as most days are wanted themselves; else those made of months: the last day
    of a year closes all three.
    """
    wanted = ordered(grains)
    days = sum((span.end - span.start).days for span in every_span([grains.get("day", {})]))
    every = sum((span.end - span.start).days for span in every_span(grains.values()))
    if days > 0 and 2 * days >= every:
        return wanted
    months: list[Grain] = [grain for grain in wanted if grain in ("month", "quarter", "year")]
    return months if len(months) > 1 else []


def stocks(build: Building, model: str, wanted: Wanted) -> None:
    """Semi-additive terms of ``model``."""
    for cut, grains in wanted.items():
        for grain, terms in grains.items():
            for number, (term, spans) in enumerate(terms.items()):
                source = build.stored(model, slice_of(term.component, cut)).table
                query = last_days(source, build.period(grain), cut, term.component, spans)
                build.piece(grain, cut, f"{model}_{slice_name(cut)}_{grain}_stock{number}", query, [term])
