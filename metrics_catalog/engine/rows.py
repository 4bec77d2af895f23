"""Terms that must see rows, from one slim copy of the mart's. The SQL is made in `passes` and `distinct`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlglot import exp

from metrics_catalog.engine import cumulative, distinct, passes
from metrics_catalog.engine.building import Building
from metrics_catalog.engine.components import Component
from metrics_catalog.engine.needs import Spans, Wanted, chosen, every_span
from metrics_catalog.engine.periods import Span, merged
from metrics_catalog.engine.pieces import PERIOD, Slice, in_spans, slice_name, table
from metrics_catalog.engine.scan import DAY, Scan, with_imports
from metrics_catalog.engine.terms import Term
from metrics_catalog.engine.tree import column
from metrics_catalog.spec.base import Grain, ordered


def slim(build: Building, model: str, wanted: Wanted) -> passes.SlimColumns:
    """The rows that non-merging terms of ``model`` see, with all they need."""
    carried, components, days = set[str](), dict[Component, None](), set[Span]()
    for cut, grains in wanted.items():
        for grain, terms in grains.items():
            for term, spans in terms.items():
                own, reach = passes.row_dimensions(build.semantics, term.component, cut), term.reach
                carried |= set(own if reach is None else cut)
                components[term.component] = None
                days.update(
                    spans if reach is None else (cumulative.reads(build.calendar, grain, reach, one) for one in spans)
                )
    scan = Scan(build.semantics, model, tuple(sorted(carried)), tuple(components))
    query, columns = passes.slim(scan)
    query = query.where(in_spans(scan.day, merged(days)), copy=False)
    build.step(f"{model}_rows", with_imports(query, build.relations(scan.models)))
    return columns


def from_rows(build: Building, model: str, columns: passes.SlimColumns, wanted: Wanted) -> None:
    """Quantiles and distinct keys of each period."""
    terms = {term for grains in wanted.values() for some in grains.values() for term in some}
    keys = [term for term in terms if term.component.agg == "count_distinct" and term.component.having is None]
    others = chosen(wanted, terms.difference(keys))
    for grain in ordered({grain for grains in others.values() for grain in grains}):
        by_cut = {cut: grains[grain] for cut, grains in others.items() if grain in grains}
        rows = exp.Select().from_(table(f"{model}_rows"), copy=False)
        rows = rows.where(in_spans(column(DAY), every_span(by_cut.values())), copy=False)
        rank_and_count(build, model, f"{model}_{grain}", grain, by_cut, rows, build.period(grain), columns)
    _distinct(build, model, columns, chosen(wanted, keys))


def _distinct(build: Building, model: str, columns: passes.SlimColumns, wanted: Wanted) -> None:
    """Distinct keys: for the slices that see the same rows one pass for all grains, over the rows or thinned ones."""
    by_key: dict[str, Wanted] = defaultdict(dict)
    for cut, grains in wanted.items():
        for grain, terms in grains.items():
            for term, spans in terms.items():
                found = by_key[columns.value[term.component]].setdefault(cut, {})
                found.setdefault(grain, {})[term] = spans
    for key, slices in by_key.items():
        thinned = tuple(distinct.key_days(build.semantics, model, key, slices, columns))
        for one in thinned:
            build.step(one.table, one.query)
        for term in dict.fromkeys(term for grains in slices.values() for terms in grains.values() for term in terms):
            for carried, own in _by_rows(build, term, slices).items():
                source = next((one.table for one in thinned if carried in one.serves), f"{model}_rows")
                _counted(build, model, source, term, own, columns)


def _by_rows(build: Building, term: Term, wanted: Wanted) -> dict[Slice, Wanted]:
    """What is wanted of a term, by the dimensions that its rows must carry."""
    found: dict[Slice, Wanted] = defaultdict(dict)
    for cut, grains in chosen(wanted, [term]).items():
        found[passes.row_dimensions(build.semantics, term.component, cut)][cut] = grains
    return found


def _counted(build: Building, model: str, source: str, term: Term, wanted: Wanted, columns: passes.SlimColumns) -> None:
    """The pieces of a term for slices that differ only in what its key decides: each key is in one member of those."""
    dimensions = tuple(dict.fromkeys(name for cut in wanted for name in cut))
    name = f"{model}_{slice_name(dimensions)}_{term.name}"
    spans: dict[Grain, Spans] = {}
    for grains in wanted.values():
        spans |= {grain: merged((*spans.get(grain, ()), *terms[term])) for grain, terms in grains.items()}
    build.step(f"{name}_days", distinct.first_seen(build, source, dimensions, term.component, spans, columns))
    for cut, grains in wanted.items():
        for grain, terms in grains.items():
            keys = [build.period(grain), *(column(one) for one in cut)]
            query = distinct.counted(f"{name}_days", keys, grain, term, set(cut) == set(dimensions))
            query = query.where(in_spans(column(DAY), terms[term]), copy=False)
            build.piece(grain, cut, f"{model}_{slice_name(cut)}_{term.name}_{grain}", query, [term])


def rank_and_count(
    build: Building,
    model: str,
    name: str,
    grain: Grain,
    wanted: Mapping[Slice, Iterable[Term]],
    rows: exp.Select,
    period: exp.Expr,
    columns: passes.SlimColumns,
) -> None:
    """Quantiles and distinct keys of ``rows`` by ``period``, in tables called ``name`` and more."""
    counted: dict[Slice, dict[Component, Term]] = {}
    for cut, terms in wanted.items():
        ranked = {term.component: term for term in terms if term.component.agg == "quantile"}
        counted[cut] = {term.component: term for term in terms if term.component.agg == "count_distinct"}
        if ranked:
            by = [period.copy(), *(column(one) for one in cut)]
            query = passes.quantiles(rows.copy(), by, ranked, columns)
            build.piece(grain, cut, f"{name}_{slice_name(cut)}_quantiles", query, ranked.values())
    made = passes.groups(build.semantics, rows, period, counted, columns)
    for number, groups in enumerate(made):
        keys = f"{name}_keys{number}"
        build.step(keys, groups.query)
        for cut, components in groups.counted.items():
            terms = {component: counted[cut][component] for component in components}
            query, models = passes.counts(build.semantics, keys, PERIOD, cut, terms)
            query = with_imports(query, build.relations(models))
            build.piece(grain, cut, f"{keys}_{slice_name(cut)}", query, terms.values())
