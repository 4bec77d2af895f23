"""`Query` and `Result`: what every face asks, and what it gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from metrics_catalog.spec.base import Grain

if TYPE_CHECKING:
    import pyarrow as pa

Op = Literal["=", "!=", "in", "not in"]


class InvalidQuery(Exception):
    """A question that cannot be answered from official values; the message says what can."""


@dataclass(frozen=True)
class Filter:
    """Members of one dimension to keep (``=``, ``in``) or to drop (``!=``, ``not in``). None is the empty member."""

    dimension: str
    op: Op
    values: tuple[str | None, ...]


@dataclass(frozen=True)
class Query:
    """Official values of ``metrics`` by ``grain`` and dimensions ``by``, in periods that begin in [start, end)."""

    metrics: tuple[str, ...]
    grain: Grain
    by: tuple[str, ...] = ()
    where: tuple[Filter, ...] = ()
    start: date | None = None
    end: date | None = None
    as_of: int | date | datetime | None = None


@dataclass(frozen=True)
class Result:
    """One row for each period and combination of ``by``, a decimal column for each metric (null: no data).

    ``version`` and ``published_at`` name the publish that was read; ``definitions`` the definition of each metric then.
    ``marks``: what to know before using a metric: that it is held, or deprecated. ``notes``: why that publish changed
    values of a metric that were published before.
    """

    query: Query
    table: pa.Table
    version: int
    published_at: datetime
    closed_through: date
    definitions: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
