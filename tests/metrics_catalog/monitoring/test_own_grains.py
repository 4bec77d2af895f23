"""What is judged at an own grain: bounds and changes of its periods, by the calendar of the time spine."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.monitoring.alert_message import Besides, bodies, text
from metrics_catalog.monitoring.besides import _Asked
from metrics_catalog.monitoring.cause import Explained
from metrics_catalog.monitoring.evaluate import evaluate
from metrics_catalog.monitoring.memory import Memory
from metrics_catalog.monitoring.trouble import Trouble
from metrics_catalog.own_grains import OwnGrain, Spine
from metrics_catalog.published.model import AuditRules, PublishInfo, Scope
from metrics_catalog.published.publisher import Publisher
from metrics_catalog.published.reader import Published
from metrics_catalog.spec.base import Label

STARTS = tuple(
    date(2022, 1, 30) + timedelta(weeks=number) for number in (0, 4, 8, 13, 17, 21, 26, 30, 34, 39, 43, 47, 52)
)
TEXTS = (*(f"FY22-{number:02}" for number in range(1, 13)), "FY23-01")
SPINE = Spine("model.shop.days", "marts", "days", "day", "models/days.yml")


def fiscal(until: date) -> dict[str, OwnGrain]:
    label = Label(en="fiscal month", zh="财月")
    return {"fiscal_month": OwnGrain("fiscal_month", "fm", SPINE, label, STARTS, TEXTS, until)}


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


def test_its_periods_are_called_as_the_time_spine_calls_them(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog, closed = watched(shop, date(2023, 3, 1)), STARTS[12] - timedelta(days=1)
    values = published(catalog, [100] * 11 + [40], closed)
    one, *_ = evaluate(catalog, values.at(), Memory.open(tmp_path / "memory"), closed, values).findings
    told = Trouble("move:sales", Explained("move"), 2, ("sales",), (one,))
    line, rows = text(catalog, told, Besides()), bodies(catalog, told, Besides())
    assert "sales $40 in fiscal month FY22-12, " in line["en"]
    assert "财月 FY22-12指标 sales为$40" in line["zh"]
    assert ("'fiscal month FY22-12'" in str(rows["en"]), "'财月 FY22-12'" in str(rows["zh"])) == (True, True)
    drawn: list[Any] = []
    monkeypatch.setattr("metrics_catalog.charts.png", lambda spec: drawn.append(spec) or b"")
    _Asked(catalog, None, values, tmp_path)._picture(one)  # pyright: ignore[reportArgumentType]
    for spec in drawn:
        written = json.dumps(spec, ensure_ascii=False)
        assert '"label": "FY22-12"' in written
        assert "fiscal" not in written
    assert len(drawn) == 2
