from __future__ import annotations

from dataclasses import replace
from typing import Any

from metrics_catalog.health import SourceHealth
from metrics_catalog.monitoring.facts import Scene
from metrics_catalog.monitoring.standing import held_troubles, source_troubles

from .conftest import DAY, NOW
from .test_cause import HELD, NEW

LATE = SourceHealth("receipts", NOW, "run", late=(DAY,))
OTHER = {**HELD, "why": "changed code: fct_sales, stg_receipts", "request": "CR-4"}


def test_one_trouble_for_each_source_and_cause(shop_catalog: Any) -> None:
    both = replace(LATE, blocked="receipts is not accepted: 9 of 10 rows are bad")
    found = list(source_troubles(Scene(shop_catalog, NOW, health=(both,)), {"receipts": "ops"}))
    assert [(one.key, one.severity, one.metrics, one.owners) for one in found] == [
        ("late:receipts", 2, ("net_sales", "receipts"), ("ops",)),
        ("check:receipts", 1, ("net_sales", "receipts"), ("ops",)),
    ]


def test_a_source_under_no_metric_is_less_bad(shop_catalog: Any) -> None:
    found = list(source_troubles(Scene(shop_catalog, NOW, health=(replace(LATE, source="stores"),)), {}))
    assert [(one.severity, one.metrics) for one in found] == [(3, ())]


def test_metrics_held_by_the_same_code_are_one(shop_catalog: Any) -> None:
    info = replace(NEW, held=("net_sales", "receipts"), marks={"net_sales": HELD, "receipts": OTHER})
    found = list(held_troubles(Scene(shop_catalog, NOW, info)))
    assert [(one.key, one.metrics, one.severity) for one in found] == [("code:fct_sales", ("net_sales", "receipts"), 2)]
    assert "(CR-3)" in found[0].text["en"]


def test_metrics_held_for_other_reasons_are_each_its_own(shop_catalog: Any) -> None:
    mark = {**HELD, "why": "late rows of receipts"}
    info = replace(NEW, held=("net_sales", "receipts"), marks={"receipts": mark})
    found = list(held_troubles(Scene(shop_catalog, NOW, info)))
    assert [(one.key, one.explained.cause) for one in found] == [
        ("check:net_sales", "check"),
        ("restatement:receipts", "restatement"),
    ]
