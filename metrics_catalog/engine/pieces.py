"""Pieces: tables with a row for each period and members of a slice, and columns for some terms. Makers of their SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from metrics_catalog.engine.components import STORED, Component
from metrics_catalog.engine.periods import Span
from metrics_catalog.engine.scan import DAY
from metrics_catalog.engine.tree import column, named, positions, text, typed
from metrics_catalog.own_grains import EVER

PERIOD, KEYS = "period", "keys"
Slice = tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A temporary table to make: its name and the query that fills it."""

    table: str
    query: exp.Expr


@dataclass(frozen=True)
class Piece:
    """A table made by a step, and the columns of it that are terms, with their types."""

    table: str
    columns: Mapping[str, str]


def table(name: str) -> exp.Table:
    """A table by name."""
    return exp.Table(this=exp.to_identifier(name))


def slice_name(cut: Slice) -> str:
    """A slice as part of a table's name."""
    return "_".join(cut) or "total"


def merged_components(
    source: exp.Expr, key: exp.Expr, cut: Slice, components: Mapping[str, Component] | Sequence[Component]
) -> exp.Select:
    """Components put together by a time key and the slice; a mapping gives them other names."""
    renamed = components if isinstance(components, Mapping) else {one.name: one for one in components}
    keys = [key, *(column(name) for name in cut)]
    merged = [named(merge(one, column(one.name)), name) for name, one in renamed.items()]
    query = exp.Select(expressions=[*keys, *merged]).from_(source, copy=False)
    return query.group_by(*positions(len(keys)), copy=False)


def renamed_components(days: exp.Expr, cut: Slice, components: Mapping[str, Component]) -> exp.Select:
    """Components of days of the slice, which need no merging, under other names."""
    keys = [named(column(DAY), PERIOD), *(column(name) for name in cut)]
    items = [column(name) if name == one.name else named(column(one.name), name) for name, one in components.items()]
    return exp.Select(expressions=[*keys, *items]).from_(days, copy=False)


def merge(component: Component, value: exp.Expr) -> exp.Expr:
    """Two and more of a component as one. Sums keep the stored type, so adding up twice is adding up once."""
    call = {"sum": exp.Sum, "min": exp.Min, "max": exp.Max}[str(component.merge)](this=value)
    return typed(call, STORED) if component.agg == "sum" else call


def side_by_side(pieces: Sequence[Piece], cut: Slice) -> exp.Select:
    """Pieces with the same keys as one table: each term's column, null where its piece has no such key.

    Where they are put together, the table of all keys is called ``keys``.
    """
    if len(pieces) == 1:
        return exp.select("*").from_(exp.alias_(table(pieces[0].table), KEYS, table=True), copy=False)
    names = (PERIOD, *cut)
    every = exp.union(*(_keys(piece, names) for piece in pieces), copy=False)
    items = [exp.column(name, table=KEYS) for name in names]
    items += [exp.column(name, table=piece.table) for piece in pieces for name in piece.columns]
    query = exp.Select(expressions=items).from_(every.subquery(KEYS, copy=False), copy=False)
    for piece in pieces:
        query = query.join(
            table(piece.table), on=same_keys(KEYS, piece.table, PERIOD, cut), join_type="left", copy=False
        )
    return query


def _keys(piece: Piece, names: Sequence[str]) -> exp.Select:
    return exp.Select(expressions=[column(name) for name in names]).from_(table(piece.table), copy=False)


def same_keys(left: str, right: str, key: str, cut: Slice) -> exp.Expr:
    """Whether two tables have the same time key and members; no member is a member too."""
    same = [exp.EQ(this=exp.column(key, table=left), expression=exp.column(key, table=right))]
    same += [
        exp.NullSafeEQ(this=exp.column(name, table=left), expression=exp.column(name, table=right)) for name in cut
    ]
    return exp.and_(*same, copy=False)


def in_spans(day: exp.Expr, spans: Iterable[Span]) -> exp.Expr:
    """Whether a day is in any of the spans."""
    tests = [_between(day, span) for span in spans]
    return exp.or_(*tests, copy=False) if tests else exp.false()


def _between(day: exp.Expr, span: Span) -> exp.Expr:
    below = exp.LT(this=day.copy(), expression=literal_date(span.end.isoformat()))
    if span.start == EVER:
        return below
    return exp.and_(exp.GTE(this=day.copy(), expression=literal_date(span.start.isoformat())), below)


def literal_date(day: str) -> exp.Expr:
    """A day as SQL."""
    return typed(text(day), "date")


def listed(columns: Mapping[str, str], rows: Iterable[Sequence[str]], alias: str) -> exp.Expr:
    """Times written out: a subquery of ``columns``, each with its type, with a row for each of ``rows``."""
    cells = [exp.Tuple(expressions=[text(cell) for cell in row]) for row in rows]
    names = [exp.to_identifier(name) for name in columns]
    values = exp.Values(expressions=cells, alias=exp.TableAlias(this=exp.to_identifier("written"), columns=names))
    times = [named(typed(column(name), kind), name) for name, kind in columns.items()]
    return exp.Select(expressions=times).from_(values, copy=False).subquery(alias, copy=False)
