"""A scene made by hand: a shop's catalog, and whatever a test says happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.decisions.incident import Incident
from metrics_catalog.engine.periods import Span
from metrics_catalog.governance.begun import Definitions
from metrics_catalog.review.scene import Scene
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy
from metrics_catalog.usage import Used

NOW = datetime(2024, 4, 1, 8, tzinfo=UTC)
MONTH = Span(date(2024, 3, 1), date(2024, 4, 1))
PEOPLE = People.model_validate(
    {
        "departments": {"sales": {"en": "Sales", "zh": "销售部"}},
        "people": {
            "ann": {"name": "Ann", "email": "ann@example.com", "roles": ["owner"], "channels": {"slack": "U1"}},
            "wei": {"name": "陈伟", "email": "wei@example.com", "language": "zh", "roles": ["steward"]},
        },
        "teams": {"sales": {"label": {"en": "Sales", "zh": "销售"}, "department": "sales", "members": ["ann"]}},
    }
)


class Values:
    """Published totals of day-grained metrics."""

    def __init__(self, values: dict[str, dict[date, float]]) -> None:
        self._values = values

    def values(self, metrics: Any, grain: str, _cut: Any, _filters: Any, start: date, end: date) -> pa.Table:
        wanted = set(metrics)
        rows = [
            {"metric": name, "period": period, "value": value}
            for name, of in self._values.items()
            for period, value in of.items()
            if name in wanted and start <= period < end and (grain == "day" or period.day == 1)
        ]
        return pa.Table.from_pylist(
            rows, pa.schema({"metric": pa.string(), "period": pa.date32(), "value": pa.float64()})
        )


@pytest.fixture
def scene(shop: Callable[..., Catalog]) -> Callable[..., Scene]:
    """``scene(metrics, values=…, policy={…}, **what happened)``; every metric was read once unless ``used`` says else."""

    def made(
        metrics: dict[str, dict[str, Any]],
        values: dict[str, dict[date, float]] | None = None,
        policy: dict[str, Any] | None = None,
        **happened: Any,
    ) -> Scene:
        catalog = replace(
            shop(metrics), people=PEOPLE, policy=Policy.model_validate({"timezone": "UTC", **(policy or {})})
        )
        given: dict[str, Any] = {
            "definitions": Definitions(catalog, catalog, happened.pop("record", None)),
            "month": MONTH,
            "since": NOW - timedelta(days=31),
            "now": NOW,
            "used": used(*metrics),
            "known_since": NOW - timedelta(days=200),
            "incidents": (),
            "decisions": (),
            "health": (),
            "snapshot": Values(values or {}),
            "versions": (),
        }
        return Scene(**{**given, **happened})

    return made


def used(*names: str, **counts: int) -> dict[str, Used]:
    given = {**dict.fromkeys(names, 1), **counts}
    return {name: Used(name, count, NOW, {"query": count}, {"ann": count}) for name, count in given.items()}


def incident(number: int, **keys: Any) -> Incident:
    days = keys.pop("days", 5)
    given = {
        "key": "net_sales/day/total", "state": "resolved", "severity": 3, "metric": "net_sales", "assignee": "ann",
        "opened_at": NOW - timedelta(days=days), "closed_at": None, "members": (), "cause": "move", "rule": "bounds",
        "reason": "false alarm",
    }  # fmt: skip
    return Incident(number=number, data=json.loads("{}"), **{**given, **keys})


@pytest.fixture
def happened() -> SimpleNamespace:
    return SimpleNamespace(used=used, incident=incident, now=NOW)


def series(value: Callable[[int], float], count: int = 180) -> dict[date, float]:
    """Daily values that end with the month."""
    return {MONTH.end - timedelta(days=n): value(n) for n in range(1, count + 1)}


@pytest.fixture
def daily() -> Callable[..., dict[date, float]]:
    return series
