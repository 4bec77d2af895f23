"""The catalog as a dbt semantic layer: ``semantic_models:`` and ``metrics:`` for dbt 1.11, governance in config.meta.

What is exported gives the same answers in MetricFlow; what cannot is left out and named. Where none counts as 0 beside
something, the exported part is a metric of its own, ``<metric>_or_zero``, whose nulls dbt fills.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from sqlglot import exp

from metrics_catalog.catalog import Catalog, Entry
from metrics_catalog.exchange.dbt_filters import NotExported, inside, templates
from metrics_catalog.expressions import names, parse
from metrics_catalog.read_semantics import by_time
from metrics_catalog.semantic import SemanticModel
from metrics_catalog.spec.base import Label, said
from metrics_catalog.spec.metric import (
    ConversionMetric,
    CumulativeMetric,
    DerivedMetric,
    Input,
    Measure,
    RatioMetric,
    SimpleMetric,
)

_GOVERNED = ("owner", "tier", "unit", "direction", "synonyms", "grains", "slices", "bounds", "target", "playbook")
_FROM_ZERO = ("sum", "count", "count_distinct")


@dataclass(frozen=True)
class Exported:
    """A document for others, and by name why a metric is not in it."""

    data: dict[str, Any]
    left_out: Mapping[str, str] = field(default_factory=dict)


def to_dbt(catalog: Catalog) -> Exported:
    """Every metric of the catalog, those it can, as a dbt properties file."""
    return _Writer(catalog).all()


class _Writer:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._measures: dict[str, dict[str, dict[str, Any]]] = {}
        self._metrics: dict[str, dict[str, Any]] = {}
        self._shared: set[str] = set()

    def all(self) -> Exported:
        left_out: dict[str, str] = {}
        for entry in self._catalog.metrics.values():
            before = dict(self._metrics), {model: dict(some) for model, some in self._measures.items()}
            try:
                self._metrics[entry.name] = self._metric(entry)
            except NotExported as why:
                self._metrics, self._measures = before
                left_out[entry.name] = str(why)
        self._drop_dependents(left_out)
        models = [_model(self._catalog, model, self._measures) for model in self._models()]
        return Exported({"version": 2, "semantic_models": models, "metrics": list(self._metrics.values())}, left_out)

    def _drop_dependents(self, left_out: dict[str, str]) -> None:
        """A metric goes with its parts."""
        while True:
            names_of = {name: list(self._catalog.inputs(name)) for name in self._catalog.metrics}
            lost = {n: p for n, parts in names_of.items() if n in self._metrics for p in parts if p in left_out}
            if not lost:
                return
            for name, part in lost.items():
                del self._metrics[name]
                left_out[name] = f'its part "{part}" is left out'

    def _models(self) -> Iterator[SemanticModel]:
        variants = {by_time(m.name, t) for m in self._catalog.semantics.models.values() for t in m.dimensions}
        yield from (m for name, m in self._catalog.semantics.models.items() if name not in variants)

    def _metric(self, entry: Entry) -> dict[str, Any]:
        spec = entry.spec
        kinds: dict[type, Any] = {
            SimpleMetric: self._simple,
            RatioMetric: self._ratio,
            DerivedMetric: self._derived,
            CumulativeMetric: self._cumulative,
            ConversionMetric: self._conversion,
        }
        made = kinds[type(spec)](entry.name, spec)
        given = spec.model_dump(mode="json", exclude_none=True, include=set(_GOVERNED))
        meta = {"domain": entry.domain, "label": {"en": spec.label.en, "zh": spec.label.zh}}
        if isinstance(spec.description, Label):
            meta["description"] = spec.description.model_dump()
        meta |= {key: given[key] for key in _GOVERNED if given.get(key)}
        about = {"name": entry.name, "label": spec.label.en, "description": said(spec.description, "en")}
        return {**about, "type": spec.type, **made, "config": {"meta": meta}}

    def _simple(self, name: str, spec: Measure) -> dict[str, Any]:
        return {"type_params": {"measure": self._used(name, spec, zero=spec.missing == "zero")}}

    def _used(self, name: str, measure: Measure, zero: bool, whole_rows: bool = False) -> dict[str, Any]:
        """The measure as a metric uses it; ``whole_rows``: rows a filter drops must be gone, not only their values."""
        kept = whole_rows or measure.semi_additive is not None
        conditions, baked = templates(self._catalog, measure, kept)
        joined = " and ".join(f"({one})" for one in conditions) if len(conditions) > 1 else "".join(conditions)
        told = {**({"filter": joined} if joined else {}), **({"fill_nulls_with": 0} if zero else {})}
        # One measure filtered in two ways makes MetricFlow refuse what is made of both: each has its own.
        plain = self._measure(name, measure, baked, whole_rows, shared=not told)
        return {"name": plain, **told}

    def _measure(self, name: str, measure: Measure, baked: str | None, events: bool, shared: bool) -> str:
        """The name of the measure in its semantic model, written there when it is new."""
        semantics = self._catalog.semantics
        model = semantics.model(measure.model)
        base = next((m for m in semantics.models.values() if by_time(m.name, model.time or "") == model.name), model)
        if measure.having is not None:
            raise NotExported("having has no equal in dbt's semantic layer")
        made: dict[str, Any] = {"agg": measure.agg, "expr": _value(self._catalog, measure, baked)}
        if (present := _counted(measure, events)) is not None:
            made = {"agg": "count", "expr": inside(self._catalog, measure.model, present)}
        elif measure.agg == "count":
            made = {"agg": "sum", "expr": _ones(self._catalog, measure, baked)}
        if measure.agg == "percentile":
            made["agg_params"] = {"percentile": measure.percentile, "use_discrete_percentile": False}
        if measure.semi_additive is not None:
            choice = {"last": "max", "first": "min"}[measure.semi_additive.take]
            made["non_additive_dimension"] = {"name": model.time, "window_choice": choice}
            if measure.semi_additive.per:
                made["non_additive_dimension"]["window_groupings"] = list(measure.semi_additive.per)
        if base is not model:
            made["agg_time_dimension"] = model.time
        some = self._measures.setdefault(base.name, {})
        equal = (one for one in some if one in self._shared and some[one] == {"name": one, **made})
        known = next(equal, None) if shared else None
        if known is None:
            known = self._measure_name(name, base.name, made, shared)
            some[known] = {"name": known, **made}
            self._shared |= {known} if shared else set()
        return known

    def _measure_name(self, metric: str, model: str, made: Mapping[str, Any], shared: bool) -> str:
        """``sum_amount`` where that says it all; unique in the project, as dbt wants."""
        taken = {*self._catalog.metrics, *(one for some in self._measures.values() for one in some)}
        plain = shared and made["expr"].isidentifier() and set(made) == {"agg", "expr"}
        short = f"{made['agg']}_{made['expr']}"
        wanted = [short, f"{short}_of_{model}"] if plain else []
        numbered = (f"{metric}_measure_{number}" for number in count(2))
        return next(one for one in chain(wanted, [f"{metric}_measure"], numbered) if one not in taken)

    def _ratio(self, name: str, spec: RatioMetric) -> dict[str, Any]:
        top = self._part(f"{name}_numerator", spec.numerator, spec, zero=True)
        return {
            "type_params": {"numerator": top, "denominator": self._part(f"{name}_denominator", spec.denominator, spec)}
        }

    def _derived(self, name: str, spec: DerivedMetric) -> dict[str, Any]:
        parts = []
        for one in names(spec.expr):
            part = self._part(f"{name}_{one}", spec.inputs.get(one, one), spec, zero=True)
            parts.append(part if part["name"] == one else {**part, "alias": one})
        return {"type_params": {"expr": spec.expr, "metrics": parts}}

    def _part(self, name: str, part: str | Measure | Input, whole: Any, zero: bool = False) -> dict[str, Any]:
        """A metric as an input; ``zero``: none of it is 0 there, where it comes from adding up."""
        if isinstance(part, Measure):
            self._helper(name, part, zero and _fills(part))
            return {"name": name}
        given = Input(metric=part) if isinstance(part, str) else part
        spec, known = self._catalog.metrics[given.metric].spec, given.metric
        if zero and isinstance(spec, SimpleMetric) and spec.missing is None and _fills(spec):
            known = f"{known}_or_zero"
            self._helper(known, spec, True)
        elif zero and self._from_zero(given.metric):
            raise NotExported(f'"{known}" is 0 where there is none of it, and dbt fills only what is simple')
        made: dict[str, Any] = {"name": known}
        if given.filter is not None:
            made["filter"] = self._input_filter(given)
            made["alias"] = name
        return {**made, **_offset(given, whole)}

    def _from_zero(self, name: str) -> bool:
        from metrics_catalog.engine.formulas import formulas

        return not isinstance(self._catalog.metrics[name].spec, SimpleMetric) and (
            formulas(self._catalog)[name].from_zero
        )

    def _input_filter(self, given: Input) -> str:
        found = set()
        for model in self._catalog.models(given.metric):
            probe = Measure(model=model, agg="sum", expr="1", filter=given.filter)
            conditions, _ = templates(self._catalog, probe, whole_rows=True)
            found.add(" and ".join(f"({one})" for one in conditions) if len(conditions) > 1 else "".join(conditions))
        if len(found) != 1:
            raise NotExported("its filter means different things in the models under it")
        return found.pop()

    def _helper(self, name: str, measure: Measure, zero: bool) -> None:
        """A metric that is only a part of others, marked so."""
        if name in self._catalog.metrics:
            raise NotExported(f'its part would be called "{name}", as another metric is')
        if name in self._metrics:
            return
        params = {"measure": self._used(name.removesuffix("_or_zero"), measure, zero)}
        about = {"label": name.replace("_", " ").capitalize(), "description": "A part of other metrics."}
        self._metrics[name] = {"name": name, **about, "type": "simple", "type_params": params}

    def _cumulative(self, name: str, spec: CumulativeMetric) -> dict[str, Any]:
        of = self._catalog.metrics[spec.metric].spec if isinstance(spec.metric, str) else spec.metric
        if not isinstance(of, Measure):
            raise NotExported("dbt cumulates measures, not metrics made of others")
        reach: dict[str, Any] = {"period_agg": "last"}
        if spec.window is not None:
            reach["window"] = str(spec.window)
        if spec.to_date is not None:
            reach["grain_to_date"] = spec.to_date
        named = spec.metric if isinstance(spec.metric, str) else name
        return {"type_params": {"measure": self._used(named, of, False), "cumulative_type_params": reach}}

    def _conversion(self, name: str, spec: ConversionMetric) -> dict[str, Any]:
        sides = []
        for word, part in (("base", spec.base), ("conversion", spec.conversion)):
            of = self._catalog.metrics[part].spec if isinstance(part, str) else part
            assert isinstance(of, Measure)
            zero = word == "conversion" and (
                of.missing == "zero" or (of.missing is None and spec.calculation == "rate")
            )
            sides.append(self._used(part if isinstance(part, str) else f"{name}_{word}", of, zero, whole_rows=True))
        if "filter" in sides[1]:
            raise NotExported("dbt does not filter the events that follow")
        params: dict[str, Any] = {
            "entity": spec.entity,
            "calculation": "conversions" if spec.calculation == "count" else "conversion_rate",
            "base_measure": sides[0],
            "conversion_measure": sides[1],
            "window": str(spec.window),
        }
        if spec.same:
            params["constant_properties"] = [{"base_property": one, "conversion_property": one} for one in spec.same]
        return {"type_params": {"conversion_type_params": params}}


def _counted(measure: Measure, events: bool) -> str | None:
    """What must be there for a row to count, where dbt's ``count`` says the same: it adds up ones and zeros."""
    if measure.agg == "count" and events:
        return measure.expr
    case = parse(measure.expr) if measure.agg == "sum" and measure.expr else None
    if not isinstance(case, exp.Case) or len(case.args["ifs"]) != 1:
        return None
    test = case.args["ifs"][0].this
    one_or_zero = case.args["ifs"][0].args["true"].sql() == "1" and case.text("default") == "0"
    if not one_or_zero or not isinstance(test, exp.Not) or not isinstance(test.this, exp.Is):
        return None
    return test.this.this.sql("duckdb")


