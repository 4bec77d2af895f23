"""`Query` -> `Result`, from published values only: a slice as published, or one of additive metrics from rollups."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from metrics_catalog.catalog import Catalog, Entry
from metrics_catalog.engine.building import Source
from metrics_catalog.engine.compute import computed
from metrics_catalog.engine.eras import beginning_in, definitions
from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.engine.formulas import Formula, formulas
from metrics_catalog.engine.needs import Cell, Windows, cell
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.plan import plan_cells
from metrics_catalog.engine.query import Filter, InvalidQuery, Query, Result
from metrics_catalog.engine.rollup import rollups, slice_of
from metrics_catalog.engine.tree import column, named, positions, text, typed
from metrics_catalog.engine.windows import Coverage, windows
from metrics_catalog.located import suggest
from metrics_catalog.own_grains import OutsideSpine
from metrics_catalog.published.reader import Published
from metrics_catalog.published.snapshot import Snapshot
from metrics_catalog.semantic import AT
from metrics_catalog.spec.base import HOUR
from metrics_catalog.spec.metric import AnyMetric

Read = Callable[[], pa.Table]


def answer(query: Query, catalog: Catalog, published: Published, retired: Mapping[str, Entry] | None = None) -> Result:
    """Official values for a query. Raises `InvalidQuery` when they are not published so, `NotPublished` when never.

    ``retired``: metrics that are no longer in the catalog, to be read as they were published.
    """
    retired = retired or {}
    _known(query, catalog, retired)
    snapshot = published.at(query.as_of)
    parts = {
        metric: (
            _retired_reader(query, retired[metric], snapshot)
            if metric in retired
            else _reader(query, metric, catalog, snapshot)
        )()
        for metric in query.metrics
    }
    info = snapshot.info
    return Result(
        query=query,
        table=_wide(parts, query, catalog.semantics.timezone),
        version=snapshot.version,
        published_at=info.published_at,
        closed_through=info.closed_through,
        definitions={metric: info.definitions.get(metric, "") for metric in query.metrics},
        marks={metric: (f"held: {why}",) for metric in query.metrics if (why := info.why_held(metric))},
        notes={metric: info.notes[metric] for metric in query.metrics if metric in info.notes},
    )


def rows_of(query: Query, metric: str, catalog: Catalog, snapshot: Snapshot) -> pa.Table:
    """The published rows behind one metric's answer: period, ``by``, value, numerator, denominator, by members, period.

    Raises `InvalidQuery`.
    """
    _known(query, catalog, {})
    rows = _reader(query, metric, catalog, snapshot)()
    names = ["period", *query.by, "value", "numerator", "denominator"]
    return rows.select(names).sort_by([(name, "ascending") for name in (*query.by, "period")])


def _known(query: Query, catalog: Catalog, retired: Mapping[str, Entry]) -> None:
    for metric in (metric for metric in query.metrics if metric not in retired):
        if metric in catalog.not_read:
            raise InvalidQuery(str(catalog.not_read[metric]))
        if metric not in catalog.metrics:
            raise InvalidQuery(f'there is no metric "{metric}"{suggest(metric, catalog.metrics)}')
    dimensions = _dimensions([*catalog.metrics.values(), *retired.values()])
    for name in (*query.by, *(one.dimension for one in query.where)):
        if name not in dimensions:
            raise InvalidQuery(f'"{name}" is not a dimension of any metric{suggest(name, dimensions)}')


def _dimensions(entries: Iterable[Entry]) -> set[str]:
    return {name for entry in entries for cut in entry.spec.slices for name in cut}


def _reader(query: Query, metric: str, catalog: Catalog, snapshot: Snapshot) -> Read:
    """How this metric can be read for the query: published as it is, or sliced from rollups."""
    spec = catalog.metrics[metric].spec
    if query.grain == HOUR and HOUR not in spec.grains:
        raise InvalidQuery(f"{metric} is not published by hour; {_offer(spec.grains, spec.slices)}")
    if (cut := _published_cut(query, spec)) is not None:
        return partial(_published, query, metric, cut, snapshot)
    holding = definitions(catalog, metric)
    problems = (_not_sliceable(query, formulas(one)[metric], catalog, snapshot) for _, one in holding)
    if problem := next(filter(None, problems), None):
        raise InvalidQuery(
            f"{metric} is not published by {_described(query)}; {_offer(spec.grains, spec.slices)}; {problem}"
        )
    return partial(_sliced, query, metric, catalog, snapshot)


def _retired_reader(query: Query, entry: Entry, snapshot: Snapshot) -> Read:
    """A retired metric as it was published; what is stored besides belongs to what is computed now."""
    spec = entry.spec
    if (cut := _published_cut(query, spec)) is not None:
        return partial(_published, query, entry.name, cut, snapshot)
    offer = _offer(spec.grains, spec.slices)
    raise InvalidQuery(f"{entry.name} is retired and was not published by {_described(query)}; {offer}")


def _published_cut(query: Query, spec: AnyMetric) -> Sequence[str] | None:
    """The slice of a metric that answers the query as it was published."""
    fixed = {one.dimension for one in query.where if one.op == "=" and len(one.values) == 1}
    fixed |= {one.dimension for one in query.where} & set(query.by)
    wanted = {*query.by, *fixed}
    if query.grain not in spec.grains or any(one.dimension not in wanted for one in query.where):
        return None
    return next((cell(query.grain, cut)[1] for cut in ((), *spec.slices) if set(cut) == wanted), None)


def _not_sliceable(query: Query, formula: Formula, catalog: Catalog, snapshot: Snapshot) -> str | None:
    if formula.metric in snapshot.info.held:
        return "it is held, and what is stored of it is newer than what is published"
    if snapshot.info.definitions.get(formula.metric) != calculations(catalog)[formula.metric]:
        return "what was stored of it then is by another definition"
    if formula.lookups:
        return "its filter looks up values of entities, which may be others by now than when it was published"
    if not formula.merges:
        return "it counts distinct things or ranks values, so other slices cannot be put together from stored ones"
    if query.where and any(component.semi_additive for component in formula.components):
        return "it takes the last day of a stock, which a filter may move"
    stored = rollups(catalog)
    for model, dimensions in _read_from(query, formula).items():
        rollup = stored.holding(model, dimensions)
        if rollup is None:
            names = " and ".join(f'"{HOUR if name == AT else name}"' for name in sorted(dimensions))
            return f"{names} {'are not stored together' if len(dimensions) > 1 else 'is not stored'} with {model}"
        if rollup.name not in snapshot.info.rollups:
            return f"no rollup of {model} was published then"
    return None


def _read_from(query: Query, formula: Formula) -> dict[str, set[str]]:
    """The dimensions that each semantic model must be stored by."""
    asked = (*cell(query.grain, query.by)[1], *(one.dimension for one in query.where))
    found: dict[str, set[str]] = {}
    for component in formula.components:
        found.setdefault(component.model, set()).update(slice_of(component, asked))
    return found


def _published(query: Query, metric: str, cut: Sequence[str], snapshot: Snapshot) -> pa.Table:
    return snapshot.values([metric], query.grain, cut, query.where, query.start, query.end)


def _sliced(query: Query, metric: str, catalog: Catalog, snapshot: Snapshot) -> pa.Table:
    """Put together from stored rows, each period by the definition that holds for it."""
    parts, end = [], date.max
    for start, one in definitions(catalog, metric):
        parts.append(_sliced_by(query, formulas(one)[metric], catalog, snapshot, (start, end)))
        end = start
    return pa.concat_tables(parts)


def _sliced_by(
    query: Query, formula: Formula, catalog: Catalog, snapshot: Snapshot, holds: tuple[date, date]
) -> pa.Table:
    calendar = Calendar.of(catalog)
    span = Span(query.start or date(1900, 1, 1), query.end or snapshot.info.closed_through + timedelta(days=1))
    with duckdb.connect() as con:
        sources: dict[str, Source] = {}
        stored = rollups(catalog)
        for model, dimensions in _read_from(query, formula).items():
            rollup = stored.holding(model, dimensions)
            assert rollup is not None  # or it would have been refused
            paths = [str(path) for path in snapshot.rollup(rollup.name)]
            con.read_parquet(paths, union_by_name=True).create_view(f"rollup_{model}")  # pyright: ignore
            kept = _with_hours(rollup.keys).from_(f"rollup_{model}").where(*(condition(one) for one in query.where))
            con.execute(f"create view kept_{model} as {kept.sql('duckdb')}")
            sources[model] = Source(exp.to_table(f"kept_{model}"), rollup.keys)
        span = _with_data(con, [source.table for source in sources.values()], span)
        coverages = [
            _coverage(snapshot, source) for source in _sources(formula, catalog) & set(snapshot.info.coverages)
        ]
        try:
            found = windows(calendar, [query.grain], span, snapshot.info.closed_through, coverages, formula.terms)
        except OutsideSpine as error:
            raise InvalidQuery(str(error)) from None
        found = beginning_in(calendar, found, *holds)
        inside = [one for one in found.get(query.grain, ()) if one.start >= span.start or query.start is None]
        cells: dict[Cell, list[Formula]] = {cell(query.grain, query.by): [formula]}
        definition = {formula.metric: snapshot.info.definitions.get(formula.metric, "")}
        periods: Windows = {query.grain: tuple(inside)}
        made = plan_cells(catalog, cells, periods, calendar, lambda model, _: sources[model], definition)
        with computed(con, made) as selects:
            return con.execute(selects[0]).to_arrow_table()


def _with_hours(keys: Collection[str]) -> exp.Select:
    """All columns of stored rows, with hours as the times they are."""
    every = exp.Star()
    if AT in keys:
        every.set("replace", [named(typed(column(AT), "timestamp"), AT)])
    return exp.Select(expressions=[every])


def condition(part: Filter) -> exp.Expr:
    """A filter as SQL; the empty member (None) matches only itself."""
    member = typed(column(part.dimension), "varchar")
    tests: list[exp.Expr] = [exp.EQ(this=member.copy(), expression=text(one)) for one in part.values if one is not None]
    if None in part.values:
        tests.append(exp.Is(this=member.copy(), expression=exp.Null()))
    inside = exp.Coalesce(this=exp.paren(exp.or_(*tests)), expressions=[exp.false()])
    return inside if part.op in ("=", "in") else exp.Not(this=inside)


def _with_data(con: duckdb.DuckDBPyConnection, sources: Iterable[exp.Expr], span: Span) -> Span:
    """The span from the first stored day, so that endless history is not enumerated."""
    firsts = [con.execute(exp.select("min(day)").from_(source).sql("duckdb")).fetchone() for source in sources]
    days = [first[0] for first in firsts if first is not None and first[0] is not None]
    return Span(max(span.start, min(days, default=span.end)), span.end)


def _coverage(snapshot: Snapshot, source: str) -> Coverage:
    kept = snapshot.info.coverages[source]
    return Coverage(date.fromisoformat(kept["start"]), frozenset(date.fromisoformat(day) for day in kept["missing"]))


def _sources(formula: Formula, catalog: Catalog) -> set[str]:
    nodes = [catalog.semantics.model(component.model).node for component in formula.components]
    upstream = [name for node in nodes for name in catalog.semantics.upstream(node)]
    return {name.rsplit(".", 1)[1] for name in upstream if name.startswith("source.")}


def _wide(parts: dict[str, pa.Table], query: Query, zone: str) -> pa.Table:
    """One row for each period and member of ``by``, one column for each metric; hours as clocks of ``zone`` show."""
    keys = ["period", *query.by]
    if query.grain == HOUR:
        parts = {metric: _of_hours(rows) for metric, rows in parts.items()}
    with duckdb.connect() as con:
        selects = []
        for number, (metric, rows) in enumerate(parts.items()):
            con.register(f"part{number}", rows)
            items = [*(column(key) for key in keys), named(text(metric), "metric"), column("value")]
            selects.append(exp.select(*items).from_(f"part{number}"))
        stacked = (selects[0] if len(selects) == 1 else exp.union(*selects, distinct=False)).subquery("parts")
        values = [named(_picked(metric), metric) for metric in query.metrics]
        result = exp.select(*(column(key) for key in keys), *values).from_(stacked)
        result = result.group_by(*positions(len(keys))).order_by(*positions(len(keys)))
        if query.grain == HOUR:
            con.execute("set TimeZone = $zone", {"zone": zone})
        return con.execute(result.sql("duckdb")).to_arrow_table()


def _of_hours(rows: pa.Table) -> pa.Table:
    """Published rows of hours, whose period is their day, with the hour for a period."""
    compute: Any = pc  # its functions are generated, unknown to type checkers
    at = compute.assume_timezone(rows[AT].cast(pa.timestamp("s")), "UTC")
    return rows.set_column(rows.column_names.index("period"), "period", at).drop_columns([AT])


def _picked(metric: str) -> exp.Expr:
    test = exp.EQ(this=column("metric"), expression=text(metric))
    return exp.Max(this=exp.Case().when(test, column("value")))


def _described(query: Query) -> str:
    names = [query.grain, *query.by]
    filters = ", ".join(one.dimension for one in query.where)
    return " × ".join(names) + (f" filtered on {filters}" if filters else "")


def _offer(grains: Sequence[str], slices: Sequence[Sequence[str]]) -> str:
    shown = ["total", *(" × ".join(cut) for cut in slices)]
    return f"published are {', '.join(grains)} by {', '.join(shown)}"
