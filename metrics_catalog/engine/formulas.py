"""Metric -> formula: arithmetic over terms. One function for each kind of metric; adding a kind is adding one here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.components import Component, Conversion, Lookup, Pool
from metrics_catalog.engine.terms import Reach, Shift, Term
from metrics_catalog.engine.tree import column, typed
from metrics_catalog.expressions import linear, parse
from metrics_catalog.spec.metric import (
    AnyMetric,
    ConversionMetric,
    CumulativeMetric,
    DerivedMetric,
    Input,
    Measure,
    RatioMetric,
    SimpleMetric,
)

_FROM_ZERO = ("sum", "count", "count_distinct", "conversions")


@dataclass(frozen=True)
class Formula:
    """How a metric's value comes from term columns: ``numerator`` alone, or over ``denominator``.

    ``adds_up``: disjoint slices of the value sum to its total. ``from_zero``: none of it is 0 of it, next to something.
    """

    metric: str
    numerator: exp.Expr
    denominator: exp.Expr | None
    terms: tuple[Term, ...]
    adds_up: bool = False
    from_zero: bool = False

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """What its terms are computed from, each once."""
        return tuple(dict.fromkeys(term.component for term in self.terms))

    @property
    def merges(self) -> bool:
        """Whether every component can be put together from stored days."""
        return all(component.is_stored for component in self.components)

    @cached_property
    def lookups(self) -> tuple[Lookup, ...]:
        """Values of other metrics that its filters ask for, each once."""
        reads = (one for component in self.components for one in component.reads)
        return tuple(dict.fromkeys(lookup for one in reads for lookup in one.lookups))

    @property
    def value(self) -> exp.Expr:
        """The metric's value as an expression over term columns."""
        return self.numerator.copy() if self.denominator is None else divide(self.numerator, self.denominator)

    @cached_property
    def calculation(self) -> tuple[str, ...]:
        """What it computes, whatever the columns are called: equal for metrics that are the same."""
        names = {term.name: f"term{number}" for number, term in enumerate(self.terms)}
        parts = [self.numerator, *([] if self.denominator is None else [self.denominator])]
        written = [_renamed(part, names).sql("duckdb") for part in parts]
        terms = [f"{term.component.key} {term.reach} {' '.join(map(str, term.shifts))}" for term in self.terms]
        return (*written, *terms)

    def mapped(self, change: Callable[[Term], Term]) -> Formula:
        """The same formula over other terms."""
        changed = {term.name: change(term) for term in self.terms}
        names = {old: new.name for old, new in changed.items()}
        over = self.denominator
        return replace(
            self,
            numerator=_renamed(self.numerator, names),
            denominator=None if over is None else _renamed(over, names),
            terms=tuple(dict.fromkeys(changed.values())),
        )


def formulas(catalog: Catalog) -> Mapping[str, Formula]:
    """Each metric's formula; equal components of different metrics share one column."""
    return _built(catalog).every


def _built(catalog: Catalog) -> _Builder:
    return catalog.once(formulas, lambda: _Builder(catalog))


def divide(numerator: exp.Expr, denominator: exp.Expr) -> exp.Expr:
    """Exact enough for any ratio, and no data instead of an error where the denominator is zero."""
    below = exp.Nullif(this=typed(denominator.copy(), "double"), expression=exp.Literal.number(0))
    return exp.Div(this=typed(numerator.copy(), "double"), expression=below, typed=False, safe=False)


