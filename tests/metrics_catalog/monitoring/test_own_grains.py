"""What is judged at an own grain: bounds and changes of its periods, by the calendar of the time spine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.evaluate import evaluate
from metrics_catalog.monitoring.memory import Memory
from metrics_catalog.own_grains import OwnGrain, Spine
from metrics_catalog.published.model import AuditRules, PublishInfo, Scope
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published
from metrics_catalog.spec.base import Label

STARTS = tuple(
    date(2022, 1, 30) + timedelta(weeks=number) for number in (0, 4, 8, 13, 17, 21, 26, 30, 34, 39, 43, 47, 52)
)
SPINE = Spine("model.shop.days", "marts", "days", "day", "models/days.yml")


def fiscal(until: date) -> dict[str, OwnGrain]:
    label = Label(en="fiscal month", zh="财月")
    return {"fiscal_month": OwnGrain("fiscal_month", "fm", SPINE, label, STARTS, tuple(map(str, STARTS)), until)}


def watched(shop: Any, until: date) -> Catalog:
    rules = {
        "grains": ["fiscal_month"],
        "bounds": {"grain": "fiscal_month", "warn": {"below": 50}},
        "change": {"grain": "fiscal_month", "against": "previous", "warn": {"below": -0.5}},
    }
    made = shop({"sales": rules})
    return replace(made, semantics=replace(made.semantics, own_grains=fiscal(until)))


def published(catalog: Catalog, values: list[int], closed: date) -> Any:
    count = len(values)
    rows = {
        "metric": ["sales"] * count,
        "grain": ["fiscal_month"] * count,
        "period": pa.array(STARTS[:count], pa.date32()),
        "slice": [""] * count,
        "value": pa.array(values, pa.int64()).cast(pa.decimal128(28, 6)),
        "numerator": pa.nulls(count, pa.decimal128(28, 6)),
        "denominator": pa.nulls(count, pa.decimal128(28, 6)),
        "definition": ["d"] * count,
    }
    with Publisher(catalog.project.published).open(
        PublishInfo("run-1", datetime(2023, 3, 1, tzinfo=UTC), closed)
    ) as draft:
        draft.add(pa.table(rows))
        draft.replaces([Scope("sales", "fiscal_month", STARTS[0], STARTS[-1])])
        draft.audit(AuditRules(periods={"fiscal_month": list(pairwise(STARTS))}))
        draft.commit()
    return Published(catalog.project.published)


def test_its_last_period_is_judged_against_the_one_before(shop: Any, tmp_path: Path) -> None:
    catalog, closed = watched(shop, date(2023, 3, 1)), STARTS[12] - timedelta(days=1)
    values = published(catalog, [100] * 11 + [40], closed)
    for folder in ("first", "second"):
        found = evaluate(catalog, values.at(), Memory.open(tmp_path / folder), closed, values)
        assert {(one.rule, one.period) for one in found.findings} == {("bounds", STARTS[11]), ("change", STARTS[11])}
        assert found.through == {"fiscal_month": STARTS[11]}


def test_where_the_spine_has_ended_nothing_is_judged(shop: Any, tmp_path: Path) -> None:
    catalog, closed = watched(shop, STARTS[12] + timedelta(days=1)), STARTS[12] + timedelta(days=5)
    values = published(catalog, [100] * 11 + [40], closed)
    assert evaluate(catalog, values.at(), Memory.open(tmp_path / "memory"), closed, values).findings == ()
