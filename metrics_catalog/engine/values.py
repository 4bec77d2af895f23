"""Terms side by side -> values: one select for each metric, grain and slice, in the published shape.

Three hundred metrics have thousands of them, so each is put together from two texts: the figures of its metric, and the
frame that all metrics of its grain and slice have around them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from metrics_catalog.engine.components import STORED
from metrics_catalog.engine.formulas import Formula
from metrics_catalog.engine.pieces import PERIOD, Slice, table
from metrics_catalog.engine.text import rendered
from metrics_catalog.engine.tree import column, is_present, named, text, typed
from metrics_catalog.spec.base import Grain

_HOLE = "\0"


@dataclass(frozen=True)
class Figures:
    """What is the same of a metric at every grain and slice; ``definition``: the fingerprint of its calculation."""

    formula: Formula
    definition: str
    _written: dict[str, list[str]] = field(default_factory=dict, compare=False)

    def parts(self) -> list[exp.Expr]:
        """Metric, value, numerator, denominator and definition; then the condition that there is a value."""
        formula, value = self.formula, self.formula.value
        over = exp.Null() if formula.denominator is None else formula.denominator
        figures = [typed(one.copy(), STORED) for one in (value, formula.numerator, over)]
        there = exp.and_(is_present(value), *something(formula), copy=False)
        return [text(formula.metric), *figures, text(self.definition), there]

    def written(self, dialect: str) -> list[str]:
        """The parts as SQL."""
        if dialect not in self._written:
            first, *others = self.parts()
            apart = exp.Tuple(expressions=[first, *(one for part in others for one in (_hole(), part))])
            self._written[dialect] = rendered(apart, dialect)[1:-1].split(f", {_HOLE}, ")
        return self._written[dialect]


@dataclass(frozen=True)
class Frame:
    """What is the same for all metrics of a grain and slice; ``joined``: the table with all their terms."""

    joined: str
    grain: Grain
    cut: Slice
    dimensions: tuple[str, ...]
    _written: dict[str, list[str]] = field(default_factory=dict, compare=False)

    def select(
        self,
        metric: exp.Expr,
        value: exp.Expr,
        numerator: exp.Expr,
        denominator: exp.Expr,
        definition: exp.Expr,
        there: exp.Expr,
    ) -> exp.Select:
        """The rows of a metric with these figures."""
        cut = self.cut
        items = [
            named(metric, "metric"),
            named(text(self.grain), "grain"),
            column(PERIOD),
            named(text(",".join(cut)), "slice"),
            *(named(typed(column(one) if one in cut else exp.Null(), "varchar"), one) for one in self.dimensions),
            named(value, "value"),
            named(numerator, "numerator"),
            named(denominator, "denominator"),
            named(definition, "definition"),
        ]
        return exp.Select(expressions=items).from_(table(self.joined), copy=False).where(there, copy=False)

    def written(self, dialect: str) -> list[str]:
        """The select as SQL, in pieces between which the figures go."""
        if dialect not in self._written:
            self._written[dialect] = rendered(self.select(*(_hole() for _ in range(6))), dialect).split(_HOLE)
        return self._written[dialect]


@dataclass(frozen=True, slots=True)
class Values:
    """Rows of one metric at one grain and slice; no row where there is no value."""

    frame: Frame
    figures: Figures

    def query(self) -> exp.Select:
        """The select, to read."""
        return self.frame.select(*self.figures.parts())

    def sql(self, dialect: str) -> str:
        """The select, to run."""
        first, *others = self.frame.written(dialect)
        parts = zip(self.figures.written(dialect), others, strict=True)
        return first + "".join([one for pair in parts for one in pair])


def _hole() -> exp.Expr:
    return exp.Column(this=exp.Identifier(this=_HOLE))


def something(formula: Formula) -> list[exp.Expr]:
    """Where none counts as 0, the condition that there is at least one term: a row may be there for other metrics."""
    if formula.denominator is not None or formula.numerator.find(exp.Coalesce) is None:
        return []
    return [exp.or_(*(is_present(column(term.name)) for term in formula.terms), copy=False)]
