"""Alerts that would have fired by an old and a new definition or rule, on values computed from the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.compute import values_now
from metrics_catalog.engine.needs import Cell
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.governance.preview import Change
from metrics_catalog.monitoring.backtest import LEARN, LENGTHS, case_of, would_fire
from metrics_catalog.monitoring.series import Panel, Rows, starts_until
from metrics_catalog.monitoring.watched import Terms, due, terms_of
from metrics_catalog.spec.base import Grain

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DAYS = 180
Found = Mapping[tuple[Grain, date], float]


def alerts(con: DuckDBPyConnection, change: Change, closed_through: date) -> dict[str, Any]:
    """How often each rule would have fired on the metric's total, before and after, in the last ``days``.

    Slices are not computed: a preview must not take longer than who waits for it. ``con``: the warehouse.
    """
    before, after = change.parts
    catalogs = (replace(before, later=after, until=date.max), after)
    starts = [_starts(catalog, change.metric, closed_through) for catalog in catalogs]
    spans: dict[Grain, list[Span]] = {}
    asked: list[tuple[Catalog, dict[Cell, list[str]]]] = []
    for catalog, of in zip(catalogs, starts, strict=True):
        asked.append((catalog, {(grain, ()): [change.metric] for grain in of}))
        for grain, days in of.items():
            end = Calendar.of(catalog).next(grain, days[-1])
            spans.setdefault(grain, []).append(Span(days[0], end))
    windows: dict[Grain, tuple[Span, ...]] = {
        grain: (Span(min(one.start for one in some), max(one.end for one in some)),) for grain, some in spans.items()
    }
    calendar = Calendar.of(after)
    values = values_now(con, asked, windows, calendar) if windows else ([], [])
    old, new = (
        _fired(catalog, change.metric, of, {(row["grain"], row["period"]): float(row["value"]) for row in rows})
        for catalog, of, rows in zip(catalogs, starts, values, strict=True)
    )
    return {"days": DAYS, "old": old, "new": new}


def _starts(catalog: Catalog, metric: str, closed_through: date) -> dict[Grain, tuple[date, ...]]:
    """Periods to compute, by grain: those to judge, and those to learn from."""
    terms, calendar = terms_of(catalog).get(metric), Calendar.of(catalog)
    found: dict[Grain, tuple[date, ...]] = {}
    for grain in () if terms is None else terms.grains:
        last = due(catalog, metric, grain, closed_through)
        if last is not None:
            like = calendar.like(grain)
            found[grain] = starts_until(calendar, grain, last, -(-DAYS // LENGTHS[like]) + LEARN[like])
    return found


def _fired(catalog: Catalog, metric: str, of: Mapping[Grain, tuple[date, ...]], values: Found) -> dict[str, int]:
    terms = terms_of(catalog).get(metric)
    found: Counter[str] = Counter()
    if terms is not None:
        for grain, starts in of.items():
            found.update(_by_rule(catalog, terms, grain, starts, values))
    return dict(found)


def _by_rule(catalog: Catalog, terms: Terms, grain: Grain, starts: tuple[date, ...], values: Found) -> Counter[str]:
    row = np.array([[values.get((grain, start), np.nan) for start in starts]])
    panel = Panel(grain, starts, row, (Rows(terms, (), 0, [()]),))
    begun = starts[-1] - timedelta(days=DAYS)
    case = case_of(catalog, panel, sum(1 for start in starts if start <= begun))
    return Counter(one.worst.rule for one in would_fire([case]))