class _Builder:
    """``name`` is what columns are called; ``filters`` are conditions that every measure below must pass too."""

    def __init__(self, catalog: Catalog) -> None:
        later = None if catalog.later is None else _built(catalog.later).filled()
        self._catalog, self._pool = catalog, Pool(catalog, lambda metric: self.metric(metric).calculation, later)
        self._made: dict[str, Formula] = {}

    def filled(self) -> Pool:
        """The components of every metric."""
        for metric in self._catalog.metrics:
            self.metric(metric)
        return self._pool

    @cached_property
    def every(self) -> Mapping[str, Formula]:
        """The formula of every metric."""
        return {metric: self.metric(metric) for metric in self._catalog.metrics}

    def metric(self, metric: str) -> Formula:
        if metric not in self._made:
            self._made[metric] = self._of(metric, self._catalog.metrics[metric].spec, ())
        return self._made[metric]

    def _of(self, name: str, spec: AnyMetric, filters: tuple[str, ...]) -> Formula:
        if isinstance(spec, SimpleMetric):
            return self._simple(name, spec, filters)
        if isinstance(spec, RatioMetric):
            return self._ratio(name, spec, filters)
        if isinstance(spec, DerivedMetric):
            return self._derived(name, spec, filters)
        if isinstance(spec, CumulativeMetric):
            return self._cumulative(name, spec, filters)
        return self._conversion(name, spec, filters)

    def _simple(self, name: str, measure: Measure, filters: tuple[str, ...]) -> Formula:
        if filters:
            every = [*filters, *([measure.filter] if measure.filter else [])]
            measure = measure.model_copy(update={"filter": " and ".join(f"({one})" for one in every)})
        if measure.agg == "average":
            total, count = (self._pool.component(f"{name}__{agg}", measure, agg) for agg in ("sum", "count"))
            return Formula(name, column(total.name), column(count.name), (Term(total), Term(count)))
        component = self._pool.component(name, measure)
        if measure.agg == "count_distinct" and measure.missing == "none":
            rows = self._pool.component(f"{name}__rows", measure.model_copy(update={"agg": "count", "expr": None}))
            return Formula(name, _or_none_of(column(component.name), rows), None, (Term(component), Term(rows)))
        zero = component.agg in _FROM_ZERO if measure.missing is None else measure.missing == "zero"
        return Formula(name, column(component.name), None, (Term(component),), component.merge == "sum", zero)

    def _ratio(self, name: str, spec: RatioMetric, filters: tuple[str, ...]) -> Formula:
        top = self._part(f"{name}__numerator", spec.numerator, filters)
        bottom = self._part(f"{name}__denominator", spec.denominator, filters)
        over = _or_zero(top.value) if top.from_zero else top.value
        return Formula(name, over, bottom.value, _joined(top, bottom))

    def _derived(self, name: str, spec: DerivedMetric, filters: tuple[str, ...]) -> Formula:
        tree = parse(spec.expr)
        names = sorted({one.name for one in tree.find_all(exp.Column)})
        parts = {one: self._part(f"{name}__{one}", spec.inputs.get(one, one), filters) for one in names}
        values = {one: _or_zero(part.value) if part.from_zero else part.value for one, part in parts.items()}
        straight = linear(tree)
        return Formula(
            name,
            _arithmetic(tree, values),
            None,
            _joined(*parts.values()),
            adds_up=straight and all(part.adds_up for part in parts.values()),
            from_zero=straight and all(part.from_zero for part in parts.values()),
        )

    def _cumulative(self, name: str, spec: CumulativeMetric, filters: tuple[str, ...]) -> Formula:
        reach = Reach(spec.window, spec.to_date)
        part = self._part(f"{name}__of", spec.metric, filters)
        return replace(part.mapped(lambda term: replace(term, reach=reach)), metric=name)

    def _conversion(self, name: str, spec: ConversionMetric, filters: tuple[str, ...]) -> Formula:
        base = self._part(f"{name}__base", spec.base, filters)
        follows = self._part(f"{name}__event", spec.conversion, ())
        event, start = follows.components[0], base.components[0]
        semantics = self._catalog.semantics
        attributes = [semantics.attribute(start.model, key) for key in (spec.entity, *spec.same)]
        others = [semantics.attribute(event.model, key) for key in (spec.entity, *spec.same)]
        keys = tuple(zip(attributes, others, strict=True))
        conversion = Conversion(event, keys, spec.window.days or 0)
        counted = self._pool.shared(
            replace(start, name=f"{name}__conversions", agg="conversions", conversion=conversion)
        )
        zero = follows.from_zero
        count = Formula(name, column(counted.name), None, (Term(counted),), adds_up=True, from_zero=zero)
        if spec.calculation == "count":
            filled = self._missing(spec.conversion) == "zero"
            value = exp.Coalesce(this=count.value, expressions=[_times_zero(base.value)])
            return replace(count, numerator=value, terms=_joined(count, base)) if filled else count
        return Formula(name, _or_zero(count.value) if zero else count.value, base.value, _joined(count, base))

    def _missing(self, part: str | Measure) -> str | None:
        spec = self._catalog.metrics[part].spec if isinstance(part, str) else part
        return spec.missing if isinstance(spec, Measure) else None

    def _part(self, name: str, part: str | Measure | Input, filters: tuple[str, ...]) -> Formula:
        if isinstance(part, Measure):
            return self._simple(name, part, filters)
        if isinstance(part, str):
            part = Input(metric=part)
        more = (*filters, *([part.filter] if part.filter else []))
        made = self._of(name, self._catalog.metrics[part.metric].spec, more) if more else self.metric(part.metric)
        if part.offset is None:
            return made
        shift = Shift(part.offset)
        return made.mapped(lambda term: replace(term, shifts=(shift, *term.shifts)))


def _joined(*parts: Formula) -> tuple[Term, ...]:
    return tuple(dict.fromkeys(term for part in parts for term in part.terms))


def _or_zero(value: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])


def _or_none_of(value: exp.Expr, rows: Component) -> exp.Expr:
    """The value, or 0 where there are rows and none of them counts."""
    return exp.Coalesce(this=value, expressions=[_times_zero(column(rows.name))])


def _times_zero(value: exp.Expr) -> exp.Expr:
    """0 where there is a value."""
    return exp.Mul(this=exp.Paren(this=value), expression=exp.Literal.number(0))


def _renamed(tree: exp.Expr, names: Mapping[str, str]) -> exp.Expr:
    return tree.transform(lambda node: column(names[node.name]) if isinstance(node, exp.Column) else node)


def _arithmetic(tree: exp.Expr, values: Mapping[str, exp.Expr]) -> exp.Expr:
    """The expression with each name's value in its place; division by zero is no data."""
    if isinstance(tree, exp.Column):
        value = values[tree.name]
        return exp.Paren(this=value.copy()) if isinstance(value, exp.Binary) else value.copy()
    if isinstance(tree, exp.Div):
        return divide(_arithmetic(tree.this, values), _arithmetic(tree.expression, values))
    made = tree.copy()
    for key, child in tree.args.items():
        if isinstance(child, exp.Expr):
            made.set(key, _arithmetic(child, values))
        elif isinstance(child, list):
            made.set(key, [_arithmetic(one, values) if isinstance(one, exp.Expr) else one for one in child])
    return made
