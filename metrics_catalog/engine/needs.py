"""Which values each metric wants, and so at which periods each term must be computed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from metrics_catalog.engine.formulas import Formula
from metrics_catalog.engine.hours import looks
from metrics_catalog.engine.periods import Calendar, Span, merged
from metrics_catalog.engine.pieces import Slice
from metrics_catalog.engine.terms import Shift, Term
from metrics_catalog.semantic import AT
from metrics_catalog.spec.base import HOUR, Grain

Cell = tuple[Grain, Slice]
_Key = tuple[Grain, tuple[Shift, ...]]
Spans = tuple[Span, ...]
Windows = Mapping[Grain, Spans]
Wanted = dict[Slice, dict[Grain, dict[Term, Spans]]]


def cell(grain: Grain, cut: Slice) -> Cell:
    """A grain and what its values are sliced by: those of hours by the hour, too."""
    return grain, (AT, *cut) if grain == HOUR else cut


@dataclass(frozen=True)
class Needs:
    """``cells``: the formulas wanted at each grain and slice. All else follows from them and ``windows``."""

    cells: Mapping[Cell, tuple[Formula, ...]]
    windows: Windows
    calendar: Calendar
    _shifted: dict[_Key, tuple[tuple[Span, Span], ...]] = field(default_factory=dict)
    _hours: dict[tuple[Shift, ...], tuple[tuple[date, datetime, datetime], ...]] = field(default_factory=dict)
    _spans: dict[_Key, Spans] = field(default_factory=dict)

    def shifted(self, grain: Grain, term: Term) -> tuple[tuple[Span, Span], ...]:
        """(period, the period the term is looked at) for every period wanted at ``grain``."""
        key = grain, term.shifts
        if key not in self._shifted:
            calendar = self.calendar
            periods = [one for span in self.windows[grain] for one in calendar.spans(grain, span.start, span.end)]
            self._shifted[key] = tuple((one, term.period(calendar, grain, one.start)) for one in periods)
        return self._shifted[key]

    def hours(self, term: Term) -> tuple[tuple[date, datetime, datetime], ...]:
        """(day, hour, the hour the term is looked at) for every hour wanted that looks at one."""
        if term.shifts not in self._hours:
            self._hours[term.shifts] = tuple(looks(self.calendar, term.shifts, self.windows[HOUR]))
        return self._hours[term.shifts]

    def spans(self, grain: Grain, term: Term) -> Spans:
        """The periods at which the term, without its shifts, is needed."""
        if not term.shifts:
            return self.windows[grain]
        key = grain, term.shifts
        if key not in self._spans:
            self._spans[key] = merged(other for _, other in self.shifted(grain, term))
        return self._spans[key]

    def wanted(self) -> Wanted:
        """Terms without shifts -> periods, by slice and grain."""
        wanted: Wanted = {}
        for (grain, cut), formulas in self.cells.items():
            found: dict[Term, dict[Spans, None]] = {}
            for term in dict.fromkeys(term for formula in formulas for term in formula.terms):
                found.setdefault(term.here, {})[self.spans(grain, term)] = None
            wanted.setdefault(cut, {})[grain] = {term: _together(spans) for term, spans in found.items()}
        return wanted


def _together(several: Collection[Spans]) -> Spans:
    return next(iter(several)) if len(several) == 1 else merged(span for spans in several for span in spans)


def chosen(wanted: Wanted, terms: Iterable[Term]) -> Wanted:
    """What is wanted of some of the terms."""
    kept = set(terms)
    found: Wanted = {}
    for cut, grains in wanted.items():
        for grain, spans in grains.items():
            if some := {term: spans[term] for term in spans if term in kept}:
                found.setdefault(cut, {})[grain] = some
    return found


def every_span(terms: Iterable[Mapping[Term, Spans]]) -> Spans:
    """All the periods of several."""
    return _together({spans: None for by_term in terms for spans in by_term.values()})
