"""Terms over longer reaches than a period, from stored days or from rows. The SQL is made in `cumulative`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from metrics_catalog.engine import cumulative, passes
from metrics_catalog.engine.building import Building
from metrics_catalog.engine.needs import Spans, Wanted, every_span
from metrics_catalog.engine.pieces import PERIOD, Slice, in_spans, merged_components, slice_name, table
from metrics_catalog.engine.rows import Slim, rank_and_count
from metrics_catalog.engine.scan import DAY
from metrics_catalog.engine.terms import Reach, Term
from metrics_catalog.engine.tree import column
from metrics_catalog.spec.base import Grain


def from_days(build: Building, model: str, wanted: Wanted) -> None:
    """Cumulative values of terms that merge, from days of the slice."""
    for reach, cut, grains in cumulative.by_reach(wanted):
        name = f"{model}_{slice_name(cut)}_{reach}"
        terms = tuple(dict.fromkeys(term for some in grains.values() for term in some))
        extent = cumulative.extent(build.calendar, reach, grains)
        components = tuple(term.component for term in terms)
        daily = merged_components(build.stored(model, cut).table, cumulative.day_key(reach, extent), cut, components)
        daily = daily.where(in_spans(column(DAY), [extent.rows]), copy=False)
        build.step(f"{name}_days", daily)
        if "day" in grains and cumulative.runs(reach):
            query = cumulative.running(f"{name}_days", cut, reach, extent, terms, build.calendar)
            _of_days(build, f"{name}_running", query, cut, grains)
        else:
            _over_spans(build, name, cut, reach, grains)


def _over_spans(
    build: Building, name: str, cut: Slice, reach: Reach, grains: Mapping[Grain, Mapping[Term, Spans]]
) -> None:
    for grain, terms in grains.items():
        source = cumulative.spread(f"{name}_days", build.calendar, grain, reach, every_span([terms]))
        components = {term.name: term.component for term in terms}
        query = merged_components(source.select(exp.Star()).subquery("spread"), column(PERIOD), cut, components)
        build.piece(grain, cut, f"{name}_{grain}", query, terms)


def _of_days(
    build: Building, name: str, query: exp.Expr, cut: Slice, grains: Mapping[Grain, Mapping[Term, Spans]]
) -> None:
    """Running values by day: a longer period has that of its last day."""
    build.step(name, query)
    for grain, terms in grains.items():
        items = [build.period(grain), *(column(one) for one in (*cut, *(term.name for term in terms)))]
        last = cumulative.last_days(build.calendar, grain)
        some = exp.Select(expressions=items).from_(table(name), copy=False)
        some = some.where(*last, in_spans(column(DAY), every_span([terms])), copy=False)
        build.piece(grain, cut, f"{name}_{grain}", some, terms)


def from_rows(build: Building, model: str, slim: Slim, wanted: Wanted) -> None:
    """Cumulative values of terms that must see rows."""
    for number, (reach, cut, grains) in enumerate(cumulative.by_reach(wanted)):
        spread: dict[Grain, dict[Term, Spans]] = {}
        for term in dict.fromkeys(term for some in grains.values() for term in some):
            own: dict[Grain, dict[Term, Spans]] = {
                one: {term: grains[one][term]} for one in grains if term in grains[one]
            }
            if term.component.agg != "count_distinct" or term.component.having or not cumulative.runs(reach):
                for grain, some in own.items():
                    spread.setdefault(grain, {}).update(some)
                continue
            extent = cumulative.extent(build.calendar, reach, own)
            name = f"{model}_{slice_name(cut)}_{term.name}"
            touched = passes.touched(table(slim.days_of_keys(term.component, cut)), cut, term.component, slim.columns)
            touched = touched.where(in_spans(column(DAY), [extent.rows]), copy=False)
            changes = cumulative.distinct_changes(touched, cut, reach, extent, build.calendar)
            build.step(f"{name}_days", slim.codes.decoded(changes, cut))
            query = cumulative.running_distinct(f"{name}_days", cut, reach, extent, term, build.calendar)
            _of_days(build, f"{name}_running", query, cut, own)
        for grain, terms in spread.items():
            rows = cumulative.spread(f"{model}_rows", build.calendar, grain, reach, every_span([terms]))
            name = f"{model}_{grain}_{reach}{number}"
            rank_and_count(build, model, name, grain, {cut: terms}, rows, column(PERIOD), slim)
