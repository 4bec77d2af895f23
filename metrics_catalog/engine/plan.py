"""Values wanted -> steps to run. Terms for each grain and slice first, then every metric as arithmetic over them.

Terms that merge come from the stored rollup: days of a slice first, longer periods from those days. The others come
from one slim copy of the mart's rows, one pass for each grain, slice and key. Longer reaches and conversions have their
own modules; looking at another period is a join of pieces already made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine import cumulative, passes
from metrics_catalog.engine.components import Component
from metrics_catalog.engine.conversion import conversions
from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.engine.formulas import Formula, formulas
from metrics_catalog.engine.needs import Cell, Needs, Spans, Wanted, Windows, chosen, every_span
from metrics_catalog.engine.periods import Calendar, Span, merged
from metrics_catalog.engine.pieces import (
    PERIOD,
    Piece,
    Slice,
    Step,
    in_spans,
    listed,
    merged_components,
    side_by_side,
    slice_name,
    table,
)
from metrics_catalog.engine.rollup import Rollup, Rollups, rollups, slice_of
from metrics_catalog.engine.scan import DAY, Scan, with_imports
from metrics_catalog.engine.semi_additive import last_days
from metrics_catalog.engine.terms import Shift, Term
from metrics_catalog.engine.tree import column, named
from metrics_catalog.engine.values import Figures, Frame, Values
from metrics_catalog.spec.base import Grain, ordered

Stored = Callable[[str, Collection[str]], exp.Expr]


@dataclass(frozen=True)
class Plan:
    """Steps to run in order, then ``values``: one select for each metric, grain and slice, in the published shape."""

    steps: tuple[Step, ...]
    values: tuple[Values, ...]


def plan(
    catalog: Catalog, metrics: Sequence[str], windows: Windows, calendar: Calendar, stored: Rollups | None = None
) -> Plan:
    """Plan of all values of ``metrics`` in the periods of ``windows`` (days of each grain to compute).

    ``stored``: the rollups that were built, where these are of more than ``catalog``.
    """
    known = formulas(catalog)
    cells: dict[Cell, list[Formula]] = {}
    for metric in metrics:
        spec = catalog.metrics[metric].spec
        cuts: list[Slice] = [(), *spec.slices]
        for grain in ordered(spec.grains):
            for cut in cuts if windows.get(grain) else ():
                cells.setdefault((grain, cut), []).append(known[metric])
    built = stored_in(stored or rollups(catalog), lambda rollup: exp.table_(rollup.table, db="metrics"))
    return plan_cells(catalog, cells, windows, calendar, built, calculations(catalog))


def plan_cells(
    catalog: Catalog,
    cells: Mapping[Cell, Sequence[Formula]],
    windows: Windows,
    calendar: Calendar,
    stored: Stored,
    definitions: Mapping[str, str],
) -> Plan:
    """Plan of some formulas at each grain and slice.

    ``stored``: where the components of a semantic model are by some dimensions. ``definitions``: fingerprint of each
    metric, for its rows.
    """
    needs = Needs({cell: tuple(wanted) for cell, wanted in cells.items()}, windows, calendar)
    return _Planner(catalog, needs, stored).plan(definitions)


def stored_in(every: Rollups, place: Callable[[Rollup], exp.Expr]) -> Stored:
    """The smallest rollup that serves; ``place``: where each is."""

    def stored(model: str, dimensions: Collection[str]) -> exp.Expr:
        rollup = every.holding(model, dimensions)
        assert rollup is not None, (model, dimensions)
        return place(rollup)

    return stored


class _Planner:
    def __init__(self, catalog: Catalog, needs: Needs, stored: Stored) -> None:
        self.catalog, self.needs, self.calendar, self.stored = catalog, needs, needs.calendar, stored
        self.steps: list[Step] = []
        self.pieces: dict[Cell, list[Piece]] = defaultdict(list)
        self.rows_of: dict[str, passes.SlimColumns] = {}

    def plan(self, definitions: Mapping[str, str]) -> Plan:
        wanted = self.needs.wanted()
        terms = dict.fromkeys(term for grains in wanted.values() for some in grains.values() for term in some)
        for (way, model), some in _by_way(terms).items():
            part = chosen(wanted, some)
            if _sees_rows(some[0]):
                self._slim(
                    model, chosen(wanted, [one for one in terms if _sees_rows(one) and one.component.model == model])
                )
            ways: dict[str, Callable[[str, Wanted], None]] = {
                "stored": self._from_rollup,
                "semi-additive": self._semi_additive,
                "rows": self._from_rows,
                "reached": self._reached,
                "reached rows": self._reached_rows,
                "conversions": self._conversions,
            }
            ways[way](model, part)
        values: list[Values] = []
        dimensions = tuple(sorted({name for _, cut in self.needs.cells for name in cut}))
        every = {formula.metric: formula for some in self.needs.cells.values() for formula in some}
        figures = {metric: Figures(formula, definitions[metric]) for metric, formula in every.items()}
        for (grain, cut), wanted_here in self.needs.cells.items():
            frame = Frame(self._joined(grain, cut, wanted_here), grain, cut, dimensions)
            values += [Values(frame, figures[formula.metric]) for formula in wanted_here]
        return Plan(tuple(self.steps), tuple(values))

    def _joined(self, grain: Grain, cut: Slice, wanted: Sequence[Formula]) -> str:
        """All terms of a grain and slice side by side; those at other periods moved to the period they are for."""
        moved = self._moved(grain, cut, [term for formula in wanted for term in formula.terms if term.shifts])
        query = side_by_side([*self.pieces[grain, cut], *moved], cut)
        if moved:
            query = query.where(in_spans(column(PERIOD), self.needs.windows[grain]), copy=False)
        name = f"{slice_name(cut)}_{grain}"
        self.steps.append(Step(name, query))
        return name

    def _moved(self, grain: Grain, cut: Slice, terms: Iterable[Term]) -> list[Piece]:
        """Terms of one source that look equally far away are moved together."""
        together: dict[tuple[str, tuple[Shift, ...]], dict[Term, str]] = defaultdict(dict)
        for term in terms:
            source = next(piece.table for piece in self.pieces[grain, cut] if term.here.name in piece.columns)
            together[source, term.shifts][term] = term.component.kind
        pieces = []
        for number, ((source, _), some) in enumerate(together.items()):
            periods = self.needs.shifted(grain, next(iter(some)))
            days = ((own.start.isoformat(), other.start.isoformat()) for own, other in periods)
            written = listed((PERIOD, "looked_at"), days, "periods")
            keys = [exp.column(PERIOD, table="periods"), *(column(name) for name in cut)]
            items = [named(column(term.here.name), term.name) for term in some]
            query = exp.Select(expressions=[*keys, *items]).from_(written, copy=False)
            on = exp.EQ(this=exp.column("looked_at", table="periods"), expression=exp.column(PERIOD, table=source))
            name = f"{slice_name(cut)}_{grain}_moved{number}"
            self.steps.append(Step(name, query.join(table(source), on=on, copy=False)))
            pieces.append(Piece(name, {term.name: kind for term, kind in some.items()}))
        return pieces

    def _from_rollup(self, model: str, wanted: Wanted) -> None:
        for cut, grains in wanted.items():
            base = _base(grains)
            shared = f"{model}_{slice_name(cut)}_{base[0]}s" if base else ""
            if base:
                self._merged(shared, model, cut, base[0], [grains[grain] for grain in base])
            for grain, terms in grains.items():
                source = table(shared) if grain in base else self.stored(model, cut)
                components = {term.name: term.component for term in terms}
                query = merged_components(source, self._period(grain), cut, components)
                query = query.where(in_spans(column(DAY), every_span([terms])), copy=False)
                self._piece(grain, cut, Step(f"{model}_{slice_name(cut)}_{grain}", query), terms)

    def _merged(self, name: str, model: str, cut: Slice, grain: Grain, wanted: Sequence[Mapping[Term, Spans]]) -> None:
        """A table of a slice by the first days of ``grain``, from which longer periods are merged."""
        components = tuple(dict.fromkeys(term.component for terms in wanted for term in terms))
        key = named(self.calendar.start_sql(grain, column(DAY)), DAY)
        query = merged_components(self.stored(model, cut), key, cut, components)
        self.steps.append(Step(name, query.where(in_spans(column(DAY), every_span(wanted)), copy=False)))

    def _semi_additive(self, model: str, wanted: Wanted) -> None:
        for cut, grains in wanted.items():
            for grain, terms in grains.items():
                for number, (term, spans) in enumerate(terms.items()):
                    stored = self.stored(model, slice_of(term.component, cut))
                    query = last_days(stored, self._period(grain), cut, term.component, spans)
                    self._piece(grain, cut, Step(f"{model}_{slice_name(cut)}_{grain}_stock{number}", query), [term])

    def _slim(self, model: str, wanted: Wanted) -> None:
        """The rows that non-merging terms of ``model`` see, with all they need, made once."""
        if model in self.rows_of:
            return
        semantics, carried, components, days = self.catalog.semantics, set[str](), dict[Component, None](), set[Span]()
        for cut, grains in wanted.items():
            for grain, terms in grains.items():
                for term, spans in terms.items():
                    own, reach = passes.row_dimensions(semantics, term.component, cut), term.reach
                    carried |= set(own if reach is None else cut)
                    components[term.component] = None
                    read = (
                        spans
                        if reach is None
                        else [cumulative.reads(self.calendar, grain, reach, one) for one in spans]
                    )
                    days.update(read)
        scan = Scan(semantics, model, tuple(sorted(carried)), tuple(components))
        query, self.rows_of[model] = passes.slim(scan)
        query = query.where(in_spans(scan.day, merged(days)), copy=False)
        self.steps.append(Step(f"{model}_rows", with_imports(query, self._relations(scan.models))))

    def _from_rows(self, model: str, wanted: Wanted) -> None:
        for grain in ordered({grain for grains in wanted.values() for grain in grains}):
            by_cut = {cut: grains[grain] for cut, grains in wanted.items() if grain in grains}
            rows = exp.Select().from_(table(f"{model}_rows"), copy=False)
            rows = rows.where(in_spans(column(DAY), every_span(by_cut.values())), copy=False)
            self._rank_and_count(model, f"{model}_{grain}", grain, by_cut, rows, self._period(grain))

    def _rank_and_count(
        self,
        model: str,
        name: str,
        grain: Grain,
        wanted: Mapping[Slice, Iterable[Term]],
        rows: exp.Select,
        period: exp.Expr,
    ) -> None:
        """Quantiles and distinct keys of ``rows`` by ``period``, in tables called ``name`` and more."""
        semantics, columns = self.catalog.semantics, self.rows_of[model]
        counted: dict[Slice, dict[Component, Term]] = {}
        for cut, terms in wanted.items():
            ranked = {term.component: term for term in terms if term.component.agg == "quantile"}
            counted[cut] = {term.component: term for term in terms if term.component.agg == "count_distinct"}
            if ranked:
                by = [period.copy(), *(column(one) for one in cut)]
                query = passes.quantiles(rows.copy(), by, ranked, columns)
                step = Step(f"{name}_{slice_name(cut)}_quantiles", query)
                self._piece(grain, cut, step, ranked.values())
        made = passes.groups(semantics, rows, period, counted, columns)
        for number, groups in enumerate(made):
            keys = f"{name}_keys{number}"
            self.steps.append(Step(keys, groups.query))
            for cut, components in groups.counted.items():
                terms = {component: counted[cut][component] for component in components}
                query, models = passes.counts(semantics, keys, PERIOD, cut, terms)
                query = with_imports(query, self._relations(models))
                self._piece(grain, cut, Step(f"{keys}_{slice_name(cut)}", query), terms.values())

    def _reached(self, model: str, wanted: Wanted) -> None:
        """Cumulative values of terms that merge, from days of the slice."""
        for reach, cut, grains in cumulative.by_reach(wanted):
            name = f"{model}_{slice_name(cut)}_{reach}"
            terms = tuple(dict.fromkeys(term for some in grains.values() for term in some))
            extent = cumulative.extent(self.calendar, reach, grains)
            daily = merged_components(
                self.stored(model, cut), cumulative.day_key(reach, extent), cut, tuple(term.component for term in terms)
            )
            daily = daily.where(in_spans(column(DAY), [extent.rows]), copy=False)
            self.steps.append(Step(f"{name}_days", daily))
            if "day" in grains and cumulative.runs(reach):
                query = cumulative.running(f"{name}_days", cut, reach, extent, terms, self.calendar)
                self._of_days(f"{name}_running", query, cut, grains)
            else:
                self._over_spans(name, cut, reach, grains)

    def _over_spans(
        self, name: str, cut: Slice, reach: cumulative.Reach, grains: Mapping[Grain, Mapping[Term, Spans]]
    ) -> None:
        for grain, terms in grains.items():
            source = cumulative.spread(f"{name}_days", self.calendar, grain, reach, every_span([terms]))
            components = {term.name: term.component for term in terms}
            query = merged_components(source.select(exp.Star()).subquery("spread"), column(PERIOD), cut, components)
            self._piece(grain, cut, Step(f"{name}_{grain}", query), terms)

    def _of_days(self, name: str, query: exp.Expr, cut: Slice, grains: Mapping[Grain, Mapping[Term, Spans]]) -> None:
        """Running values by day: a longer period has that of its last day."""
        self.steps.append(Step(name, query))
        for grain, terms in grains.items():
            items = [self._period(grain), *(column(one) for one in (*cut, *(term.name for term in terms)))]
            last = cumulative.last_days(self.calendar, grain)
            some = exp.Select(expressions=items).from_(table(name), copy=False)
            some = some.where(*last, in_spans(column(DAY), every_span([terms])), copy=False)
            self._piece(grain, cut, Step(f"{name}_{grain}", some), terms)

    def _reached_rows(self, model: str, wanted: Wanted) -> None:
        """Cumulative values of terms that must see rows."""
        columns = self.rows_of[model]
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
                extent = cumulative.extent(self.calendar, reach, own)
                name = f"{model}_{slice_name(cut)}_{term.name}"
                touched = passes.touched(table(f"{model}_rows"), cut, term.component, columns)
                touched = touched.where(in_spans(column(DAY), [extent.rows]), copy=False)
                changes = cumulative.distinct_changes(touched, cut, reach, extent, self.calendar)
                self.steps.append(Step(f"{name}_days", changes))
                query = cumulative.running_distinct(f"{name}_days", cut, reach, extent, term, self.calendar)
                self._of_days(f"{name}_running", query, cut, own)
            for grain, terms in spread.items():
                rows = cumulative.spread(f"{model}_rows", self.calendar, grain, reach, every_span([terms]))
                name = f"{model}_{grain}_{reach}{number}"
                self._rank_and_count(model, name, grain, {cut: terms}, rows, column(PERIOD))

    def _conversions(self, model: str, wanted: Wanted) -> None:
        for term in dict.fromkeys(term for grains in wanted.values() for some in grains.values() for term in some):
            own = chosen(wanted, [term])
            made = conversions(self.catalog.semantics, term, own, self.calendar, self._relations)
            self.steps += made.steps
            for cut, grains in own.items():
                for grain in grains:
                    self._piece(grain, cut, made.piece(grain, cut, self._period(grain)), [term])

    def _period(self, grain: Grain) -> exp.Expr:
        return named(self.calendar.start_sql(grain, column(DAY)), PERIOD)

    def _piece(self, grain: Grain, cut: Slice, step: Step, terms: Iterable[Term]) -> None:
        self.steps.append(step)
        self.pieces[grain, cut].append(Piece(step.table, {term.name: term.component.kind for term in terms}))

    def _relations(self, models: Iterable[str]) -> list[tuple[str, exp.Expr]]:
        found = [(name, self.catalog.semantics.model(name)) for name in models]
        return [(name, exp.select("*").from_(exp.table_(model.table, db=model.schema))) for name, model in found]


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


def _by_way(terms: Iterable[Term]) -> dict[tuple[str, str], list[Term]]:
    found: dict[tuple[str, str], list[Term]] = defaultdict(list)
    for term in terms:
        found[_way(term), term.component.model].append(term)
    return found


def _sees_rows(term: Term) -> bool:
    return _way(term) in ("rows", "reached rows")


def _way(term: Term) -> str:
    component = term.component
    if component.conversion is not None:
        return "conversions"
    if component.semi_additive is not None:
        return "semi-additive"
    if component.merge is not None:
        return "stored" if term.reach is None else "reached"
    return "rows" if term.reach is None else "reached rows"
