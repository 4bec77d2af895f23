"""Small publishes: rows as tuples, scopes and infos with sensible defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from metrics_catalog.published.model import AuditRules, PublishInfo, PublishResult, Scope
from metrics_catalog.published.publisher import Publisher

DECIMAL = pa.decimal128(28, 6)
CLOSED = date(2024, 12, 31)


def rows(
    values: Iterable[tuple[str, date, dict[str, str | None], Any]],
    grain: str = "day",
    numerator: Any = None,
    denominator: Any = None,
    definition: str = "0123456789abcdef",
) -> pa.Table:
    """A stream of values from (metric, period, members, value)."""
    given = list(values)
    dimensions = sorted({name for _, _, members, _ in given for name in members})
    number = [None if value is None else Decimal(str(value)) for *_, value in given]
    columns: dict[str, Any] = {
        "metric": pa.array([metric for metric, *_ in given], pa.string()),
        "grain": pa.array([grain] * len(given), pa.string()),
        "period": pa.array([period for _, period, *_ in given], pa.date32()),
        "slice": pa.array([",".join(members) for _, _, members, _ in given], pa.string()),
        "value": pa.array(number, DECIMAL),
        "numerator": pa.array([numerator] * len(given), DECIMAL),
        "denominator": pa.array([denominator] * len(given), DECIMAL),
        "definition": pa.array([definition] * len(given), pa.string()),
    }
    for name in dimensions:
        columns[name] = pa.array([members.get(name) for _, _, members, _ in given], pa.string())
    return pa.table(columns)


def info(number: int = 1, **other: Any) -> PublishInfo:
    at = datetime(2025, 1, 1, 6, tzinfo=UTC) + timedelta(days=number)
    return PublishInfo(**{"run_id": f"run-{number}", "published_at": at, "closed_through": CLOSED} | other)


def days(metric: str, start: date, end: date, grain: str = "day") -> Scope:
    return Scope(metric, grain, start, end)


@pytest.fixture
def kit() -> SimpleNamespace:
    return SimpleNamespace(rows=rows, info=info, days=days)


@pytest.fixture
def publish(tmp_path: Path) -> Callable[..., PublishResult]:
    """Publish one day of metric ``sales``: ``publish(number, {member: value})``; the total is their sum."""

    def once(
        number: int, stores: dict[str, int], day: date = date(2024, 1, 1), more: Sequence[Any] = ()
    ) -> PublishResult:
        given: list[Any] = [("sales", day, {"store": name}, value) for name, value in stores.items()]
        given.append(("sales", day, {}, sum(stores.values())))
        scope = days("sales", day, day + timedelta(days=1))
        rules = AuditRules(additive=frozenset({"sales"}))
        return Publisher(tmp_path / "published").publish(info(number), [rows(given)], [scope], rules, more)

    return once
