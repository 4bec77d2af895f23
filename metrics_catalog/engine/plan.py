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
from metrics_catalog.engine import conversion, reached, rows, stored
from metrics_catalog.engine.building import Building, Source, Stored
from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.engine.formulas import Formula, formulas
from metrics_catalog.engine.needs import Cell, Needs, Wanted, Windows, chosen
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
from metrics_catalog.engine.rollup import Rollups, rollups
from metrics_catalog.engine.terms import Term
from metrics_catalog.engine.tree import column, named
from metrics_catalog.engine.values import value_select
from metrics_catalog.spec.base import Grain, ordered


@dataclass(frozen=True)
class Plan:
    """Steps to run in order, then ``values``: one select for each metric, grain and slice, in the published shape."""

    steps: tuple[Step, ...]
    values: tuple[exp.Select, ...]


def plan(catalog: Catalog, metrics: Sequence[str], windows: Windows, calendar: Calendar) -> Plan:
    """Plan of all values of ``metrics`` in the periods of ``windows`` (days of each grain to compute)."""
    known = formulas(catalog, catalog.metrics)
    cells: dict[Cell, list[Formula]] = {}
    for metric in metrics:
        spec = catalog.metrics[metric].spec
        cuts: list[Slice] = [(), *spec.slices]
        for grain in ordered(spec.grains):
            for cut in cuts if windows.get(grain) else ():
                cells.setdefault((grain, cut), []).append(known[metric])
    return plan_cells(catalog, cells, windows, calendar, _built(rollups(catalog)), calculations(catalog))


def plan_cells(
    catalog: Catalog,
    cells: Mapping[Cell, Sequence[Formula]],
    windows: Windows,
    calendar: Calendar,
    source: Stored,
    definitions: Mapping[str, str],
) -> Plan:
    """Plan of some formulas at each grain and slice.

    ``source``: where the components of a semantic model are by some dimensions. ``definitions``: fingerprint of each
    metric, for its rows.
    """
    needs = Needs({cell: tuple(wanted) for cell, wanted in cells.items()}, windows, calendar)
    build = Building(catalog.semantics, needs, source)
    _compute(build)
    dimensions = sorted({name for _, cut in needs.cells for name in cut})
    values = [
        value_select(joined, grain, cut, formula, dimensions, definitions[formula.metric])
        for (grain, cut), wanted in needs.cells.items()
        for joined in [_joined(build, grain, cut, wanted)]
        for formula in wanted
    ]
    return Plan(tuple(build.steps), tuple(values))


def _built(every: Rollups) -> Stored:
    """The tables that dbt builds."""

    def stored(model: str, dimensions: Collection[str]) -> Source:
        rollup = every.holding(model, dimensions)
        assert rollup is not None, (model, dimensions)
        return Source(exp.table_(rollup.table, db="metrics"), rollup.keys)

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
    shifted = dict.fromkeys(term for formula in wanted for term in formula.terms if term.shifts)
    moved = [_moved(build, grain, cut, term, number) for number, term in enumerate(shifted)]
    query = side_by_side([*build.pieces[grain, cut], *moved], cut)
    if shifted:
        query = query.where(in_spans(exp.column(PERIOD, table=KEYS), build.needs.windows[grain]), copy=False)
    name = f"{slice_name(cut)}_{grain}"
    build.step(name, query)
    return name


def _moved(build: Building, grain: Grain, cut: Slice, term: Term, number: int) -> Piece:
    source = next(piece for piece in build.pieces[grain, cut] if term.here.name in piece.columns)
    days = ((own.start.isoformat(), other.start.isoformat()) for own, other in build.needs.shifted(grain, term))
    written = listed((PERIOD, "looked_at"), days, "periods")
    keys = [exp.column(PERIOD, table="periods"), *(column(name) for name in cut)]
    query = exp.Select(expressions=[*keys, named(column(term.here.name), term.name)]).from_(written, copy=False)
    on = exp.EQ(this=exp.column("looked_at", table="periods"), expression=exp.column(PERIOD, table=source.table))
    name = f"{slice_name(cut)}_{grain}_moved{number}"
    build.step(name, query.join(table(source.table), on=on, copy=False))
    return Piece(name, {term.name: term.component.kind})


def _by_way(terms: Iterable[Term]) -> dict[tuple[str, str], list[Term]]:
    found: dict[tuple[str, str], list[Term]] = defaultdict(list)
    for term in terms:
        found[_way(term), term.component.model].append(term)
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
_OTHERS: Mapping[str, Callable[[Building, str, Wanted], None]] = {
    "stored": stored.from_rollups,
    "stocks": stored.stocks,
    "reached": reached.from_days,
    "conversions": conversion.from_events,
}