def _fills(measure: Measure) -> bool:
    return measure.agg in _FROM_ZERO if measure.missing is None else measure.missing == "zero"


def _offset(given: Input, whole: Any) -> dict[str, str]:
    offset = given.offset
    if offset is None:
        return {}
    if offset.start_of is not None:
        return {"offset_to_grain": offset.start_of}
    if offset.grain is not None:
        return {"offset_window": str(offset)}
    if len(whole.grains) > 1:
        raise NotExported('dbt knows no "previous": at each grain another period; give the metric one grain')
    return {"offset_window": f"1 {whole.grains[0]}"}


def _value(catalog: Catalog, measure: Measure, baked: str | None) -> str:
    value = inside(catalog, measure.model, measure.expr or "1")
    if measure.agg in ("median", "percentile") and measure.missing is None:
        value = f"cast({value} as decimal(28,6))"  # between two values there is one, whatever their scale
    return f"case when {baked} then {value} end" if baked else value


def _ones(catalog: Catalog, measure: Measure, baked: str | None) -> str:
    tests = [f"({baked})"] if baked else []
    tests += [f"({inside(catalog, measure.model, measure.expr)}) is not null"] if measure.expr else []
    return f"case when {' and '.join(tests)} then 1 end" if tests else "1"


def _model(catalog: Catalog, model: SemanticModel, measures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A semantic model with its keys, dimensions and the measures that metrics use."""
    _, _, name, *version = model.node.split(".")
    ref = f"ref('{name}', v={version[0].removeprefix('v')})" if version else f"ref('{name}')"
    made: dict[str, Any] = {"name": model.name, "model": ref}
    if model.time is not None:
        made["defaults"] = {"agg_time_dimension": model.time}
    entities = []
    for one in model.entities.values():
        kind = "primary" if one.name == model.key else "unique" if one.unique else "foreign"
        entities.append({"name": one.name, "type": kind, "expr": one.expr})
    if model.key not in model.entities:
        made["primary_entity"] = model.key or model.name
    made["entities"] = entities
    made["dimensions"] = [
        {
            "name": one.name,
            "type": "time" if one.is_time else "categorical",
            "expr": one.expr,
            **({"type_params": {"time_granularity": one.grain or "day"}} if one.is_time else {}),
        }
        for one in model.dimensions.values()
    ]
    if some := measures.get(model.name):
        made["measures"] = list(some.values())
    return made
