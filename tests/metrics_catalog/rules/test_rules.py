"""Each rule finds its fault, at its line, and stays silent on a good catalog."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from metrics_catalog.rules import check_all

RATIO = {"type": "ratio", "numerator": "a", "denominator": "b"}
CONVERSION = {"type": "conversion", "base": {"model": "visits", "agg": "count"}, "entity": "store", "window": "7 days"}
LINES = {"agg": "count", "expr": None}
VISITS = {"model": "visits", "agg": "count", "expr": None}
CASES: list[tuple[dict[str, dict[str, Any]], list[str]]] = [
    ({"a": {"owner": "salse"}}, ['a.yml:{owner} error owner "salse" is not in people.yml (did you mean "sales"?)']),
    (
        {"a": {}, "r": {**RATIO, "denominator": "bb"}},
        ['r.yml:{denominator} error denominator: there is no metric "bb"'],
    ),
    (
        {"a": {}, "b": {}, "r": RATIO, "q": {**RATIO, "numerator": "r"}},
        ['q.yml:{numerator} error numerator: "r" is a ratio itself; name its parts instead'],
    ),
    (
        {"d": {"type": "derived", "expr": "a - c"}, "a": {"type": "derived", "expr": "d / 2"}, "c": {}},
        [
            "d.yml:{label} error is made of itself: d -> a -> d",
            "a.yml:{label} error is made of itself: a -> d -> a",
        ],
    ),
    (
        {"d": {"type": "derived", "expr": "a +"}, "a": {}},
        [
            "d.yml:{expr} error expr: \"a +\" is not an expression: Required keyword: 'expression' missing for <class 'sqlglot.expressions.core.Add'>. Line 1, Col: 3."
        ],
    ),
    (
        {"d": {"type": "derived", "expr": "a; drop table x"}, "a": {}},
        ['d.yml:{expr} error expr: "a; drop table x" must be exactly one expression'],
    ),
    (
        {"d": {"type": "derived", "expr": "a - b", "inputs": {"b": {"metric": "aa"}}}, "a": {}},
        ['d.yml:{  b} error inputs.b: there is no metric "aa" (did you mean "a"?)'],
    ),
    (
        {"d": {"type": "derived", "expr": "a", "inputs": {"b": {"metric": "a"}}}, "a": {}},
        ['d.yml:{  b} error inputs: "b" is not in expr'],
    ),
    (
        {
            "d": {
                "type": "derived",
                "expr": "b",
                "inputs": {"b": {"metric": "a", "offset": "3 days"}},
                "grains": ["month"],
            },
            "a": {},
        },
        ['d.yml:{    offset} error inputs.b: a month has no month that is "3 days" before it'],
    ),
    (
        {"d": {"type": "derived", "expr": "b", "inputs": {"b": {"metric": "a", "filter": "categry = 'x'"}}}, "a": {}},
        [
            'd.yml:{    filter} error filter: "categry = \'x\'": "categry" is not a column of "sales" (did you mean "category"?)'
        ],
    ),
    (
        {
            "c": {"type": "cumulative", "metric": "r", "window": "7 days"},
            "r": {"type": "cumulative", "metric": "a"},
            "a": {},
        },
        ['c.yml:{metric} error metric: "r" is not of one period only, so it cannot be cumulated'],
    ),
    (
        {"c": {"type": "cumulative", "metric": "a"}, "a": {"semi_additive": {"take": "last", "per": ["stor"]}}},
        [
            "c.yml:{metric} error metric: a stock does not add up over days, so it cannot be cumulated",
            'a.yml:{  per} error semi_additive: "stor" is not a dimension of semantic model "sales" (did you mean "store"?)',
        ],
    ),
    (
        {
            "v": {
                **CONVERSION,
                "conversion": {"model": "sales", "agg": "median", "expr": "amount_usd"},
                "entity": "shop",
            }
        },
        [
            "v.yml:{conversion} error conversion: events are counted or summed: name a simple metric, or a measure, with agg count or sum",
            'v.yml:{entity} error entity: "shop" is not a dimension of semantic model "visits"',
            'v.yml:{entity} error entity: "shop" is not a dimension of semantic model "sales"',
        ],
    ),
    ({"a": {"model": "sale"}}, ['a.yml:{model} error there is no semantic model "sale" (did you mean "sales"?)']),
    (
        {"a": {"model": "makers", "expr": "maker_id"}},
        ['a.yml:{model} error semantic model "makers" has no agg_time_dimension'],
    ),
    (
        {"a": {"expr": "amont_usd"}},
        ['a.yml:{expr} error expr: "amont_usd": "amont_usd" is not a column of "sales" (did you mean "amount_usd"?)'],
    ),
    ({"a": {"expr": "note"}}, ['a.yml:{expr} error expr: sum of "note", which is text']),
    (
        {"a": {"filter": "units"}},
        ['a.yml:{filter} error filter: "units" is not a condition (it must be true or false for each row)'],
    ),
    (
        {"a": {"slices": [["store"], ["categry"]]}},
        [
            'a.yml:{- - categry} error slices: "categry" is not a dimension of semantic model "sales" (did you mean "category"?)'
        ],
    ),
    *(
        (
            {"a": {"filter": f"metric({inner}, by={entity}) > 1"}, "lines": LINES, **more},
            [f"a.yml:{{filter}} error filter: {says}"],
        )
        for inner, entity, more, says in [
            ("line", "member", {}, 'there is no metric "line" (did you mean "lines"?)'),
            (
                "lines",
                "member",
                {"a": {**VISITS, "filter": "metric(lines, by=member) > 1"}},
                '"metric(lines, by=member) > 1": "member" is no key reached from semantic model "visits"',
            ),
            (
                "v",
                "member",
                {"v": VISITS},
                '"v" has no value for each member: "member" is no key reached from semantic model "visits"',
            ),
            (
                "m",
                "member",
                {"m": {"agg": "median"}},
                '"m" has agg "median": what is looked up must add up, count or average all rows of an entity',
            ),
            (
                "s",
                "store",
                {"s": {"semi_additive": {"take": "last"}}},
                '"s" has semi_additive: what is looked up must add up, count or average all rows of an entity',
            ),
            (
                "c",
                "store",
                {"c": {"type": "cumulative", "metric": "lines"}},
                '"c" is cumulative: only simple, ratio and derived metrics have a value over all days',
            ),
            (
                "d",
                "store",
                {"d": {"type": "derived", "expr": "b", "inputs": {"b": {"metric": "lines", "offset": "1 day"}}}},
                '"d" looks at other periods, so it has no value over all days',
            ),
            (
                "lines_of_each_x",
                "store",
                {"lines_of_each_x": LINES},
                'the table of its values would be called "lines_of_each_x_of_each_store", and what is called so is not told apart',
            ),
        ]
    ),
    (
        {"a": {"filter": "metric(b, by=member) > 1"}, "b": {"filter": "units > 1 and metric(a, by=store) > 1"}},
        [
            "a.yml:{label} error is made of itself: a -> b -> a",
            "b.yml:{label} error is made of itself: b -> a -> b",
        ],
    ),
    (
        {
            "r": {**RATIO, "numerator": {"metric": "b", "filter": "metric(r, by=store) > 1"}, "denominator": "b"},
            "b": {},
        },
        ["r.yml:{label} error is made of itself: r -> r"],
    ),
    (
        {"a": {"synonyms": ["销量"]}, "b": {"synonyms": ["销量"]}},
        ['b.yml:{- 销量} error "销量" already means the metric "a"'],
    ),
    (
        {
            "a": {"description": "Sold.", "playbook": {"en": "Call.", "zh": "致电门店。"}},
            "b": {"playbook": "致电门店。"},
        },
        [
            "a.yml:{description} warning description: is in one language, and the label in two; write {en: ..., zh: ...}",
            "b.yml:{playbook} warning playbook: is in one language, and the label in two; write {en: ..., zh: ...}",
        ],
    ),
    ({"a": {"label": {"en": "SKU", "zh": "SKU"}, "description": "Sold."}}, []),
    ({"store": {"slices": [["store"]]}}, ['store.yml:{label} error "store" is a dimension; name the metric otherwise']),
    ({"value": {}}, ['value.yml:{label} error "value" is a column of published values; name the metric otherwise']),
]


@pytest.mark.parametrize(("metrics", "expected"), CASES)
def test_a_rule_finds_its_fault(shop: Any, metrics: dict[str, dict[str, Any]], expected: list[str]) -> None:
    catalog = shop(metrics)
    found = [str(problem).removeprefix("metrics_catalog/metrics/sales/") for problem in check_all(catalog)]
    assert found == [at_its_line(catalog.project.metrics / "sales", text) for text in expected]


def at_its_line(folder: Path, text: str) -> str:
    """``a.yml:{owner}`` with the number of the line that begins with ``owner``."""
    match = re.match(r"(\w+\.yml):\{(.*?)\}", text)
    assert match is not None
    lines = (folder / match[1]).read_text(encoding="utf-8").splitlines()
    number = next(number for number, line in enumerate(lines, 1) if line.startswith(match[2]))
    return f"{match[1]}:{number}{text[match.end() :]}"


def test_a_good_catalog_has_no_problem(shop: Any) -> None:
    metrics = {"a": {"slices": [["store"], ["category", "country"]]}, "b": {"filter": "is_promoted"}, "r": RATIO}
    metrics["c"] = {"filter": "metric(r, by=store) > 0.5 and not metric(b, by=maker) > 10"}
    assert list(check_all(shop(metrics))) == []
