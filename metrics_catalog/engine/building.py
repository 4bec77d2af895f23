"""A plan in the making: its steps so far, and the pieces they make for each grain and slice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from sqlglot import exp

from metrics_catalog.engine.codes import Place, imported, placed
from metrics_catalog.engine.needs import Cell, Needs
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.engine.pieces import PERIOD, Piece, Slice, Step
from metrics_catalog.engine.scan import DAY
from metrics_catalog.engine.terms import Term
from metrics_catalog.engine.tree import column, named
from metrics_catalog.semantic import Semantics
from metrics_catalog.spec.base import Grain


@dataclass(frozen=True)
class Source:
    """A rollup to read: a row for each day and members of ``keys``."""

    table: exp.Expr
    keys: tuple[str, ...]


Stored = Callable[[str, Collection[str]], Source]


@dataclass
class Building:
    """``stored``: where the mergeable components of a holder are by some dimensions; ``place``: where marts are."""

    semantics: Semantics
    needs: Needs
    stored: Stored
    place: Place = placed
    steps: list[Step] = field(default_factory=list)
    pieces: dict[Cell, list[Piece]] = field(default_factory=lambda: defaultdict(list))

    @property
    def calendar(self) -> Calendar:
        """The company's."""
        return self.needs.calendar

    def step(self, name: str, query: exp.Expr) -> None:
        """Add a table to make."""
        self.steps.append(Step(name, query))

    def piece(self, grain: Grain, cut: Slice, name: str, query: exp.Expr, terms: Iterable[Term]) -> None:
        """Add a table that holds terms of a grain and slice."""
        self.step(name, query)
        self.pieces[grain, cut].append(Piece(name, {term.name: term.component.kind for term in terms}))

    def period(self, grain: Grain) -> exp.Expr:
        """The first day of a day's period."""
        return named(self.calendar.start_sql(grain, column(DAY)), PERIOD)

    def relations(self, models: Iterable[str]) -> list[tuple[str, exp.Expr]]:
        """Semantic models as import CTEs."""
        return [(name, imported(self.place(self.semantics.model(name)))) for name in models]
