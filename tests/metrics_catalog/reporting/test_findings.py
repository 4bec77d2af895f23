"""What stands out: judged by direction, ranked, and only what the numbers say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from metrics_catalog.catalog import Catalog
from metrics_catalog.own_grains import OwnGrain, Spine
from metrics_catalog.reporting.contributions import Share
from metrics_catalog.reporting.facts import Fact
from metrics_catalog.reporting.findings import Found, of_fact, of_shares, ranked
from metrics_catalog.reporting.pace import Pace
from metrics_catalog.reporting.sentences import sentence
from metrics_catalog.spec.base import Label

LAST = date(2024, 6, 24)


def fact(catalog: Catalog, values: Sequence[float | None], metric: str = "net_sales") -> Fact:
    course = tuple((LAST - timedelta(weeks=len(values) - 1 - n), value) for n, value in enumerate(values))
    before = values[-2] if len(values) > 1 else None
    return Fact(metric, catalog.metrics[metric].spec, "week", LAST, values[-1], before, None, course, LAST, LAST)


def told(found: Any, language: str = "en") -> list[str]:
    return [sentence(one, language) for one in found]


def test_an_unusual_move_says_since_when_it_is_the_largest(catalog: Catalog) -> None:
    found = list(of_fact(fact(catalog, [100 + n % 2 for n in range(20)] + [70.0]), None))
    assert [one.kind for one in found] == ["move", "record"]
    assert found[0].tone == "bad"
    assert told(found) == [
        "Net sales fell 30.7% on the week before, to $70: the largest fall in 20 weeks.",
        "Net sales, at $70, is the lowest in 21 weeks.",
    ]
    assert told(found, "zh")[0] == "净销售额环比下降30.7%，为$70，是20周来最大降幅。"


def test_the_same_move_of_what_should_fall_is_good(catalog: Catalog) -> None:
    values = [0.10 + 0.001 * (n % 2) for n in range(20)] + [0.07]
    found = [one for one in of_fact(fact(catalog, values, "discount_rate"), None) if one.kind == "move"]
    assert [one.tone for one in found] == ["good"]
    assert told(found) == ["Discount rate fell 3.1 pp on the week before, to 7.0%: the largest fall in 20 weeks."]


def test_too_little_data_and_a_usual_move_say_nothing(catalog: Catalog) -> None:
    assert list(of_fact(fact(catalog, [100.0, 50.0]), None)) == []
    assert list(of_fact(fact(catalog, [100 + 10 * (n % 3) for n in range(21)]), None)) == []
    assert list(of_fact(fact(catalog, [100.0] * 10 + [None]), None)) == []


def test_streaks_bounds_and_pace(catalog: Catalog) -> None:
    rising = list(of_fact(fact(catalog, [100, 130, 90, 100, 101, 102, 103, 104]), None))
    assert told(rising) == ["Net sales has risen 5 weeks in a row, by 15.6% in all, to $104."]
    over = list(of_fact(fact(catalog, [0.1, 0.15], "discount_rate"), None))
    assert told(over) == ["Discount rate is 15.0%, above the warning bound of 13.8%."]
    assert told(over, "zh") == ["折扣率为15.0%，高于预警线13.8%。"]
    pace = Pace("month", date(2024, 6, 1), 220_000, 110_000, 0.4, 275_000, "good")
    assert told(of_fact(fact(catalog, [1.0]), pace)) == [
        "Net sales is $110K so far in Jun 2024: 50% of the $220K target with 40% of the month gone;"
        " at this pace it ends at $275K."
    ]
    spine, label = (
        Spine("model.shop.days", "marts", "days", "day", "models/days.yml"),
        Label(en="fiscal month", zh="财月"),
    )
    own = OwnGrain("fiscal_month", "fm", spine, label, (pace.start,), ("FY24-05",), date(2024, 7, 1))
    (sold,) = of_fact(fact(catalog, [1.0]), replace(pace, grain="fiscal_month", own=own))
    assert "so far in fiscal month FY24-05: 50% of the $220K target with 40% of the fiscal month gone" in sentence(
        sold, "en"
    )
    assert sentence(sold, "zh").startswith("财月 FY24-05净销售额累计$11万，")


def test_contributors_are_named_only_when_they_made_most_of_it(catalog: Catalog) -> None:
    down = fact(catalog, [1000.0, 900.0])
    few = of_shares(down, "store", [Share("静安", -70), Share("徐汇", 20), Share(None, -50)])
    assert told(few) == ["Net sales fell by $100.00; by store, most came from 静安 (-$70.00) and (none) (-$50.00)."]
    assert list(of_shares(down, "store", [Share(str(n), -10) for n in range(10)])) == []


def test_no_metric_and_no_kind_crowds_out_the_others(catalog: Catalog) -> None:
    one, other = fact(catalog, [1.0, 2.0]), fact(catalog, [0.1, 0.2], "discount_rate")
    found = [Found("move", one, "good", 9), Found("record", one, "good", 8), Found("pace", one, "good", 7)]
    found += [Found("contribution", one, "good", 6), Found("pace", other, "bad", 5)]
    assert [(kept.kind, kept.fact.metric) for kept in ranked(found, 5)] == [
        ("move", "net_sales"),
        ("pace", "net_sales"),
        ("pace", "discount_rate"),
    ]
    assert len(ranked(found, 1)) == 1
