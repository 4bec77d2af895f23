"""Derived, offset, cumulative, semi-additive and conversion metrics equal brute force over the rows, cell by cell.

The oracle knows nothing of plans: for each period it takes the rows of the days a metric means, and does the arithmetic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import median
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.metric_models import stored_query
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.plan import plan
from metrics_catalog.engine.rollup import rollups
from metrics_catalog.engine.text import rendered
from metrics_catalog.engine.windows import Windows, windows
from metrics_catalog.spec.base import Grain

CALENDAR = Calendar()
SPAN = Span(date(2024, 2, 1), date(2024, 4, 1))
GRAINS: tuple[Grain, ...] = ("day", "week", "month")
CATEGORY = {1: "生鲜", 2: "日用品", 3: None}


@dataclass(frozen=True)
class Sale:
    product: int
    store: str
    member: int | None
    day: date
    amount: Decimal
    promoted: bool


Rows = list[Sale]
Value = Fraction | None
Metric = Callable[[Rows, Grain, Span], Value]


def exact(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.000001"))


def during(rows: Rows, span: Span) -> Rows:
    return [row for row in rows if row.day in span]


def revenue(rows: Rows, promoted: bool = False) -> Value:
    amounts = [row.amount for row in rows if row.promoted or not promoted]
    return Fraction(sum(amounts, Decimal(0))) if amounts else None


def members(rows: Rows, times: int = 1) -> Value:
    seen: dict[int, int] = defaultdict(int)
    for row in rows:
        if row.member is not None:
            seen[row.member] += 1
    return Fraction(sum(count >= times for count in seen.values())) or None


def zero(*values: Value) -> list[Fraction] | None:
    """None of what adds up is 0 next to something; None when there is nothing at all."""
    return [one or Fraction(0) for one in values] if any(one is not None for one in values) else None


def over(top: Value, bottom: Value) -> Value:
    return None if not bottom or top is None else top / bottom


def last(span: Span) -> date:
    return span.end - timedelta(days=1)


def rolling(days: int) -> Callable[[Span], Span]:
    return lambda span: Span(span.end - timedelta(days=days), span.end)


def back(days: int) -> Callable[[Grain, Span], Span]:
    return lambda grain, span: CALENDAR.span(grain, span.start - timedelta(days=days))


def to_month(span: Span) -> Span:
    return Span(last(span).replace(day=1), span.end)


def month_before(grain: Grain, span: Span) -> Span:
    if grain == "week":
        return CALENDAR.span(grain, span.start - timedelta(weeks=4))
    day, year, month = span.start, span.start.year - (span.start.month == 1), (span.start.month - 2) % 12 + 1
    while day.day:
        try:
            return CALENDAR.span(grain, date(year, month, day.day))
        except ValueError:
            day -= timedelta(days=1)
    raise AssertionError


def previous(grain: Grain, span: Span) -> Span:
    return CALENDAR.span(grain, span.start - timedelta(days=1))


def growth(rows: Rows, grain: Grain, span: Span) -> Value:
    values = zero(revenue(during(rows, span)), revenue(during(rows, previous(grain, span))))
    if values is None:
        return None
    ratio = over(values[0], values[1])
    return None if ratio is None else ratio - 1


def stock(rows: Rows, take: Callable[..., date], per: bool) -> Value:
    if not rows:
        return None
    groups: dict[str, Rows] = defaultdict(list)
    for row in rows:
        groups[row.store if per else ""].append(row)
    kept = [row for group in groups.values() for row in group if row.day == take(one.day for one in group)]
    return revenue(kept)


def conversions(rows: Rows, span: Span, days: int = 5) -> tuple[Value, Value]:
    """Promoted lines that the same member follows with a line that is not: (base events, conversions) in ``span``."""
    bases = [row for row in rows if row.promoted and row.member is not None]
    followed = Fraction(0)
    for row in rows:
        if row.promoted or row.member is None:
            continue
        before = [one.day for one in bases if one.member == row.member and one.day <= row.day]
        if before and max(before) in span and row.day < max(before) + timedelta(days=days):
            followed += 1
    every = Fraction(sum(row.promoted for row in during(rows, span))) or None
    return every, followed or None


CUMULATIVE = {"type": "cumulative"}
METRICS: dict[str, dict[str, Any]] = {
    "revenue": {},
    "promoted": {"filter": "is_promoted"},
    "members": {"agg": "count_distinct", "expr": "member_id"},
    "repeaters": {"agg": "count_distinct", "expr": "member_id", "having": "count(*) >= 2"},
    "middle": {"agg": "median"},
    "share": {"type": "ratio", "numerator": "promoted", "denominator": "revenue"},
    "plain": {"type": "derived", "expr": "revenue - promoted"},
    "per_member": {"type": "derived", "expr": "2 * revenue / (members + 1)"},
    "other": {"type": "derived", "expr": "revenue - kept", "inputs": {"kept": {"metric": "revenue", "filter": "is_promoted"}}},
    "growth": {"type": "derived", "expr": "revenue / before - 1", "inputs": {"before": {"metric": "revenue", "offset": "previous"}}},
    "monthly": {"type": "derived", "expr": "revenue - before", "inputs": {"before": {"metric": "revenue", "offset": "1 month"}}},
    "shares_before": {"type": "derived", "expr": "before", "inputs": {"before": {"metric": "share", "offset": "4 weeks"}}, "grains": ["day", "week"]},
    "since_start": {"type": "derived", "expr": "revenue - start", "inputs": {"start": {"metric": "revenue", "offset": "start of month"}}, "grains": ["day"]},
    "rolling": {**CUMULATIVE, "metric": "revenue", "window": "10 days"},
    "rolling_share": {**CUMULATIVE, "metric": "share", "window": "2 weeks"},
    "rolling_month": {**CUMULATIVE, "metric": "revenue", "window": "1 month"},
    "rolling_members": {**CUMULATIVE, "metric": "members", "window": "10 days"},
    "rolling_repeaters": {**CUMULATIVE, "metric": "repeaters", "window": "10 days"},
    "rolling_middle": {**CUMULATIVE, "metric": "middle", "window": "10 days"},
    "rolling_max": {**CUMULATIVE, "metric": {"model": "sales", "agg": "max", "expr": "amount_usd"}, "window": "10 days"},
    "to_month": {**CUMULATIVE, "metric": "revenue", "to_date": "month"},
    "members_to_month": {**CUMULATIVE, "metric": "members", "to_date": "month"},
    "ever": {**CUMULATIVE, "metric": "revenue"},
    "members_ever": {**CUMULATIVE, "metric": "members"},
    "monthly_rolling": {"type": "derived", "expr": "rolling - before", "inputs": {"before": {"metric": "rolling", "offset": "1 month"}}},
    "stock": {"semi_additive": {"take": "last"}},
    "opening": {"semi_additive": {"take": "first", "per": ["store"]}},
    "converted": {
        "type": "conversion", "base": {"model": "sales", "agg": "count", "filter": "is_promoted"}, "entity": "member",
        "conversion": {"model": "sales", "agg": "count", "filter": "not is_promoted"}, "window": "5 days", "calculation": "count",
    },
    "conversion_rate": {
        "type": "conversion", "base": {"model": "sales", "agg": "count", "filter": "is_promoted"}, "entity": "member",
        "conversion": {"model": "sales", "agg": "count", "filter": "not is_promoted"}, "window": "5 days",
    },
}  # fmt: skip
NOT_SLICED = {"converted", "conversion_rate"}  # a conversion belongs to its base event's slice, not to its own
SLICES = [["category", "store"]]


def of(measure: Callable[[Rows], Value], reach: Callable[[Span], Span] = lambda span: span) -> Metric:
    return lambda rows, grain, span: measure(during(rows, reach(span)))


def share(rows: Rows) -> Value:
    total = revenue(rows)
    return over(revenue(rows, promoted=True) or Fraction(0), total)


def middle(rows: Rows) -> Value:
    return median([Fraction(row.amount) for row in rows]) if rows else None


def difference(one: Value, other: Value) -> Value:
    values = zero(one, other)
    return None if values is None else values[0] - values[1]


def rolled(rows: Rows, span: Span) -> Value:
    return revenue(during(rows, rolling(10)(span)))


EVER = date(1, 1, 1)
ORACLE: dict[str, Metric] = {
    "revenue": of(revenue),
    "promoted": of(lambda rows: revenue(rows, promoted=True)),
    "members": of(members),
    "repeaters": of(lambda rows: members(rows, 2)),
    "middle": of(middle),
    "share": of(share),
    "plain": of(lambda rows: difference(revenue(rows), revenue(rows, promoted=True))),
    "per_member": of(
        lambda rows: None if not rows else 2 * (revenue(rows) or Fraction(0)) / ((members(rows) or Fraction(0)) + 1)
    ),
    "other": of(lambda rows: difference(revenue(rows), revenue(rows, promoted=True))),
    "growth": growth,
    "monthly": lambda rows, grain, span: difference(
        revenue(during(rows, span)), revenue(during(rows, month_before(grain, span)))
    ),
    "shares_before": lambda rows, grain, span: share(during(rows, back(28)(grain, span))),
    "since_start": lambda rows, grain, span: difference(
        revenue(during(rows, span)), revenue(during(rows, CALENDAR.span(grain, span.start.replace(day=1))))
    ),
    "rolling": of(revenue, rolling(10)),
    "rolling_share": of(share, rolling(14)),
    "rolling_month": of(revenue, lambda span: Span(month_before("day", Span(span.end, span.end)).start, span.end)),
    "rolling_members": of(members, rolling(10)),
    "rolling_repeaters": of(lambda rows: members(rows, 2), rolling(10)),
    "rolling_middle": of(middle, rolling(10)),
    "rolling_max": of(lambda rows: max((Fraction(row.amount) for row in rows), default=None), rolling(10)),
    "to_month": of(revenue, to_month),
    "members_to_month": of(members, to_month),
    "ever": of(revenue, lambda span: Span(EVER, span.end)),
    "members_ever": of(members, lambda span: Span(EVER, span.end)),
    "monthly_rolling": lambda rows, grain, span: difference(
        rolled(rows, span), rolled(rows, month_before(grain, span))
    ),
    "stock": of(lambda rows: stock(rows, max, per=False)),
    "opening": of(lambda rows: stock(rows, min, per=True)),
    "converted": lambda rows, grain, span: conversions(rows, span)[1],
    "conversion_rate": lambda rows, grain, span: over(
        conversions(rows, span)[1] or Fraction(0), conversions(rows, span)[0]
    ),
}

SALES = st.builds(
    Sale,
    product=st.integers(1, 4),
    store=st.sampled_from(["上海一店", "北京'店"]),
    member=st.none() | st.integers(1, 3),
    day=st.dates(date(2023, 12, 10), date(2024, 3, 31)) | st.sampled_from([date(2024, 2, 29), date(2024, 1, 31)]),
    amount=st.decimals(-50, 200, places=2),
    promoted=st.booleans(),
)


def fill(con: duckdb.DuckDBPyConnection, sales: Rows) -> None:
    con.execute("delete from marts.fct_sales")
    rows = [(n, s.product, s.store, s.member, s.day, s.amount, 1, s.promoted, None) for n, s in enumerate(sales)]
    if rows:
        con.executemany("insert into marts.fct_sales values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


@pytest.fixture(scope="module")
def catalog(catalogs: Callable[..., Catalog], tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    common = {"grains": list(GRAINS)}
    sliced = {name: [] if name in NOT_SLICED else SLICES for name in METRICS}
    metrics = {name: {**common, "slices": sliced[name], **keys} for name, keys in METRICS.items()}
    return catalogs(tmp_path_factory.mktemp("kinds"), metrics)


ValuesOf = Callable[..., dict[tuple[Any, ...], Decimal]]


def periods(span: Span) -> Windows:
    return windows(CALENDAR, GRAINS, span, last(SPAN), [])


@pytest.fixture(scope="module")
def values_of(catalog: Catalog, engine_values: Any) -> ValuesOf:
    """All metrics in a span: (connection, span)."""
    return lambda con, span=SPAN: engine_values(con, catalog, periods(span))


def by_hand(catalog: Any, sales: Rows, span: Span = SPAN) -> dict[tuple[Any, ...], Decimal]:
    wanted = {}
    for name in catalog.metrics:
        spec = catalog.metrics[name].spec
        for grain in spec.grains:
            for cut in ((), *spec.slices):
                groups: dict[tuple[Any, ...], Rows] = defaultdict(list)
                for sale in sales:
                    of_sale = {"store": sale.store, "category": CATEGORY.get(sale.product)}
                    groups[tuple(of_sale[one] for one in cut)].append(sale)
                for period in CALENDAR.spans(grain, span.start, span.end):
                    if period.end > SPAN.end:
                        continue
                    for group, rows in groups.items():
                        if name in ("stock", "opening") and cut:
                            rows = _of_one_day(name, sales, rows, period)
                        value = ORACLE[name](rows, grain, period)
                        if value is not None:
                            wanted[name, grain, period.start, cut, group] = exact(value)
    return wanted


def _of_one_day(name: str, every: Rows, rows: Rows, period: Span) -> Rows:
    """A stock is taken on one day for all slices (or, an opening one, of each store), so that they add up."""
    if name == "stock":
        days = [sale.day for sale in during(every, period)]
        return [row for row in rows if days and row.day == max(days)]
    first = {
        row.store: min((one.day for one in during(every, period) if one.store == row.store), default=None)
        for row in rows
    }
    return [row for row in rows if row.day == first[row.store]]


MANY = (
    "insert into marts.fct_sales select i, i % 4, 'store ' || i % 3, i % 9, date '2023-12-01' + (i * 7 % 122)::int,"
    " i % 50, i % 3, i % 2 = 0, null from range(900) r(i)"
)
FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=6, deadline=None, suppress_health_check=FIXTURES)
@given(sales=st.lists(SALES, max_size=30))
def test_every_kind_equals_brute_force(
    catalog: Catalog, values_of: ValuesOf, warehouse: duckdb.DuckDBPyConnection, sales: Rows
) -> None:
    fill(warehouse, sales)
    found, wanted = values_of(warehouse), by_hand(catalog, sales)
    assert set(found) == set(wanted)
    for key, value in wanted.items():
        assert abs(found[key] - value) <= Decimal("0.000002"), key


@pytest.mark.parametrize("split", [date(2024, 2, 5), date(2024, 3, 1), date(2024, 3, 30)])
def test_two_refreshes_equal_one(values_of: ValuesOf, warehouse: duckdb.DuckDBPyConnection, split: date) -> None:
    warehouse.execute(MANY)
    parts = values_of(warehouse, Span(SPAN.start, split))
    parts |= values_of(warehouse, Span(split, SPAN.end))
    assert parts == values_of(warehouse)


@settings(max_examples=6, deadline=None, suppress_health_check=FIXTURES)
@given(sales=st.lists(SALES, min_size=1, max_size=20), late=SALES)
def test_a_late_row_changes_only_the_periods_that_are_computed_again(
    catalog: Catalog, values_of: ValuesOf, warehouse: duckdb.DuckDBPyConnection, sales: Rows, late: Sale
) -> None:
    fill(warehouse, sales)
    before = values_of(warehouse)
    fill(warehouse, [*sales, late])
    after = values_of(warehouse)
    known = formulas(catalog)
    for name in catalog.metrics:
        grains = catalog.metrics[name].spec.grains
        settled = SPAN.end + timedelta(days=9)  # when what may follow a base event has followed
        again = windows(CALENDAR, grains, [late.day], settled, [], known[name].terms)
        moved = {key for key in {*before, *after} if key[0] == name and before.get(key) != after.get(key)}
        for _, grain, period, *_ in moved:
            assert any(period in span for span in again.get(grain, ())), (name, grain, period, late)


def test_slices_of_what_adds_up_add_up(
    catalog: Catalog, values_of: ValuesOf, warehouse: duckdb.DuckDBPyConnection
) -> None:
    warehouse.execute(MANY)
    adding = {name for name, formula in formulas(catalog).items() if formula.adds_up}
    assert adding == {
        *("revenue", "promoted", "plain", "other", "monthly", "since_start", "rolling", "rolling_month"),
        *("to_month", "ever", "monthly_rolling", "stock", "opening", "converted"),
    }
    sums: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    found = values_of(warehouse)
    for (name, grain, period, cut, _), value in found.items():
        sums[name, grain, period, cut] += value
    for (name, grain, period, cut, _), value in found.items():
        for other in map(tuple, SLICES) if name in adding - NOT_SLICED and not cut else ():
            assert sums[name, grain, period, other] == value, (name, grain, period, other)


def test_postgres_computes_the_same(
    catalog: Catalog, values_of: ValuesOf, values_in: Any, warehouse: duckdb.DuckDBPyConnection, postgres: str
) -> None:
    import psycopg2

    warehouse.execute(MANY)
    with closing(psycopg2.connect(postgres)) as connection, connection.cursor() as con:
        for (script,) in warehouse.execute("select sql from duckdb_tables() where schema_name = 'marts'").fetchall():
            con.execute(f"create schema if not exists marts; create schema if not exists metrics; {script}")
        for table in ("fct_sales", "dim_products", "dim_makers"):
            rows = warehouse.execute(f"from marts.{table}").fetchall()
            marks = ", ".join(["%s"] * len(rows[0]))
            con.executemany(f"insert into marts.{table} values ({marks})", rows)
        made = plan(catalog, list(catalog.metrics), periods(SPAN), CALENDAR)
        for together in rollups(catalog).tables:
            query = stored_query(catalog, together)
            con.execute(f"create table metrics.{together[0].table} as {rendered(query, 'postgres')}")
        for step in made.steps:
            con.execute(f'create temp table "{step.table}" as {rendered(step.query, "postgres")}')
        con.execute(" union all ".join(values.sql("postgres") for values in made.values))
        assert values_in(con) == pytest.approx(values_of(warehouse), abs=Decimal("0.000002"))
