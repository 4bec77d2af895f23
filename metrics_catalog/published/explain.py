"""A metric's tree with official values: each part at the period the whole looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from metrics_catalog.catalog import Catalog
from metrics_catalog.decomposition import Node, decomposed
from metrics_catalog.engine.periods import Calendar
from metrics_catalog.engine.query import InvalidQuery, Query
from metrics_catalog.engine.terms import Shift
from metrics_catalog.published.answer import answer
from metrics_catalog.published.errors import NotPublished
from metrics_catalog.published.reader import Published
from metrics_catalog.spec.base import HOUR, Grain


@dataclass(frozen=True)
class Explained:
    """A node, the period it is looked at, its official value then (None: not published so), and its parts."""

    node: Node
    period: date | None
    value: Decimal | None
    parts: tuple[Explained, ...]

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Explained]]:
        """The node and everything under it, with how deep it is."""
        yield depth, self
        for part in self.parts:
            yield from part.walk(depth + 1)

    def as_json(self) -> dict[str, object]:
        """Plain data, nested as the tree is."""
        node = {"role": self.node.role, "metric": self.node.metric, "calculation": self.node.calculation}
        return {**node, "period": self.period, "value": self.value, "parts": [part.as_json() for part in self.parts]}


def explain(catalog: Catalog, published: Published, metric: str, grain: Grain) -> Explained:
    """A metric's tree with the values of its last official period of ``grain``; raises `InvalidQuery` for hours."""
    if grain == HOUR:
        raise InvalidQuery("a tree shows one period of days: give --grain day, or a longer one")
    values = _values(catalog, published, metric, grain)
    last = max(values, default=None)
    calendar = Calendar.of(catalog)

    def at(node: Node, period: date | None) -> Explained:
        if node.offset is not None and period is not None:
            period = Shift(node.offset).start(calendar, grain, period)
        value = None
        if node.metric is not None and period is not None:
            value = _values(catalog, published, node.metric, grain, period).get(period)
        return Explained(node, period, value, tuple(at(part, period) for part in node.parts))

    return at(decomposed(catalog, metric), last)


def _values(
    catalog: Catalog, published: Published, metric: str, grain: Grain, period: date | None = None
) -> dict[date, Decimal]:
    end = None if period is None else period + timedelta(days=1)
    try:
        rows = answer(Query((metric,), grain, start=period, end=end), catalog, published).table.to_pylist()
    except (InvalidQuery, NotPublished):
        return {}
    return {row["period"]: row[metric] for row in rows if row[metric] is not None}
