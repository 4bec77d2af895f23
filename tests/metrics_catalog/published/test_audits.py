from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from metrics_catalog.published.audits import SHOWN
from metrics_catalog.published.model import AuditRules, Scope
from metrics_catalog.published.publisher import Publisher

DAY = date(2024, 1, 1)  # a Monday
EVER = [
    Scope("sales", grain, date.min, date.max) for grain in ("day", "week", "month", "quarter", "year", "hour", "decade")
]


@pytest.fixture
def judge(tmp_path, kit):
    """Messages of the audit's findings, as (rule, text)."""

    def judged(*tables, rules=None, scopes=EVER, **about):
        with Publisher(tmp_path).open(kit.info(**about)) as draft:
            for table in tables:
                draft.add(table)
            draft.replaces(scopes)
            report = draft.audit(rules or AuditRules())
        return [(finding.rule, str(finding)) for finding in report.findings]

    return judged


def put(table, column, value):
    at = table.column_names.index(column)
    return table.set_column(at, column, pa.array([value] * table.num_rows, table.schema.field(column).type))


def test_good_rows_have_no_findings(judge, kit):
    good = [("sales", DAY, {}, 3), ("sales", DAY, {"店": "北"}, 1), ("sales", DAY, {"店": None}, 2)]
    assert judge(kit.rows(good), rules=AuditRules(additive=frozenset({"sales"}))) == []


@pytest.mark.parametrize(
    ("grain", "begins", "inside"),
    [
        ("week", DAY, DAY + timedelta(days=1)),
        ("month", date(2024, 2, 1), date(2024, 2, 2)),
        ("quarter", date(2024, 4, 1), date(2024, 5, 1)),
        ("year", date(2024, 1, 1), date(2024, 7, 1)),
    ],
)
def test_periods_begin_where_their_grain_does(judge, kit, grain, begins, inside):
    assert judge(kit.rows([("sales", begins, {}, 1)], grain=grain)) == []
    [(rule, text)] = judge(kit.rows([("sales", inside, {}, 1)], grain=grain))
    assert rule == "periods_closed"
    assert f"does not begin a {grain}" in text


def test_weeks_may_begin_on_sunday(judge, kit):
    rows = kit.rows([("sales", DAY - timedelta(days=1), {}, 1)], grain="week")
    assert judge(rows, rules=AuditRules(week_start=6)) == []
    assert judge(rows)[0][0] == "periods_closed"


def test_a_period_is_closed_when_its_last_day_is(judge, kit):
    rows = kit.rows([("sales", date(2024, 12, 1), {}, 1)], grain="month")
    assert judge(rows, closed_through=date(2024, 12, 31)) == []
    [(_, text)] = judge(rows, closed_through=date(2024, 12, 30))
    assert "ends before 2025-01-01, closed through 2024-12-30" in text


def test_an_unknown_grain(judge, kit):
    [(rule, text)] = judge(kit.rows([("sales", DAY, {}, 1)], grain="decade"))
    assert (rule, "grain is not one of hour, day, week" in text) == ("periods_closed", True)


def test_a_period_of_an_own_grain_is_one_that_the_calendar_knows_and_is_over(judge, kit):
    def said(day: date, closed_through: date) -> list[str]:
        rules = AuditRules(periods={"fiscal_month": [(DAY, DAY + timedelta(days=28))]})
        found = judge(
            kit.rows([("sales", day, {}, 1)], grain="fiscal_month"), rules=rules, closed_through=closed_through
        )
        return [text for rule, text in found if rule == "periods_closed"]

    assert said(DAY, DAY + timedelta(days=27)) == []
    assert "period is not closed" in said(DAY, DAY + timedelta(days=26))[0]
    assert "period does not begin a fiscal_month" in said(DAY + timedelta(days=1), DAY + timedelta(days=27))[0]
    assert "has no such period" in said(DAY + timedelta(days=28), DAY + timedelta(days=60))[0]


@pytest.mark.parametrize("column", ["metric", "grain", "period", "slice", "definition"])
def test_an_empty_key_column(judge, kit, column):
    found = judge(put(kit.rows([("sales", DAY, {}, 1)]), column, None))
    assert ("keys_present", True) in [(rule, "key column is empty" in text) for rule, text in found]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_numbers_that_are_no_decimal(judge, kit, value):
    rows = kit.rows([("sales", DAY, {}, 1)])
    rows = rows.set_column(rows.column_names.index("value"), "value", pa.array([value]))
    [(rule, text)] = judge(rows)
    assert (rule, "not a finite decimal(28,6): value" in text) == ("numbers_fit", True)


def test_the_same_key_twice_even_in_two_streams(judge, kit):
    row = kit.rows([("sales", DAY, {"店": None}, 1)])
    [(rule, text)] = judge(row, row)
    assert (rule, "appears 2 times" in text) == ("keys_unique", True)


def test_members_outside_the_slice(judge, kit):
    rows = put(kit.rows([("sales", DAY, {"店": "北"}, 1)]), "slice", "")
    assert [rule for rule, _ in judge(rows)] == ["members_match_slice"]


