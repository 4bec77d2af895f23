"""Words become queries; what cannot be understood is quoted back."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from metrics_catalog.engine.query import Filter, InvalidQuery
from metrics_catalog.query_text import parse_as_of, parse_filter, parse_query
from metrics_catalog.spec.base import GRAINS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("brand=Private", Filter("brand", "=", ("Private",))),
        ("类别 != 生鲜", Filter("类别", "!=", ("生鲜",))),
        ("store in 367,406", Filter("store", "in", ("367", "406"))),
        ('department NOT IN "MEAT, FRESH", DELI', Filter("department", "not in", ("MEAT, FRESH", "DELI"))),
        ("department=DRUG, GM", Filter("department", "=", ("DRUG, GM",))),
        ("department=", Filter("department", "=", (None,))),
        ("note=a=b", Filter("note", "=", ("a=b",))),
        ("note=x' or 1=1 --", Filter("note", "=", ("x' or 1=1 --",))),
    ],
)
def test_filters(text: str, expected: Filter) -> None:
    assert parse_filter(text) == expected


@pytest.mark.parametrize("text", ["brand", "brand > 1", "= 3", ""])
def test_what_is_no_filter_is_quoted(text: str) -> None:
    with pytest.raises(InvalidQuery, match="is not a filter"):
        parse_filter(text)


def test_both_ends_of_a_range_count() -> None:
    query = parse_query(["a"], "day", ["x, y", "z"], [], "2017-02", "2017-12")
    assert (query.start, query.end) == (date(2017, 2, 1), date(2018, 1, 1))
    assert query.by == ("x", "y", "z")
    assert parse_query(["a"], "day", start="2017", end="2017-03-05").end == date(2017, 3, 6)


def test_bad_words_are_quoted() -> None:
    with pytest.raises(InvalidQuery, match='"fortnight" is not a grain'):
        parse_query(["a"], "fortnight")
    with pytest.raises(InvalidQuery, match="use one of hour, day, week, month, quarter, year, fiscal_month"):
        parse_query(["a"], "fortnight", grains=(*GRAINS, "fiscal_month"))
    assert parse_query(["a"], "fiscal_month", grains=(*GRAINS, "fiscal_month")).grain == "fiscal_month"
    with pytest.raises(InvalidQuery, match='"2017-13" is not a day'):
        parse_query(["a"], "day", start="2017-13")


def test_as_of() -> None:
    assert parse_as_of("7") == 7
    assert parse_as_of("2017-05-03") == date(2017, 5, 3)
    assert parse_as_of("2017-05-03T18:00") == datetime(2017, 5, 3, 18)
    with pytest.raises(InvalidQuery):
        parse_as_of("yesterday")
