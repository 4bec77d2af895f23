"""Expressions are parsed and bound, never pasted."""

from __future__ import annotations

import pytest

from metrics_catalog.expressions import (
    InvalidExpression,
    having_filter,
    parse,
    row_expression,
    row_filter,
    values_asked,
)
from metrics_catalog.semantic import EntityValues, Semantics


@pytest.mark.parametrize(
    "text",
    [
        "amount_usd; drop table x",
        "(select 1)",
        "amount_usd in (select amount_usd from marts.fct_sales)",
        "read_csv('/etc/passwd')",
        "getenv('HOME')",
        "amount_usd -- comment",
        "amount_usd /* comment */",
        "current_user",
        "sum(amount_usd)",
        "amount_usd over ()",
        "pg_sleep(10)",
        "",
        "1 +",
        "note || (select 1)",
        "unnest([1])",
        "$1",
        "exists (select 1)",
    ],
)
def test_anything_but_a_plain_expression_is_refused(text: str) -> None:
    with pytest.raises(InvalidExpression):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "metric(lines, by=member) > 1; drop table x",
        "metric(lines; drop table x, by=member) > 1",
        "metric(lines, member) > 1",
        "metric(lines) > 1",
        "metric(lines, on=member) > 1",
        "metric('lines', by=member) > 1",
        "metric(lines, by='member') > 1",
        'metric("lines"" or 1=1", by=member) > 1',
        'metric("指标", by=member) > 1',
        "metric(marts.lines, by=member) > 1",
        "metric((select 1), by=member) > 1",
        "metric(lines, by=(select 1)) > 1",
        "metric(metric(lines, by=store), by=member) > 1",
        "metric(lines, by=member /* comment */) > 1",
        "metric(distinct lines, by=member) > 1",
        "metric(lines, by=member) over () > 1",
        "metric(lines, by=member order by 1) > 1",
        "marts.metric(lines, by=member) > 1",
        "metric(lines, by=member)",
    ],
)
def test_a_metrics_value_is_asked_in_one_way_only(semantics: Semantics, text: str) -> None:
    with pytest.raises(InvalidExpression):
        row_filter(semantics, "sales", text)
    assert values_asked(text) == () or text == "metric(lines, by=member)"


def test_a_metrics_value_is_looked_up_along_the_entity(semantics: Semantics) -> None:
    text = "metric(lines, by=member) >= 5 or not METRIC(lines, by = maker) > 2 and note = '备注'"
    tree, joined = row_filter(semantics, "sales", text)
    assert tree.sql("duckdb") == (
        "lines_of_each_member.value >= 5 OR NOT lines_of_each_maker.value > 2 AND sales.note = '备注'"
    )
    assert [[(join.left_expr, join.right) for join in one.joins] for one in joined] == [
        [("member_id", "lines_of_each_member")],
        [("product_id", "products"), ("maker_id", "lines_of_each_maker")],
    ]
    assert values_asked(text) == (EntityValues("lines", "member"), EntityValues("lines", "maker"))


def test_a_metrics_value_is_asked_in_filters_only(semantics: Semantics) -> None:
    with pytest.raises(InvalidExpression, match=r"the function metric\(\), which is not allowed here"):
        row_expression(semantics, "sales", "metric(lines, by=member)")
    with pytest.raises(InvalidExpression, match='"visit" is no key reached from semantic model "sales"'):
        row_filter(semantics, "sales", "metric(lines, by=visit) > 1")
    with pytest.raises(InvalidExpression, match='"category" is no entity'):
        row_filter(semantics, "sales", "metric(lines, by=category) > 1")


def test_columns_are_qualified_by_the_model_they_are_in(semantics: Semantics) -> None:
    tree, joined = row_filter(semantics, "sales", "category = '生鲜' and units > 1 and country <> 'US'")
    assert tree.sql("duckdb") == "products.category = '生鲜' AND sales.units > 1 AND UPPER(makers.country) <> 'US'"
    assert [[join.right for join in one.joins] for one in joined] == [["products"], ["products", "makers"]]


def test_quotes_in_text_stay_text(semantics: Semantics) -> None:
    tree, _ = row_filter(semantics, "sales", "note = 'it''s; drop table x --'")
    assert tree.sql("duckdb") == "sales.note = 'it''s; drop table x --'"


def test_an_unknown_column_names_the_nearest(semantics: Semantics) -> None:
    with pytest.raises(
        InvalidExpression, match=r'"amout_usd" is not a column of "sales" \(did you mean "amount_usd"\?\)'
    ):
        row_expression(semantics, "sales", "amout_usd")


def test_a_qualified_column_is_refused(semantics: Semantics) -> None:
    with pytest.raises(InvalidExpression, match="without"):
        row_expression(semantics, "sales", "marts.amount_usd")


@pytest.mark.parametrize("text", ["amount_usd", "'yes'", "units + 1", "lower(note)"])
def test_a_filter_must_be_a_condition(semantics: Semantics, text: str) -> None:
    with pytest.raises(InvalidExpression, match="is not a condition"):
        row_filter(semantics, "sales", text)


def test_a_boolean_column_is_a_condition(semantics: Semantics) -> None:
    assert row_filter(semantics, "sales", "is_promoted")[0].sql() == "sales.is_promoted"


def test_having_compares_aggregates_of_own_columns(semantics: Semantics) -> None:
    assert having_filter(semantics, "sales", "count(*) >= 2").sql() == "COUNT(*) >= 2"
    with pytest.raises(InvalidExpression, match="must compare aggregates"):
        having_filter(semantics, "sales", "units >= 2")
    with pytest.raises(InvalidExpression, match="may only use columns"):
        having_filter(semantics, "sales", "count(category) >= 2")