@pytest.mark.parametrize("name", ["城市", "店,店", "店,城市"])
def test_a_slice_of_unknown_or_repeated_dimensions(judge, kit, name):
    found = judge(put(kit.rows([("sales", DAY, {"店": "北"}, 1)]), "slice", name))
    assert [rule for rule, _ in found] == ["members_match_slice"]


def test_a_dimension_the_catalog_does_not_know(judge, kit):
    rows = kit.rows([("sales", DAY, {"店": "北"}, 1)])
    assert [rule for rule, _ in judge(rows, rules=AuditRules(dimensions=frozenset({"城市"})))] == [
        "members_match_slice"
    ]


def test_a_value_over_a_denominator_of_zero(judge, kit):
    assert [r for r, _ in judge(kit.rows([("sales", DAY, {}, 1)], denominator=0))] == ["values_have_denominators"]
    assert judge(kit.rows([("sales", DAY, {}, None)], denominator=0)) == []


def test_rows_outside_the_declared_scopes(judge, kit):
    scopes = [kit.days("sales", DAY, DAY + timedelta(days=2))]
    inside, after = ("sales", DAY + timedelta(days=1), {}, 1), ("sales", DAY + timedelta(days=2), {}, 1)
    [(rule, text)] = judge(kit.rows([inside, after]), scopes=scopes)
    assert (rule, "2024-01-03" in text) == ("rows_in_scope", True)
    assert judge(kit.rows([("other", DAY, {}, 1)]), scopes=scopes)[0][0] == "rows_in_scope"


def test_additive_slices_add_up_exactly(judge, kit):
    def rows(part):
        return kit.rows(
            [("sales", DAY, {}, "0.3"), ("sales", DAY, {"店": "a"}, "0.1"), ("sales", DAY, {"店": "b"}, part)]
        )

    rules = AuditRules(additive=frozenset({"sales"}))
    assert judge(rows("0.2"), rules=rules) == []
    [(rule, text)] = judge(rows("0.200001"), rules=rules)
    assert rule == "slices_add_up"
    assert "sales day 2024-01-01 店: values add up to 0.300001, the total is 0.300000" in text
    assert judge(rows("0.9"), rules=AuditRules(additive=frozenset({"other"}))) == []


def test_hours_add_up_over_slices_and_are_closed_with_their_day(judge, kit):
    def rows(part):
        hours = [({"at": "2024-01-01 05:00:00"}, 1), ({"at": "2024-01-01 06:00:00"}, 2)]
        stores = [({**hour, "店": "a"}, value if number == 0 else part) for number, (hour, value) in enumerate(hours)]
        return kit.rows([("sales", DAY, members, value) for members, value in (*hours, *stores)], grain="hour")

    rules = AuditRules(additive=frozenset({"sales"}))
    assert judge(rows(2), rules=rules) == []
    [(rule, text)] = judge(rows(3), rules=rules)
    assert (rule, "at,店: values add up to 4.000000, the total is 3.000000" in text) == ("slices_add_up", True)
    [(rule, text), *_] = judge(rows(2), closed_through=DAY - timedelta(days=1))
    assert (rule, "it ends before 2024-01-02" in text) == ("periods_closed", True)


def test_a_slice_with_no_rows_does_not_add_up_to_a_total(judge, kit):
    following = DAY + timedelta(days=1)
    rows = [("sales", DAY, {}, 1), ("sales", DAY, {"店": "a"}, 1), ("sales", following, {}, 1)]
    [(_, text)] = judge(kit.rows(rows), rules=AuditRules(additive=frozenset({"sales"})))
    assert "2024-01-02 店: values add up to 0.000000, the total is 1.000000" in text


def test_slices_without_a_total(judge, kit):
    [(_, text)] = judge(kit.rows([("sales", DAY, {"店": "a"}, 1)]), rules=AuditRules(additive=frozenset({"sales"})))
    assert "has slices but no total" in text


@pytest.mark.parametrize("part", ["numerator", "denominator"])
def test_additive_parts_of_ratios_add_up(judge, kit, part):
    rows = [("sales", DAY, {}, 1), ("sales", DAY, {"店": "a"}, 1), ("sales", DAY, {"店": "b"}, 1)]
    table = kit.rows(rows, numerator=Decimal(2), denominator=Decimal(2))
    rules = replace(AuditRules(), **{f"additive_{part}s": frozenset({"sales"})})
    [(_, text)] = judge(table, rules=rules)
    assert f"{part}s add up to 4.000000, the total is 2.000000" in text


def test_findings_are_limited_but_counted(tmp_path, kit):
    days = [("sales", DAY + timedelta(days=n), {}, 1) for n in range(300)]
    with Publisher(tmp_path).open(kit.info(closed_through=date(2023, 1, 1))) as draft:
        draft.add(kit.rows(days))
        draft.replaces(EVER)
        report = draft.audit(AuditRules())
    assert len(report.findings) == SHOWN
    assert report.counts == {("periods_closed", "sales"): 300}
    assert report.without({"sales"}).total == 0


def test_a_row_without_metric_cannot_be_left_out(tmp_path, kit):
    with Publisher(tmp_path).open(kit.info()) as draft:
        draft.add(put(kit.rows([("sales", DAY, {}, 1)]), "metric", None))
        draft.replaces(EVER)
        report = draft.audit(AuditRules())
    assert report.without({"sales"}).failed == {None}
