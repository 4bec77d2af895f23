"""Terms side by side -> values: one select for each metric, grain and slice, in the published shape."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from metrics_catalog.engine.components import STORED
from metrics_catalog.engine.formulas import Formula
from metrics_catalog.engine.pieces import PERIOD, Slice, table
from metrics_catalog.engine.tree import column, is_present, named, text, typed
from metrics_catalog.spec.base import Grain


def value_select(
    joined: str, grain: Grain, cut: Slice, formula: Formula, dimensions: Sequence[str], definition: str
) -> exp.Select:
    """Rows of one metric from ``joined``, the table with all its terms; no row where there is no value."""
    over, value = formula.denominator, formula.value
    items = [
        named(text(formula.metric), "metric"),
        named(text(grain), "grain"),
        column(PERIOD),
        named(text(",".join(cut)), "slice"),
        *(named(typed(column(name) if name in cut else exp.Null(), "varchar"), name) for name in dimensions),
        named(typed(value.copy(), STORED), "value"),
        named(typed(formula.numerator.copy(), STORED), "numerator"),
        named(typed(exp.Null() if over is None else over.copy(), STORED), "denominator"),
        named(text(definition), "definition"),
    ]
    query = exp.Select(expressions=items).from_(table(joined), copy=False)
    return query.where(is_present(value), *_something(formula), copy=False)


def _something(formula: Formula) -> list[exp.Expr]:
    """Where none counts as 0, the condition that there is at least one term: a row may be there for other metrics."""
    if formula.denominator is not None or formula.numerator.find(exp.Coalesce) is None:
        return []
    return [exp.or_(*(is_present(column(term.name)) for term in formula.terms), copy=False)]
