"""Values wanted -> steps to run. Terms for each grain and slice first, then every metric as arithmetic over them.

Terms that merge come from the `stored` rollups, the others from the mart's `rows`; longer reaches (`reached`) and
conversions have their own modules. Looking at another period is a join of pieces already made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine import conversion, picked, reached, rows, stored
from metrics_catalog.engine.building import Building, Source, Stored
from metrics_catalog.engine.codes import Place, placed
from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.engine.formulas import Formula, formulas
from metrics_catalog.engine.needs import Cell, Needs, Wanted, Windows, cell, chosen
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.engine.pieces import (
    KEYS,
    PERIOD,
    Piece,
    Slice,
    Step,
    in_spans,
    listed,
    side_by_side,
    slice_name,
    table,
)
from metrics_catalog.engine.rollup import Rollup, Rollups, rollups
from metrics_catalog.engine.terms import Shift, Term
from metrics_catalog.engine.tree import column, named
from metrics_catalog.engine.values import Figures, Frame, Values
from metrics_catalog.semantic import AT
from metrics_catalog.spec.base import HOUR, Grain, ordered


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
                cells.setdefault(cell(grain, cut), []).append(known[metric])
    built = stored_in(stored or rollups(catalog), lambda rollup: exp.table_(rollup.table, db="metrics"))
    return plan_cells(catalog, cells, windows, calendar, built, calculations(catalog))


def plan_cells(
    catalog: Catalog,
    cells: Mapping[Cell, Sequence[Formula]],
    windows: Windows,
    calendar: Calendar,
    source: Stored,
    definitions: Mapping[str, str],
    place: Place = placed,
) -> Plan:
    """Plan of some formulas at each grain and slice.

    ``source``: where the components of a semantic model are by some dimensions. ``definitions``: fingerprint of each
    metric, for its rows. ``place``: where the tables of semantic models are.
    """
    needs = Needs({cell: tuple(wanted) for cell, wanted in cells.items()}, windows, calendar)
    build = Building(catalog.semantics, needs, source, place)
    picked.put_together(build, catalog)
    _compute(build)
    dimensions = tuple(sorted({name for _, cut in needs.cells for name in cut}))
    every = {formula.metric: formula for some in needs.cells.values() for formula in some}
    figures = {metric: Figures(formula, definitions[metric]) for metric, formula in every.items()}
    values: list[Values] = []
    for (grain, cut), wanted in needs.cells.items():
        frame = Frame(_joined(build, grain, cut, wanted), grain, cut, dimensions)
        values += [Values(frame, figures[formula.metric]) for formula in wanted]
    return Plan(tuple(build.steps), tuple(values))


def stored_in(every: Rollups, place: Callable[[Rollup], exp.Expr]) -> Stored:
    """The smallest rollup that serves; ``place``: where each is."""

    def stored(model: str, dimensions: Collection[str]) -> Source:
        rollup = every.holding(model, dimensions)
        assert rollup is not None, (model, dimensions)
        return Source(rollup.rows(place(rollup)), rollup.keys)

    return stored


def _compute(build: Building) -> None:
    """The pieces of all terms, each in the way its component needs."""
    wanted = build.needs.wanted()
    terms = dict.fromkeys(term for grains in wanted.values() for some in grains.values() for term in some)
    slim: dict[str, rows.Slim] = {}
    for (way, model), some in _by_way(terms).items():
        part = chosen(wanted, some)
        if way in _ROWS:
            if model not in slim:
                seeing = [one for one in terms if one.component.model == model and _way(one) in _ROWS]
                slim[model] = rows.slim(build, model, chosen(wanted, seeing))
            _ROWS[way](build, model, slim[model], part)
        else:
            _OTHERS[way](build, model, part)


def _joined(build: Building, grain: Grain, cut: Slice, wanted: Sequence[Formula]) -> str:
    """All terms of a grain and slice side by side; those at other periods moved to the period they are for."""
    moved = _moved(build, grain, cut, [term for formula in wanted for term in formula.terms if term.shifts])
    query = side_by_side([*build.pieces[grain, cut], *moved], cut)
    if moved:
        query = query.where(in_spans(exp.column(PERIOD, table=KEYS), build.needs.windows[grain]), copy=False)
    name = f"{slice_name(cut)}_{grain}"
    build.step(name, query)
    return name


def _moved(build: Building, grain: Grain, cut: Slice, terms: Iterable[Term]) -> list[Piece]:
    """Terms of one source that look equally far away are moved together."""
    together: dict[tuple[str, tuple[Shift, ...]], dict[Term, str]] = defaultdict(dict)
    for term in terms:
        source = next(piece.table for piece in build.pieces[grain, cut] if term.here.name in piece.columns)
        together[source, term.shifts][term] = term.component.kind
    pieces = []
    for number, ((source, _), some) in enumerate(together.items()):
        written, key = _looks(build, grain, next(iter(some)))
        keys = [exp.column(name, table="periods") if name in (PERIOD, key) else column(name) for name in (PERIOD, *cut)]
        items = [named(column(term.here.name), term.name) for term in some]
        query = exp.Select(expressions=[*keys, *items]).from_(written, copy=False)
        on = exp.EQ(this=exp.column("looked_at", table="periods"), expression=exp.column(key, table=source))
        name = f"{slice_name(cut)}_{grain}_moved{number}"
        build.step(name, query.join(table(source), on=on, copy=False))
        pieces.append(Piece(name, {term.name: kind for term, kind in some.items()}))
    return pieces


def _looks(build: Building, grain: Grain, term: Term) -> tuple[exp.Expr, str]:
    """Each period beside the one that a term is looked at for it, written out; and the key that says which it is."""
    if grain == HOUR:
        rows = (
            (day.isoformat(), at.isoformat(" "), other.isoformat(" ")) for day, at, other in build.needs.hours(term)
        )
        return listed({PERIOD: "date", AT: "timestamp", "looked_at": "timestamp"}, rows, "periods"), AT
    periods = build.needs.shifted(grain, term)
    days = ((own.start.isoformat(), other.start.isoformat()) for own, other in periods)
    return listed({PERIOD: "date", "looked_at": "date"}, days, "periods"), PERIOD


def _by_way(terms: Iterable[Term]) -> dict[tuple[str, str], list[Term]]:
    found: dict[tuple[str, str], list[Term]] = defaultdict(list)
    for term in terms:
        way, component = _way(term), term.component
        found[way, component.holder if way in _FROM_DAYS else component.model].append(term)
    return found


def _way(term: Term) -> str:
    component = term.component
    if component.conversion is not None:
        return "conversions"
    if component.semi_additive is not None:
        return "stocks"
    if component.merge is not None:
        return "stored" if term.reach is None else "reached"
    return "rows" if term.reach is None else "reached rows"


_ROWS: Mapping[str, Callable[[Building, str, rows.Slim, Wanted], None]] = {
    "rows": rows.from_rows,
    "reached rows": reached.from_rows,
}
_FROM_DAYS = ("stored", "stocks", "reached")
_OTHERS: Mapping[str, Callable[[Building, str, Wanted], None]] = {
    "stored": stored.from_rollups,
    "stocks": stored.stocks,
    "reached": reached.from_days,
    "conversions": conversion.from_events,
}
