"""Plan and SQL of official values: components for each grain and slice, then every metric as arithmetic over them.

Mergeable components come from the stored rollup: days of a slice first, longer periods from those days. The others come
from one slim copy of the mart's rows, one pass for each grain, slice and key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine import passes
from metrics_catalog.engine.components import Component, Formula, divide, formulas
from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.engine.periods import Calendar, Span, merged
from metrics_catalog.engine.rollup import rollups
from metrics_catalog.engine.scan import DAY, STORED, Scan, with_imports
from metrics_catalog.engine.tree import column, is_present, named, positions, text, typed
from metrics_catalog.spec.base import Grain, ordered

PERIOD = "period"
Slice = tuple[str, ...]
Cell = tuple[Grain, Slice]


@dataclass(frozen=True)
class Step:
    """A temporary table to make: its name and the query that fills it."""

    table: str
    query: exp.Expr


@dataclass(frozen=True)
class Plan:
    """Steps to run in order, then ``values``: one select for each metric, grain and slice, in the published shape."""

    steps: tuple[Step, ...]
    values: tuple[exp.Select, ...]


Windows = Mapping[Grain, tuple[Span, ...]]


def plan(catalog: Catalog, metrics: Sequence[str], windows: Windows, calendar: Calendar) -> Plan:
    """Plan of all values of ``metrics`` in the periods of ``windows`` (days of each grain to compute)."""
    return _Planner(catalog, metrics, windows, calendar).plan()


class _Planner:
    def __init__(self, catalog: Catalog, metrics: Sequence[str], windows: Windows, calendar: Calendar) -> None:
        self.catalog, self.windows, self.calendar = catalog, windows, calendar
        self.formulas = formulas(catalog, catalog.metrics)
        self.definitions = calculations(catalog)
        self.metrics = list(metrics)
        self.dimensions = sorted({name for one in catalog.metrics.values() for cut in one.spec.slices for name in cut})
        self.steps: list[Step] = []
        self.pieces: dict[Cell, list[tuple[str, tuple[Component, ...]]]] = defaultdict(list)

    def plan(self) -> Plan:
        cells = self._cells()
        stored = rollups(self.catalog)
        for model, wanted in self._components(cells, merges=True).items():
            self._from_rollup(stored[model].name, model, wanted)
        for model, wanted in self._components(cells, merges=False).items():
            self._from_mart(model, wanted)
        values = tuple(self._values(cells))
        return Plan(tuple(self.steps), values)

    def _cells(self) -> dict[Cell, list[Formula]]:
        cells: dict[Cell, list[Formula]] = defaultdict(list)
        for metric in self.metrics:
            spec = self.catalog.metrics[metric].spec
            for grain in ordered(spec.grains):
                cuts: list[Slice] = [(), *spec.slices] if self.windows.get(grain) else []
                for cut in cuts:
                    cells[grain, cut].append(self.formulas[metric])
        return cells

    def _components(
        self, cells: Mapping[Cell, Iterable[Formula]], merges: bool
    ) -> dict[str, dict[Slice, dict[Grain, tuple[Component, ...]]]]:
        """model -> slice -> grain -> components, of those that merge or of those that do not."""
        found: dict[str, dict[Slice, dict[Grain, dict[Component, None]]]] = {}
        for (grain, cut), wanted in cells.items():
            for component in (one for formula in wanted for one in formula.components):
                if (component.merge is not None) != merges:
                    continue
                by_slice = found.setdefault(component.model, {})
                by_slice.setdefault(cut, {}).setdefault(grain, {})[component] = None
        return {m: {c: {g: tuple(k) for g, k in gs.items()} for c, gs in cs.items()} for m, cs in found.items()}

    def _from_rollup(self, table: str, model: str, wanted: dict[Slice, dict[Grain, tuple[Component, ...]]]) -> None:
        stored = exp.table_(table, db="metrics")
        for cut, grains in wanted.items():
            base = self._base(grains)
            shared = f"{model}_{_name(cut)}_{base[0]}s" if base else ""
            if base:
                components = tuple(dict.fromkeys(one for grain in base for one in grains[grain]))
                start = self.calendar.start_sql(base[0], column(DAY))
                query = merged_components(stored.copy(), DAY, start, cut, components)
                self.steps.append(Step(shared, query.where(self._window(column(DAY), base))))
            for grain, used in grains.items():
                source = _table(shared) if grain in base else stored.copy()
                start = self.calendar.start_sql(grain, column(DAY))
                query = merged_components(source, PERIOD, start, cut, used)
                query = query.where(self._window(column(DAY), [grain]))
                self._piece(grain, cut, Step(f"{model}_{_name(cut)}_{grain}", query), used)

    def _base(self, grains: Collection[Grain]) -> list[Grain]:
        """Grains computed from one shared table of the first of them; the others read the rollup itself.

        All of them when a table of days pays; else those made of months: the last day of a year closes all three.
        """
        wanted = ordered(grains)
        if self._mostly_days(wanted):
            return wanted
        months: list[Grain] = [grain for grain in wanted if grain in ("month", "quarter", "year")]
        return months if len(months) > 1 else []

    def _mostly_days(self, grains: Iterable[Grain]) -> bool:
        """Whether a table of days pays: most days are wanted themselves. One new day of a year is not."""
        days = sum((span.end - span.start).days for span in self.windows.get("day", ()))
        every = merged(span for grain in grains for span in self.windows[grain])
        return "day" in grains and 2 * days >= sum((span.end - span.start).days for span in every)

    def _from_mart(self, model: str, wanted: dict[Slice, dict[Grain, tuple[Component, ...]]]) -> None:
        semantics = self.catalog.semantics
        used = [(cut, one) for cut, by_grain in wanted.items() for many in by_grain.values() for one in many]
        carried = sorted({name for cut, one in used for name in passes.row_dimensions(semantics, one, cut)})
        scan = Scan(semantics, model, tuple(carried), tuple(dict.fromkeys(one for _, one in used)))
        slim, columns = passes.slim(scan)
        grains = ordered({grain for by_grain in wanted.values() for grain in by_grain})
        slim = slim.where(self._window(scan.day, grains))
        self.steps.append(Step(f"{model}_rows", with_imports(slim, self._relations(scan.models))))
        for grain in grains:
            by_cut = {cut: by_grain[grain] for cut, by_grain in wanted.items() if grain in by_grain}
            self._quantiles(model, grain, by_cut, columns)
            self._distinct(model, grain, by_cut, columns)

    def _quantiles(
        self, model: str, grain: Grain, wanted: Mapping[Slice, Sequence[Component]], columns: passes.SlimColumns
    ) -> None:
        for cut, components in wanted.items():
            if chosen := tuple(one for one in components if one.agg == "quantile"):
                keys = [self._period(grain), *(column(name) for name in cut)]
                query = passes.quantiles(self._rows(model, grain), keys, chosen, columns)
                self._piece(grain, cut, Step(f"{model}_{_name(cut)}_{grain}_quantiles", query), chosen)

    def _distinct(
        self, model: str, grain: Grain, wanted: Mapping[Slice, Sequence[Component]], columns: passes.SlimColumns
    ) -> None:
        chosen = {cut: [one for one in components if one.agg == "count_distinct"] for cut, components in wanted.items()}
        made = passes.groups(self.catalog.semantics, self._rows(model, grain), self._period(grain), chosen, columns)
        for number, groups in enumerate(made):
            table = f"{model}_{grain}_keys{number}"
            self.steps.append(Step(table, groups.query))
            for cut, components in groups.counted.items():
                query, models = passes.counts(self.catalog.semantics, table, PERIOD, cut, components)
                query = with_imports(query, self._relations(models))
                self._piece(grain, cut, Step(f"{table}_{_name(cut)}", query), components)

    def _rows(self, model: str, grain: Grain) -> exp.Select:
        return exp.Select().from_(_table(f"{model}_rows"), copy=False).where(self._window(column(DAY), [grain]))

    def _period(self, grain: Grain) -> exp.Expr:
        return named(self.calendar.start_sql(grain, column(DAY)), PERIOD)

    def _piece(self, grain: Grain, cut: Slice, step: Step, components: tuple[Component, ...]) -> None:
        self.steps.append(step)
        self.pieces[grain, cut].append((step.table, components))

    def _relations(self, models: Iterable[str]) -> Iterator[tuple[str, exp.Expr]]:
        for name in models:
            model = self.catalog.semantics.model(name)
            yield name, exp.select("*").from_(exp.table_(model.table, db=model.schema))

    def _window(self, day: exp.Expr, grains: Iterable[Grain]) -> exp.Expr:
        return in_spans(day, merged(span for grain in grains for span in self.windows[grain]))

    def _values(self, cells: Mapping[Cell, Sequence[Formula]]) -> Iterator[exp.Select]:
        for (grain, cut), wanted in cells.items():
            joined = f"{_name(cut)}_{grain}"
            self.steps.append(Step(joined, side_by_side(self.pieces[grain, cut], cut)))
            for formula in wanted:
                yield self._value(joined, grain, cut, formula)

    def _value(self, table: str, grain: Grain, cut: Slice, formula: Formula) -> exp.Select:
        over, value = formula.denominator, value_of(formula)
        items = [
            named(text(formula.metric), "metric"),
            named(text(grain), "grain"),
            column(PERIOD),
            named(text(",".join(cut)), "slice"),
            *(named(typed(column(name) if name in cut else exp.Null(), "varchar"), name) for name in self.dimensions),
            named(typed(value.copy(), STORED), "value"),
            named(typed(formula.numerator.copy(), STORED), "numerator"),
            named(typed(exp.Null() if over is None else over.copy(), STORED), "denominator"),
            named(text(self.definitions[formula.metric]), "definition"),
        ]
        return (
            exp.Select(expressions=items).from_(_table(table), copy=False).where(is_present(value.copy()), copy=False)
        )


def merged_components(
    source: exp.Expr, key: str, start: exp.Expr, cut: Slice, components: Sequence[Component]
) -> exp.Select:
    """Components added up by a time key and the slice."""
    calls = {"sum": exp.Sum, "min": exp.Min, "max": exp.Max}
    keys = [named(start, key), *(column(name) for name in cut)]
    merged = [named(_merge(one, calls[str(one.merge)](this=column(one.name))), one.name) for one in components]
    query = exp.Select(expressions=[*keys, *merged]).from_(source, copy=False)
    return query.group_by(*positions(len(keys)), copy=False)


def _merge(component: Component, call: exp.Expr) -> exp.Expr:
    """Sums keep the stored type, so adding up twice is adding up once."""
    return typed(call, STORED) if component.agg == "sum" else call


def side_by_side(pieces: Sequence[tuple[str, tuple[Component, ...]]], cut: Slice) -> exp.Select:
    """Pieces with the same keys as one table: each component's column, null where its piece has no such key."""
    if len(pieces) == 1:
        return exp.select("*").from_(_table(pieces[0][0]), copy=False)
    keys = [PERIOD, *cut]
    every = list(dict.fromkeys(one.name for _, made in pieces for one in made))
    stacked = exp.union(*(_padded(table, keys, made, every) for table, made in pieces), distinct=False, copy=False)
    tops = [named(exp.Max(this=column(name)), name) for name in every]
    items = [*(column(name) for name in keys), *tops]
    query = exp.Select(expressions=items).from_(stacked.subquery("pieces", copy=False), copy=False)
    return query.group_by(*positions(len(keys)), copy=False)


def _padded(table: str, keys: Sequence[str], made: Sequence[Component], every: Sequence[str]) -> exp.Select:
    own = {one.name for one in made}
    values = [column(name) if name in own else named(exp.Null(), name) for name in every]
    return exp.Select(expressions=[*(column(name) for name in keys), *values]).from_(_table(table), copy=False)


def _table(name: str) -> exp.Table:
    return exp.Table(this=exp.to_identifier(name))


def value_of(formula: Formula) -> exp.Expr:
    """The metric's value as an expression over component columns."""
    over = formula.denominator
    return formula.numerator.copy() if over is None else divide(formula.numerator, over)


def in_spans(day: exp.Expr, spans: Iterable[Span]) -> exp.Expr:
    """Whether a day is in any of the spans."""
    return exp.or_(*(_between(day, span) for span in spans)) if spans else exp.false()


def _between(day: exp.Expr, span: Span) -> exp.Expr:
    low, high = (typed(exp.Literal.string(one.isoformat()), "date") for one in (span.start, span.end))
    return exp.and_(exp.GTE(this=day.copy(), expression=low), exp.LT(this=day.copy(), expression=high))


def _name(cut: Slice) -> str:
    return "_".join(cut) or "total"
