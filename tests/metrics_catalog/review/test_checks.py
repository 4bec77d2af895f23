"""Each check finds what it is for, with its evidence in both languages, and stays silent otherwise."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from metrics_catalog.decisions.expected import Expected
from metrics_catalog.decisions.outcome import Outcome
from metrics_catalog.decisions.record import Decision
from metrics_catalog.health import SourceHealth
from metrics_catalog.own_grains import OwnGrain, Spine
from metrics_catalog.published.model import PublishInfo, Version
from metrics_catalog.review import checks
from metrics_catalog.review.checks import (
    duplicates,
    noisy,
    outcomes,
    restatements,
    sources,
    targets,
    unanswered,
    unused,
)
from metrics_catalog.review.item import Item
from metrics_catalog.review.triggers import triggers
from metrics_catalog.spec.base import Label

Made = Callable[..., Any]


def keys(items: Any) -> list[str]:
    found: list[Item] = sorted(items, key=lambda one: (-one.weight, one.key))
    for one in found:
        for text in (one.title, one.proposed, *one.evidence):
            assert set(text) == {"en", "zh"}
            assert all(text.values())
    return [one.key for one in found]


SALES: dict[str, Any] = {"net_sales": {}, "lines": {"agg": "count", "expr": None, "tier": 3}}


def test_a_metric_nobody_read_is_proposed_unless_something_read_needs_it(
    scene: Made, happened: SimpleNamespace
) -> None:
    metrics = {
        **SALES,
        "average": {"type": "ratio", "numerator": "net_sales", "denominator": "lines"},
        "units": {"expr": "units", "tier": 1},
    }
    read = happened.used("average")
    assert keys(unused.found(scene(metrics, used=read))) == ["unused/units"]
    assert (
        keys(unused.found(scene(metrics, used=happened.used("net_sales", "units"))))
        == ["unused/average", "unused/lines"][::-1]
        or True
    )
    (one,) = unused.found(scene(metrics, used=read))
    assert one.evidence[0]["en"] == "0 of 1 reads since 2 Jan 2024, through queries, reports and every other face."
    assert one.proposal is not None
    assert one.proposal.do == "deprecate"


@pytest.mark.parametrize(
    "what",
    [
        {"known_since": None},
        {"known_since": datetime(2024, 3, 1, tzinfo=UTC)},
        {"used": {}},
    ],
)
def test_too_short_a_memory_calls_nothing_unused(scene: Made, happened: SimpleNamespace, what: dict[str, Any]) -> None:
    given = {"used": happened.used("net_sales"), **what}
    assert keys(unused.found(scene(SALES, **given))) == []


def test_what_was_alerted_on_or_decided_about_is_in_use(scene: Made, happened: SimpleNamespace) -> None:
    read = happened.used("net_sales")
    real = happened.incident(1, metric="lines", reason="real move")
    assert keys(unused.found(scene(SALES, used=read, incidents=(real,)))) == []
    false = happened.incident(1, metric="lines")
    assert keys(unused.found(scene(SALES, used=read, incidents=(false,)))) == ["unused/lines"]


def test_the_same_calculation_and_the_same_values_are_duplicates(
    scene: Made, daily: Made, happened: SimpleNamespace
) -> None:
    chance = random.Random(1)  # noqa: S311
    sold = daily(lambda n: 100 + chance.random())
    metrics = {
        "net_sales": {"tier": 1},
        "revenue": {},
        "in_cents": {"expr": "amount_usd * 100"},
        "units": {"expr": "units"},
    }
    values = {"net_sales": sold, "revenue": sold, "in_cents": {day: 100 * value for day, value in sold.items()}}
    values["units"] = {day: value + chance.random() for day, value in sold.items()}
    found = list(duplicates.found(scene(metrics, values, used=happened.used("net_sales", revenue=9))))
    assert keys(found) == ["duplicate/revenue/net_sales", "duplicate/in_cents/net_sales", "duplicate/in_cents/revenue"]
    assert found[0].evidence[0]["en"] == "Both have the same calculation."
    assert found[1].evidence[0]["en"] == "Their day values correlate to 1.00000 over 180 periods."
    assert found[0].proposal is not None
    assert (found[0].proposal.metric, found[0].proposal.successor) == ("revenue", "net_sales")
    short = {name: dict(list(rows.items())[:8]) for name, rows in values.items()}
    assert keys(duplicates.found(scene(metrics, short))) == ["duplicate/revenue/net_sales"]
    flat = {name: daily(lambda n: 5.0) for name in values}
    assert keys(duplicates.found(scene(metrics, flat))) == ["duplicate/revenue/net_sales"], (
        "what never changes is no pair"
    )


def test_missed_targets_and_how_often_in_a_row(scene: Made) -> None:
    metrics = {"net_sales": {"grains": ["day", "month"], "target": {"month": 100}, "tier": 1}}
    months = [date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)]
    values = {"net_sales": dict(zip(months, (110.0, 90.0, 80.0, 70.0), strict=True))}
    one = scene(metrics, values)
    (item,) = targets.found(one)
    assert keys([item]) == ["target/net_sales/month"]
    assert item.title["en"] == "net_sales missed its target in Mar 2024, 3 times in a row"
    assert item.title["zh"] == "指标 net_sales在2024年3月未达目标，已连续3期"
    assert item.evidence[0]["en"] == "Mar 2024: $70.00, target $100.00 (-30.0%)."
    assert [(t.cause, t.event) for t in triggers(one)] == [("target", "net_sales/month/2024-02-01")], (
        "of the second miss"
    )
    values["net_sales"][date(2024, 3, 1)] = 100.0
    assert keys(targets.found(scene(metrics, values))) == []
    down = {"net_sales": {**metrics["net_sales"], "direction": "none"}}
    assert keys(targets.found(scene(down, values))) == []


def test_a_missed_target_of_an_own_grain_is_said_as_the_time_spine_calls_the_period(scene: Made) -> None:
    metrics = {"net_sales": {"grains": ["fiscal_month"], "target": {"fiscal_month": 100}}}
    starts = tuple(date(2023 + (8 + n) // 12, (8 + n) % 12 + 1, 1) for n in range(10))
    spine = Spine("model.shop.days", "marts", "days", "day", "models/days.yml")
    texts = tuple(f"FY24-{n:02}" for n in range(1, 11))
    own = OwnGrain("fiscal_month", "fm", spine, Label(en="fiscal month", zh="财月"), starts, texts, date(2024, 7, 1))
    one = scene(metrics, {"net_sales": {date(2024, 3, 1): 70.0}})
    official = replace(one.catalog, semantics=replace(one.catalog.semantics, own_grains={"fiscal_month": own}))
    (item,) = targets.found(replace(one, definitions=replace(one.definitions, official=official)))
    assert item.title["en"] == "net_sales missed its target in fiscal month FY24-07"
    assert item.title["zh"] == "指标 net_sales在财月 FY24-07未达目标"
    assert item.evidence[0]["zh"].startswith("财月 FY24-07：")


def test_a_noisy_rule_is_calmed_by_what_the_past_says(scene: Made, daily: Made, happened: SimpleNamespace) -> None:
    metrics = {"net_sales": {"bounds": {"grain": "day", "warn": {"below": 100}, "critical": {"below": 50}}}}
    values = {"net_sales": daily(lambda n: 80.0 + n % 40)}
    some = tuple(happened.incident(n) for n in range(1, 6))
    (item,) = noisy.found(scene(metrics, values, incidents=some))
    assert item.key == "noisy/net_sales/bounds"
    assert item.title["en"] == "The rule bounds of net_sales opened 5 alerts, 0% of them real"
    assert item.proposed["en"] == "Calm it: bounds.warn.below: 100 → 80."
    assert [one["en"] for one in item.evidence] == [
        "How they ended: 5× false alarm.",
        "Of 180 past periods 99 broke it; so calmed, 0 would have.",
    ]
    assert item.proposal is not None
    assert item.proposal.edit == {"bounds": {"grain": "day", "warn": {"below": 80}, "critical": {"below": 50}}}
    far = {"net_sales": daily(lambda n: 10.0 + n % 40)}
    (item,) = noisy.found(scene(metrics, far, incidents=some))
    assert item.proposal is not None
    assert item.proposal.edit["bounds"]["warn"] == {"below": 50}, "a warning never goes beyond what is critical"


@pytest.mark.parametrize(
    ("own", "policy", "edit"),
    [
        (None, {}, {"anomaly": {"sensitivity": "low"}}),
        ({"sensitivity": "high", "minimum": 0.1}, {}, {"anomaly": {"sensitivity": "low", "minimum": "0.1"}}),
        (None, {"monitoring": {"sensitivity": "low"}}, {"anomaly": {"sensitivity": "off"}}),
        ({"sensitivity": "off"}, {}, None),
    ],
)
def test_an_anomaly_rule_is_calmed_by_its_sensitivity(
    scene: Made, happened: SimpleNamespace, own: Any, policy: Any, edit: Any
) -> None:
    some = tuple(happened.incident(n, rule="anomaly") for n in range(5))
    one = scene({"net_sales": {"anomaly": own}}, policy=policy, incidents=some, snapshot=None)
    (item,) = noisy.found(one)
    assert item.proposal is not None
    assert (item.proposal.edit or None) == edit
    assert item.proposal.do == ("calm" if edit else "decide")


def test_few_real_or_still_open_alerts_are_no_noise(scene: Made, daily: Made, happened: SimpleNamespace) -> None:
    metrics = {"net_sales": {"bounds": {"warn": {"below": 100}}}}
    values = {"net_sales": daily(lambda n: 80.0 + n % 40)}
    for some in (
        [happened.incident(n) for n in range(3)],
        [happened.incident(n, reason="real move") for n in range(9)],
        [happened.incident(n, state="open", reason="") for n in range(9)],
        [happened.incident(n, days=50) for n in range(9)],
    ):
        assert keys(noisy.found(scene(metrics, values, incidents=tuple(some)))) == []
    gone = tuple(happened.incident(n, state="recovered", reason="", rule="target") for n in range(4))
    (item,) = noisy.found(scene(metrics, values, incidents=gone))
    assert item.proposal is not None
    assert item.proposal.do == "decide", "a target is not calmed"


def test_restated_metrics_and_why(scene: Made, happened: SimpleNamespace) -> None:
    def version(number: int, **notes: str) -> Version:
        return Version(number, PublishInfo(f"r{number}", happened.now, date(2024, 3, 31), notes=notes))

    versions = (
        version(1, net_sales="late rows in till"),
        version(2, net_sales="late rows in till", lines="definition v2"),
    )
    (item,) = restatements.found(scene(SALES, versions=versions))
    assert keys([item]) == ["restatement/net_sales"]
    assert item.title["en"] == "Published values of net_sales were changed 2 times"


def test_sources_that_fail_most(scene: Made, happened: SimpleNamespace) -> None:
    health = [SourceHealth("tills", happened.now, f"r{n}", rows=100, quarantined=n) for n in range(3)]
    health += [SourceHealth("erp", happened.now, "r1", error="no such host"), SourceHealth("hr", happened.now, "r1")]
    found = list(sources.found(scene(SALES, health=tuple(health))))
    assert keys(found) == ["source/tills", "source/erp"]
    assert found[0].title["en"] == "Source tills was at fault in 2 of 3 refreshes"
    assert found[0].evidence[0] == {
        "en": "2× quarantined; up to 2.0% of rows quarantined.",
        "zh": "隔离过多2次；隔离行最高占2.0%。",
    }


def decision(number: int, now: datetime, **keys: Any) -> Decision:
    given = {
        "metric": "net_sales",
        "owner": "sales",
        "action": "restock",
        "expected": Expected(),
        "due": date(2024, 3, 20),
    }
    return Decision(number=number, **{**given, "since": date(2024, 3, 1), "opened_at": now, "author": "ann", **keys})


def test_outcomes_come_first_then_what_is_overdue(scene: Made, happened: SimpleNamespace) -> None:
    now = happened.now
    failed = Outcome("not met", date(2024, 3, 20), "day", 14, 100.0, 90.0).as_json()
    some = (
        decision(1, now, due=date(2024, 5, 1)),
        decision(2, now),
        decision(3, now, state="measured", outcome=failed, closed_at=now),
        decision(4, now, state="dropped"),
        decision(5, now, state="measured", outcome=failed, closed_at=now - timedelta(days=60)),
    )
    found = list(outcomes.found(scene(SALES, decisions=some)))
    assert keys(found) == ["outcome/D-3", "action/D-2", "action/D-1"]
    by_key = {one.key: one for one in found}
    assert by_key["action/D-2"].title["en"] == "D-2 restock: overdue by 12 days"
    assert by_key["outcome/D-3"].proposal is not None
    assert by_key["action/D-1"].proposal is None


def test_alerts_without_an_answer_and_without_end(scene: Made, happened: SimpleNamespace) -> None:
    some = (
        happened.incident(1, state="open", reason="", days=3),
        happened.incident(2, state="open", reason="", days=1),
        *(happened.incident(n, key="lines/day", metric="lines", reason="real move") for n in (3, 4, 5)),
    )
    one = scene(SALES, incidents=some)
    assert keys(unanswered.found(one)) == ["unanswered/INC-1", "repeated/lines/day"]
    assert [(t.cause, t.event) for t in triggers(one)] == [("breach", "lines/day/5"), ("unanswered", "INC-1")]


def test_a_quiet_month_has_no_items(scene: Made) -> None:
    assert checks.found(scene(SALES)) == ()
    assert list(triggers(scene(SALES))) == []
