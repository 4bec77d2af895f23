"""Every measure reads a semantic model that has a time, with expressions over columns that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.expressions import InvalidExpression, having_filter, is_text, row_expression, row_filter
from metrics_catalog.located import Document, Loc, Problem, suggest
from metrics_catalog.rules.inputs import cyclic
from metrics_catalog.semantic import UnknownName
from metrics_catalog.spec.metric import ConversionMetric, Input, Measure

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog, Entry

_NUMERIC = ("sum", "average", "median", "percentile")


def check(catalog: Catalog) -> Iterator[Problem]:
    """Unknown models and columns, bad syntax, filters that are not conditions, sums of text."""
    for entry in catalog.metrics.values():
        for loc, part in entry.parts:
            if isinstance(part, Measure):
                yield from _model(catalog, entry.document, loc, part)
            elif isinstance(part, Input) and part.filter is not None and not cyclic(catalog, entry.name):
                yield from _filter(catalog, entry, loc, part)
        if isinstance(entry.spec, ConversionMetric) and not cyclic(catalog, entry.name):
            yield from _keys(catalog, entry, entry.spec)


def _model(catalog: Catalog, document: Document, loc: Loc, measure: Measure) -> Iterator[Problem]:
    models = catalog.semantics.models
    if measure.model not in models:
        hint = suggest(measure.model, models) or f" (there are: {', '.join(models) or 'none'})"
        yield document.problem((*loc, "model"), f'there is no semantic model "{measure.model}"{hint}')
    elif models[measure.model].time is None:
        yield document.problem((*loc, "model"), f'semantic model "{measure.model}" has no agg_time_dimension')
    elif models[measure.model].columns or models[measure.model].is_open:  # without any, rules.models says why
        yield from _expressions(catalog, document, loc, measure)


def _expressions(catalog: Catalog, document: Document, loc: Loc, measure: Measure) -> Iterator[Problem]:
    semantics, model = catalog.semantics, measure.model
    if measure.expr is not None:
        try:
            tree, _ = row_expression(semantics, model, measure.expr)
            if measure.agg in _NUMERIC and is_text(tree, semantics.models[model].columns):
                yield document.problem((*loc, "expr"), f'expr: {measure.agg} of "{measure.expr}", which is text')
        except InvalidExpression as error:
            yield document.problem((*loc, "expr"), f"expr: {error}")
    for key, bind in (("filter", row_filter), ("having", having_filter)):
        text = getattr(measure, key)
        try:
            if text is not None:
                bind(semantics, model, text)
        except InvalidExpression as error:
            yield document.problem((*loc, key), f"{key}: {error}")
    for name in measure.semi_additive.per if measure.semi_additive else ():
        yield from _attribute(catalog, document, (*loc, "semi_additive", "per"), model, name)


def _filter(catalog: Catalog, entry: Entry, loc: Loc, part: Input) -> Iterator[Problem]:
    """A filter on an input must hold for every model under it."""
    for model in catalog.models(part.metric) if part.metric in catalog.metrics else ():
        try:
            if model in catalog.semantics.models:
                row_filter(catalog.semantics, model, part.filter or "")
        except InvalidExpression as error:
            yield entry.document.problem((*loc, "filter"), f"filter: {error}")


def _keys(catalog: Catalog, entry: Entry, spec: ConversionMetric) -> Iterator[Problem]:
    """The entity and what both events must agree on are known to both models."""
    for model in catalog.models(entry.name):
        if model in catalog.semantics.models:
            yield from _attribute(catalog, entry.document, ("entity",), model, spec.entity)
            for index, name in enumerate(spec.same):
                yield from _attribute(catalog, entry.document, ("same", index), model, name)


def _attribute(catalog: Catalog, document: Document, loc: Loc, model: str, name: str) -> Iterator[Problem]:
    try:
        catalog.semantics.attribute(model, name)
    except UnknownName as error:
        hint = suggest(name, catalog.semantics.attributes(model))
        yield document.problem(loc, f"{loc[0]}: {error}{hint}")
