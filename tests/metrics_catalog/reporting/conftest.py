"""A chain of three stores, two categories and half a year of weeks, published in memory; nothing is random."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
import yaml

from metrics_catalog.catalog import Catalog
from metrics_catalog.governance.begun import Definitions
from metrics_catalog.located import check, parsed
from metrics_catalog.project import Project
from metrics_catalog.published.errors import NotPublished
from metrics_catalog.published.model import PublishInfo, Version
from metrics_catalog.report_files import ReportFile
from metrics_catalog.reporting.making import Source
from metrics_catalog.semantic import Semantics
from metrics_catalog.spec.people import People
from metrics_catalog.spec.policy import Policy
from metrics_catalog.spec.report import Report

LAST = date(2024, 6, 24)  # the Monday of the last week
NOW = datetime(2024, 7, 1, 8, tzinfo=UTC)
HOSTILE = '<script>alert("1")</script> & Söhne 店'
STORES = ("静安", "徐汇", HOSTILE)
MONEY = pa.decimal128(28, 6)

REPORT = """
label: {en: Weekly report, zh: 周报}
description: {en: How the week went., zh: 一周经营情况。}
owner: sales
grain: week
schedule: "0 8 * * 1"
audience: {people: [wang_fang, ann], teams: []}
sections:
  - {type: headline, metrics: [net_sales, discount_rate]}
  - {type: trend, metrics: [net_sales], periods: 8}
  - {type: contribution, metric: net_sales, by: store}
  - {type: contribution, metric: discount_rate, by: category}
  - {type: breakdown, metric: net_sales, by: category, top: 1}
  - {type: ranking, metric: net_sales, by: store, top: 2, bottom: 1}
  - type: text
    text: {en: "{period}: {net_sales} ({net_sales.change})", zh: "{period}净销售额{net_sales}，环比{net_sales.change}"}
"""
PER_STORE = """
label: {en: Your store, zh: 门店周报}
owner: sales
grain: week
audience: {per: store}
on_late: wait
sections:
  - {type: headline, metrics: [net_sales]}
  - {type: trend, metrics: [net_sales], periods: 8}
  - {type: ranking, metric: net_sales, by: store}
