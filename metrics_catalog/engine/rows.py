"""Terms that must see rows, from one slim copy of the mart's. The SQL is made in `passes` and `distinct`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from metrics_catalog.engine import cumulative, distinct, passes
from metrics_catalog.engine.building import Building
from metrics_catalog.engine.codes import Codes, codes
from metrics_catalog.engine.components import Component
from metrics_catalog.engine.needs import Spans, Wanted, chosen, every_span
from metrics_catalog.engine.periods import Span, merged
from metrics_catalog.engine.pieces import PERIOD, Slice, in_spans, slice_name, table
from metrics_catalog.engine.scan import DAY, Scan, with_imports
from metrics_catalog.engine.terms import Term
from metrics_catalog.engine.tree import column
from metrics_catalog.spec.base import Grain, ordered


@dataclass(frozen=True)
class Slim:
    """The slim copy of a mart: its columns, which dimensions are codes in it, and what it is thinned to, by key."""

    table: str
    columns: passes.SlimColumns
    codes: Codes
    thinned: Mapping[str, Sequence[distinct.KeyDays]]

    def days_of_keys(self, component: Component, carried: Slice) -> str:
        """The table to count a component's keys from, by some dimensions."""
        thinned = self.thinned.get(self.columns.value[component], ())
        return next((one.table for one in thinned if carried in one.serves), self.table)


def slim(build: Building, model: str, wanted: Wanted) -> Slim:
    """The rows that non-merging terms of ``model`` see, with all they need."""
    components: dict[Component, set[Slice]] = defaultdict(set)
    days = set[Span]()
    for cut, grains in wanted.items():
        for grain, terms in grains.items():
            for term, spans in terms.items():
                reach, calendar = term.reach, build.calendar
                components[term.component].add(_carried(build, term, cut))
                days.update(
                    spans if reach is None else (cumulative.reads(calendar, grain, reach, one) for one in spans)
                )
    dimensions = {name for carried in components.values() for one in carried for name in one}
    made = codes(build.semantics, model, sorted(dimensions))
    for name, query in made.numbered(build.semantics, build.place):
        build.step(name, query)
    scan = Scan(build.semantics, model, tuple(sorted(dimensions)), tuple(components), made.tables)
    query, columns = passes.slim(scan)
    query = query.where(in_spans(scan.day, merged(days)), copy=False)
    build.step(f"{model}_rows", with_imports(query, made.relations(build.semantics, scan.models, build.place)))
    return Slim(f"{model}_rows", columns, made, _thinned(build, model, columns, components))


def _carried(build: Building, term: Term, cut: Slice) -> Slice:
    """The dimensions that the rows of a term must have."""
    return cut if term.reach else passes.row_dimensions(build.semantics, term.component, cut)


def _thinned(
    build: Building, model: str, columns: passes.SlimColumns, components: Mapping[Component, Iterable[Slice]]
) -> dict[str, tuple[distinct.KeyDays, ...]]:
    """What the rows are thinned to for counting keys that no condition on all their rows is on."""
    by_key: dict[str, dict[Component, Iterable[Slice]]] = defaultdict(dict)
    for component, carried in components.items():
        if component.agg == "count_distinct" and component.having is None:
            by_key[columns.value[component]][component] = carried
    found: dict[str, tuple[distinct.KeyDays, ...]] = {}
    for key, counted in by_key.items():
        carried = {one for some in counted.values() for one in some}
        found[key] = tuple(distinct.key_days(build.semantics, model, key, carried, tuple(counted), columns))
        for one in found[key]:
            build.step(one.table, one.query)
    return found


def from_rows(build: Building, model: str, slim: Slim, wanted: Wanted) -> None:
    """Quantiles and distinct keys of each period."""
    terms = {term for grains in wanted.values() for some in grains.values() for term in some}
    keys = [term for term in terms if term.component.agg == "count_distinct" and term.component.having is None]
    others = chosen(wanted, terms.difference(keys))
    for grain in ordered({grain for grains in others.values() for grain in grains}):
        by_cut = {cut: grains[grain] for cut, grains in others.items() if grain in grains}
        rows = exp.Select().from_(table(f"{model}_rows"), copy=False)
        rows = rows.where(in_spans(column(DAY), every_span(by_cut.values())), copy=False)
        rank_and_count(build, model, f"{model}_{grain}", grain, by_cut, rows, build.period(grain), slim)
    _distinct(build, model, slim, chosen(wanted, keys))


def _distinct(build: Building, model: str, slim: Slim, wanted: Wanted) -> None:
    """Distinct keys: for the slices that see the same rows one pass for all grains."""
    for term in dict.fromkeys(term for grains in wanted.values() for terms in grains.values() for term in terms):
        for carried, own in _by_rows(build, term, wanted).items():
            _counted(build, model, term, carried, own, slim)


def _by_rows(build: Building, term: Term, wanted: Wanted) -> dict[Slice, Wanted]:
    """What is wanted of a term, by the dimensions that its rows must carry."""
    found: dict[Slice, Wanted] = defaultdict(dict)
    for cut, grains in chosen(wanted, [term]).items():
        found[_carried(build, term, cut)][cut] = grains
    return found


def _counted(build: Building, model: str, term: Term, carried: Slice, wanted: Wanted, slim: Slim) -> None:
    """The pieces of a term for slices that differ only in what its key decides: each key is in one member of those."""
    dimensions = tuple(dict.fromkeys(name for cut in wanted for name in cut))
    name = f"{model}_{slice_name(dimensions)}_{term.name}"
    spans: dict[Grain, Spans] = {}
    for grains in wanted.values():
        spans |= {grain: merged((*spans.get(grain, ()), *terms[term])) for grain, terms in grains.items()}
    source = slim.days_of_keys(term.component, carried)
    seen, models = distinct.first_seen(build, source, dimensions, term.component, spans, slim.columns)
    build.step(f"{name}_days", with_imports(slim.codes.decoded(seen, carried), build.relations(models)))
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
    slim: Slim,
) -> None:
    """Quantiles and distinct keys of ``rows`` by ``period``, in tables called ``name`` and more."""
    counted: dict[Slice, dict[Component, Term]] = {}
    for cut, terms in wanted.items():
        ranked = {term.component: term for term in terms if term.component.agg == "quantile"}
        counted[cut] = {term.component: term for term in terms if term.component.agg == "count_distinct"}
        if ranked:
            by = [period.copy(), *(column(one) for one in cut)]
            query = slim.codes.decoded(passes.quantiles(rows.copy(), by, ranked, slim.columns), cut)
            build.piece(grain, cut, f"{name}_{slice_name(cut)}_quantiles", query, ranked.values())
    made = passes.groups(build.semantics, rows, period, counted, slim.columns)
    for number, groups in enumerate(made):
        keys = f"{name}_keys{number}"
        build.step(keys, groups.query)
        for cut, components in groups.counted.items():
            terms = {component: counted[cut][component] for component in components}
            query, models = passes.counts(build.semantics, keys, PERIOD, cut, terms)
            carried = passes.row_dimensions(build.semantics, next(iter(components)), cut)
            query = with_imports(slim.codes.decoded(query, carried), build.relations(models))
            build.piece(grain, cut, f"{keys}_{slice_name(cut)}", query, terms.values())
