from __future__ import annotations

import pytest

from expectations.conditions import ConditionError, columns, parse


def test_a_comparison_with_chinese_text() -> None:
    assert parse('col("渠道") == "门店"') == {
        "type": "comparison",
        "column": {"name": "渠道"},
        "operator": "==",
        "parameter": "门店",
    }


@pytest.mark.parametrize(
    ("text", "operator", "parameter"),
    [
        ("col('q') >= -1.5", ">=", -1.5),
        ('col("q") in ["a", "b"]', "IN", ["a", "b"]),
        ('col("q") not in (1, 2)', "NOT_IN", [1, 2]),
        ('col("day") < date("2017-06-01")', "<", "2017-06-01"),
    ],
)
def test_operators_and_values(text: str, operator: str, parameter: object) -> None:
    condition = parse(text)
    assert (condition["operator"], condition["parameter"]) == (operator, parameter)


def test_nullity_and_groups() -> None:
    condition = parse('col("a").notnull() and col("b").isnull() or col("c") > 0')
    assert [inner["type"] for inner in condition["conditions"]] == ["and", "comparison"]
    assert list(columns(condition)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('col("a") =', "cannot read"),
        ("a > 1", "must be a column"),
        ('col("a") > col("b")', "must be a number, a text or a list"),
        ('col("a") in "x"', "with a list by in"),
        ('col("a") > 1 and (col("b") > 1 or col("c") > 1)', 'an "or" cannot be inside an "and"'),
        ('__import__("os").system("ls")', "cannot read"),
        ('col("a") > True + __import__("os")', "must be a number"),
        ('1 < col("a") < 3', "cannot read"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, message: str) -> None:
    with pytest.raises(ConditionError, match=message):
        parse(text)