"""


@dataclass
class Snapshot:
    """What `published.Snapshot` gives, from rows: (metric, grain, slice) -> [(period, members, value, n, d)]."""

    rows: dict[tuple[str, str, tuple[str, ...]], list[tuple[Any, ...]]]
    info: PublishInfo
    version: int = 7

    def values(
        self, metrics: Iterable[str], grain: str, cut: Any = (), filters: Any = (), start: Any = None, end: Any = None
    ) -> pa.Table:
        (metric,) = metrics
        found = [one for one in self.rows.get((metric, grain, tuple(cut)), []) if start <= one[0] < end]
        columns = {"period": pa.array([one[0] for one in found], pa.date32())}
        for at, name in enumerate(cut):
            columns[name] = pa.array([one[1][at] for one in found], pa.string())
        for at, name in enumerate(("value", "numerator", "denominator"), 2):
            numbers = [None if one[at] is None else Decimal(str(one[at])) for one in found]
            columns[name] = pa.array(numbers, MONEY)
        return pa.table(columns)


@dataclass
class InMemory:
    """What `published.Published` gives."""

    snapshot: Snapshot | None
    before: dict[int, PublishInfo] = field(default_factory=dict)

    def at(self, as_of: Any = None) -> Snapshot:
        if self.snapshot is None:
            raise NotPublished("nothing has been published yet")
        return replace(self.snapshot, info=self.before[as_of]) if as_of in self.before else self.snapshot

    def versions(self) -> list[Version]:
        newest = [] if self.snapshot is None else [Version(self.snapshot.version, self.snapshot.info)]
        return [*(Version(number, info) for number, info in sorted(self.before.items())), *newest]


def info(**said: Any) -> PublishInfo:
    usual: dict[str, Any] = {"definitions": {"net_sales": "n"}, "versions": {"net_sales": 1, "discount_rate": 2}}
    usual["coverages"] = {"tills": {"start": "2023-01-01", "missing": []}}
    return PublishInfo("run", datetime(2024, 7, 1, 5, tzinfo=UTC), date(2024, 6, 30), **{**usual, **said})


def weeks(count: int = 26) -> list[date]:
    return [LAST - timedelta(weeks=back) for back in range(count - 1, -1, -1)]


def sales(week: int, store: int) -> int:
    """Rises a little, wobbles by store, and falls by a third in the last week."""
    usual = (3 - store) * 10_000 + week * 50 + (week * 7 + store * 3) % 5 * 120
    return usual * 2 // 3 if week == 25 else usual


@pytest.fixture
def snapshot() -> Snapshot:
    rows: dict[tuple[str, str, tuple[str, ...]], list[tuple[Any, ...]]] = {}

    def put(metric: str, cut: tuple[str, ...], period: date, members: tuple[Any, ...], *numbers: Any) -> None:
        rows.setdefault((metric, "week", cut), []).append((period, members, *numbers))

    for week, period in enumerate(weeks()):
        each = [sales(week, store) for store in range(3)]
        total = sum(each)
        put("net_sales", (), period, (), total, None, None)
        for store, value in zip(STORES, each, strict=True):
            put("net_sales", ("store",), period, (store,), value, None, None)
        fresh = total * 6 // 10
        for category, value in (("生鲜", fresh), ("日用品", total - fresh), (None, 0)):
            put("net_sales", ("category",), period, (category,), value, None, None)
        off = (fresh // 10 + week * 10, (total - fresh) // 5)
        put("discount_rate", (), period, (), round(sum(off) / total, 6), sum(off), total)
        for category, part, whole in (("生鲜", off[0], fresh), ("日用品", off[1], total - fresh)):
            put("discount_rate", ("category",), period, (category,), round(part / whole, 6), part, whole)
    for back in range(40):
        rows.setdefault(("net_sales", "day", ()), []).append(
            (date(2024, 6, 30) - timedelta(days=back), (), 7_000, None, None)
        )
    rows["net_sales", "month", ()] = [(date(2024, 6, 1), (), 210_000, None, None)]
    return Snapshot(rows, info())


@pytest.fixture
def catalog(shop: Callable[[dict[str, dict[str, Any]]], Catalog]) -> Catalog:
    """Net sales and a discount rate, over a source called tills."""
    sold = {"grains": ["day", "week", "month"], "slices": [["store"], ["category"]], "tier": 1}
    rate = {"type": "ratio", "unit": "percent", "direction": "down", "grains": ["week"], "slices": [["category"]]}
    made = shop(
        {
            "net_sales": {**sold, "label": {"en": "Net sales", "zh": "净销售额"}, "target": {"month": 220_000}},
            "discount_rate": {
                **rate,
                "label": {"en": "Discount rate", "zh": "折扣率"},
                "numerator": {"model": "sales", "agg": "sum", "expr": "amount_usd", "filter": "is_promoted"},
                "denominator": "net_sales",
                "bounds": {"grain": "week", "warn": {"above": 0.138}},
            },
        }
    )
    parents = {"model.shop.fct_sales": ("source.shop.clean.tills",)}
    semantics = Semantics(made.semantics.models, parents)
    people = People.model_validate(
        {
            "departments": {"sales": {"en": "Sales", "zh": "销售部"}},
            "people": {
                "wang_fang": person("王芳", "zh", {"slack": "U1", "email": "wang.fang@example.com"}),
                "ann": person("Ann", "en", {"email": "ann@example.com"}),
                "li": person("李", "zh", {"slack": "U2"}, store=["静安", HOSTILE, "不存在"]),
            },
            "teams": {
                "sales": {"label": {"en": "Sales", "zh": "销售"}, "department": "sales", "members": ["wang_fang"]}
            },
        }
    )
    policy = Policy.model_validate({"business_date": "2024-06-30"})
    return replace(made, semantics=semantics, people=people, policy=policy)


def person(name: str, language: str, channels: dict[str, str], **answers: list[str]) -> dict[str, Any]:
    known = {"name": name, "email": "someone@example.com", "language": language, "channels": channels}
    return {**known, "answers_for": answers}


def report_file(text: str, name: str = "weekly", **changed: Any) -> ReportFile:
    document = parsed(
        yaml.safe_dump({**yaml.safe_load(text), **changed}, allow_unicode=True, sort_keys=False), f"{name}.yml"
    )
    return ReportFile(name, check(document, Report), document)


@pytest.fixture
def weekly() -> ReportFile:
    return report_file(REPORT)


@pytest.fixture
def per_store() -> ReportFile:
    return report_file(PER_STORE, "store_weekly")


@pytest.fixture
def source(catalog: Catalog, snapshot: Snapshot, tmp_path: Path) -> Source:
    published: Any = InMemory(snapshot)
    return Source(Project.at(tmp_path), Definitions(catalog, catalog), published)


@pytest.fixture(scope="session")
def room() -> Any:
    """What test modules need of this one, which they cannot import."""
    names = ("LAST", "NOW", "STORES", "HOSTILE", "REPORT", "PER_STORE", "InMemory", "info", "weeks", "report_file")
    return SimpleNamespace(**{name: globals()[name] for name in names})
