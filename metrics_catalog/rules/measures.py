"""Every measure reads a semantic model that has a time, with expressions over columns that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from metrics_catalog.expressions import InvalidExpression, having_filter, is_text, row_expression, row_filter
from metrics_catalog.located import Document, Problem, suggest
from metrics_catalog.spec.metric import Measure, RatioMetric, SimpleMetric

if TYPE_CHECKING:
    from metrics_catalog.catalog import Catalog, Entry

_NUMERIC = ("sum", "average", "median", "percentile")


def check(catalog: Catalog) -> Iterator[Problem]:
    """Unknown models and columns, bad syntax, filters that are not conditions, sums of text."""
    for entry in catalog.metrics.values():
        for loc, measure in _own(entry):
            yield from _model(catalog, entry.document, loc, measure)


def _own(entry: Entry) -> Iterator[tuple[tuple[str, ...], Measure]]:
    if isinstance(entry.spec, SimpleMetric):
        yield (), entry.spec
    elif isinstance(entry.spec, RatioMetric):
        for role, part in (("numerator", entry.spec.numerator), ("denominator", entry.spec.denominator)):
            if isinstance(part, Measure):
                yield (role,), part


def _model(catalog: Catalog, document: Document, loc: tuple[str, ...], measure: Measure) -> Iterator[Problem]:
    models = catalog.semantics.models
    if measure.model not in models:
        hint = suggest(measure.model, models) or f" (there are: {', '.join(models) or 'none'})"
        yield document.problem((*loc, "model"), f'there is no semantic model "{measure.model}"{hint}')
    elif models[measure.model].time is None:
        yield document.problem((*loc, "model"), f'semantic model "{measure.model}" has no agg_time_dimension')
    elif models[measure.model].columns:  # without any, rules.models says why
        yield from _expressions(catalog, document, loc, measure)


def _expressions(catalog: Catalog, document: Document, loc: tuple[str, ...], measure: Measure) -> Iterator[Problem]:
    semantics, model = catalog.semantics, measure.model
    if measure.expr is not None:
        try:
            tree, _ = row_expression(semantics, model, measure.expr)
            if measure.agg in _NUMERIC and is_text(tree, dict(semantics.models[model].columns)):
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
