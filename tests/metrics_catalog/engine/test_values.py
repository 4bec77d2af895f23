"""Values equal to what a person would compute from the rows, for every aggregation, grain and slice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.windows import windows
from metrics_catalog.spec.base import OF_DAYS

CALENDAR = Calendar()
YEAR = Span(date(2024, 1, 1), date(2025, 1, 1))
CATEGORY = {1: "生鲜", 2: "日用品", 3: None}
COUNTRY = {1: "CN", 2: "CN", 3: "US"}

METRICS: dict[str, dict[str, Any]] = {
    "revenue": {},
    "promoted": {"filter": "is_promoted"},
    "fresh": {"filter": "category = '生鲜'"},
    "lines": {"agg": "count", "expr": None},
    "noted": {"agg": "count", "expr": "note"},
    "smallest": {"agg": "min"},
    "largest": {"agg": "max", "filter": "units > 1"},
    "mean": {"agg": "average"},
    "middle": {"agg": "median"},
    "ninth": {"agg": "percentile", "percentile": 0.9, "filter": "units >= 1"},
    "members": {"agg": "count_distinct", "expr": "member_id"},
    "promoted_members": {"agg": "count_distinct", "expr": "member_id", "filter": "is_promoted"},
    "repeaters": {"agg": "count_distinct", "expr": "member_id", "having": "count(*) >= 2"},
    "spenders": {
        "agg": "count_distinct", "expr": "member_id", "filter": "is_promoted", "having": "sum(amount_usd) > 10 and count(distinct store_id) >= 1",
    },
    "share": {"type": "ratio", "numerator": "promoted", "denominator": "revenue"},
    "per_member": {"type": "ratio", "numerator": "revenue", "denominator": "members"},
}  # fmt: skip
SLICES = [["store"], ["product"], ["category"], ["country", "store"]]


@dataclass(frozen=True)
class Sale:
    product: int
    store: str
    member: int | None
    day: date
    amount: Decimal
    units: int
    promoted: bool
    note: str | None


SALES = st.builds(
    Sale,
    product=st.integers(1, 4),  # 4 is in no dimension table
    store=st.sampled_from(["上海一店", "北京'店", "s;--"]),
    member=st.none() | st.integers(1, 4),
    day=st.dates(date(2023, 12, 28), date(2024, 12, 31)) | st.sampled_from([date(2024, 2, 29), date(2024, 3, 1)]),
    amount=st.decimals(-50, 200, places=2),
    units=st.integers(0, 3),
    promoted=st.booleans(),
    note=st.none() | st.just("备注"),
)


def member_of(sale: Sale, dimension: str) -> str | None:
    product = sale.product
    members = {"category": CATEGORY.get(product), "country": COUNTRY.get(product)}
    return {"store": sale.store, "product": str(product), **members}[dimension]


def quantile(values: Iterable[Decimal], fraction: Fraction) -> Decimal | None:
    ordered = [Fraction(value) for value in sorted(values)]
    if not ordered:
        return None
    place = fraction * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return exact(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


def exact(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)


def total(values: list[Decimal]) -> Decimal | None:
    return sum(values, Decimal(0)) if values else None


def per_member(sales: list[Sale], test: Callable[[list[Sale]], bool]) -> int | None:
    groups = defaultdict(list)
    for sale in sales:
        if sale.member is not None:
            groups[sale.member].append(sale)
    return sum(test(group) for group in groups.values()) or None


def expected(metric: str, sales: list[Sale]) -> Decimal | int | None:
    amounts = [sale.amount for sale in sales]
    promoted = [sale for sale in sales if sale.promoted]
    simple: dict[str, Callable[[], Any]] = {
        "revenue": lambda: total(amounts),
        "promoted": lambda: total([sale.amount for sale in promoted]),
        "fresh": lambda: total([sale.amount for sale in sales if sale.product == 1]),
        "lines": lambda: len(sales),
        "noted": lambda: sum(sale.note is not None for sale in sales) or None,
        "smallest": lambda: min(amounts),
        "largest": lambda: max((sale.amount for sale in sales if sale.units > 1), default=None),
        "mean": lambda: exact(Fraction(sum(amounts, Decimal(0))) / len(amounts)),
        "middle": lambda: quantile(amounts, Fraction(1, 2)),
        "ninth": lambda: quantile([sale.amount for sale in sales if sale.units >= 1], Fraction(9, 10)),
        "members": lambda: per_member(sales, lambda group: True),
        "promoted_members": lambda: per_member(promoted, lambda group: True),
        "repeaters": lambda: per_member(sales, lambda group: len(group) >= 2),
        "spenders": lambda: per_member(promoted, lambda group: sum(sale.amount for sale in group) > 10),
    }
    if metric in simple:
        return simple[metric]()
    over, under = {"share": ("promoted", "revenue"), "per_member": ("revenue", "members")}[metric]
    top, bottom = expected(over, sales), expected(under, sales)
    return None if not bottom else exact(Fraction(top or 0) / Fraction(bottom))


def fill(con: duckdb.DuckDBPyConnection, sales: list[Sale]) -> None:
    con.execute("delete from marts.fct_sales")
    rows = [
        (n, s.product, s.store, s.member, s.day, s.amount, s.units, s.promoted, s.note) for n, s in enumerate(sales)
    ]
    if rows:
        con.executemany("insert into marts.fct_sales values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


ValuesOf = Callable[..., dict[tuple[Any, ...], Decimal]]


@pytest.fixture(scope="session")
def values_of(engine_values: Any) -> ValuesOf:
    """All metrics of a catalog in a span: (connection, catalog, span)."""
    closed = date(2024, 12, 31)
    return lambda con, catalog, span=YEAR: engine_values(con, catalog, windows(CALENDAR, OF_DAYS, span, closed, []))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sales=st.lists(SALES, max_size=25))
def test_values_equal_arithmetic_by_hand(
    shop: Any, values_of: ValuesOf, warehouse: duckdb.DuckDBPyConnection, sales: list[Sale]
) -> None:
    fill(warehouse, sales)
    catalog = shop({name: {**keys, "grains": list(OF_DAYS), "slices": SLICES} for name, keys in METRICS.items()})
    found = values_of(warehouse, catalog)
    wanted = {}
    for grain in OF_DAYS:
        for cut in ((), *map(tuple, SLICES)):
            groups = defaultdict(list)
            for sale in sales:
                span = CALENDAR.span(grain, sale.day)
                if span.end <= YEAR.end and span.end > YEAR.start:
                    groups[span.start, tuple(member_of(sale, name) for name in cut)].append(sale)
            for (period, members), group in groups.items():
                for metric in METRICS:
                    value = expected(metric, group)
                    if value is not None:
                        wanted[metric, grain, period, cut, members] = value
    assert set(found) == set(wanted)
    for key, value in wanted.items():
        assert abs(found[key] - value) <= Decimal("0.000001"), key


def test_a_ratio_over_two_facts_keeps_slices_that_only_one_has(
    shop: Any, values_of: ValuesOf, warehouse: duckdb.DuckDBPyConnection
) -> None:
    warehouse.execute(
        "insert into marts.fct_visits values (1, 'a', '2024-05-01'), (2, 'b', '2024-05-01'), (3, 'b', '2024-05-01')"
    )
    warehouse.execute(
        "insert into marts.fct_sales values (1, 1, 'b', 1, '2024-05-01', 30, 1, true, null), (2, 1, 'c', 1, '2024-05-01', 5, 1, true, null)"
    )
    visits = {"model": "visits", "agg": "count", "expr": None, "unit": "count", "slices": [["store"]]}
    catalog = shop(
        {
            "sales": {},
            "visits": visits,
            "per_visit": {"type": "ratio", "numerator": "sales", "denominator": "visits", "slices": [["store"]]},
        }
    )
    found = values_of(warehouse, catalog)
    by_store = {key[4][0]: value for key, value in found.items() if key[0] == "per_visit" and key[3]}
    assert by_store == {"a": 0, "b": 15}, "a store without sales sold 0 per visit; without visits there is no ratio"
    assert found["per_visit", "day", date(2024, 5, 1), (), ()] == Decimal("11.666667")


def test_money_is_exact(shop: Any, values_of: ValuesOf, warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(
        "insert into marts.fct_sales select i, 1, 'a', 1, '2024-05-01', 0.10, 1, true, null from range(100000) r(i)"
    )
    found = values_of(warehouse, shop({"sales": {"grains": ["year"]}}))
    assert found["sales", "year", date(2024, 1, 1), (), ()] == Decimal("10000.000000")


def test_a_percentile_is_exact(shop: Any, values_of: ValuesOf, warehouse: duckdb.DuckDBPyConnection) -> None:
    amounts = ["5.04", "22.72", "31.84", "62.69", "77.60", "81.69", "116.37", "165.11"]
    rows = [(line, amount) for line, amount in enumerate(amounts)]
    warehouse.executemany("insert into marts.fct_sales values ($1, 1, 'a', 1, '2024-05-01', $2, 1, true, null)", rows)
    found = values_of(warehouse, shop({"ninth": {"agg": "percentile", "percentile": 0.9}}))
    assert found["ninth", "day", date(2024, 5, 1), (), ()] == Decimal("130.992"), "not 130.991999"


def test_a_median_of_large_amounts_is_exact(
    shop: Any, values_of: ValuesOf, warehouse: duckdb.DuckDBPyConnection
) -> None:
    rows = [(1, "1000000000000.01"), (2, "1000000000000.02")]
    warehouse.executemany("insert into marts.fct_sales values ($1, 1, 'a', 1, '2024-05-01', $2, 1, true, null)", rows)
    metrics = {"middle": {"agg": "median"}, "middle_unit": {"agg": "median", "expr": "units + line_id"}}
    found = values_of(warehouse, shop({**metrics, "middle_line": {"agg": "median", "expr": "line_id"}}))
    of_day = {key[0]: value for key, value in found.items()}
    assert of_day == {
        "middle": Decimal("1000000000000.015"),
        "middle_unit": Decimal("2.5"),
        "middle_line": Decimal("1.5"),
    }


def test_division_by_zero_is_no_data(shop: Any, values_of: ValuesOf, warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("insert into marts.fct_sales values (1, 1, 'a', 1, '2024-05-01', 0, 1, true, null)")
    found = values_of(
        warehouse, shop({"sales": {}, "share": {"type": "ratio", "numerator": "sales", "denominator": "sales"}})
    )
    assert [key for key in found if key[0] == "share"] == []


@pytest.mark.parametrize("split", [date(2024, 2, 1), date(2024, 7, 15)])
def test_two_partial_computations_equal_one(
    shop: Any, values_of: ValuesOf, warehouse: duckdb.DuckDBPyConnection, split: date
) -> None:
    warehouse.execute(
        "insert into marts.fct_sales select i, i % 4, 'store ' || i % 5, i % 9, date '2024-01-01' + (i * 7 % 366)::int, i % 50, i % 3, i % 2 = 0, null from range(3000) r(i)"
    )
    catalog = shop(
        {name: {**keys, "grains": ["day", "week", "month"], "slices": SLICES} for name, keys in METRICS.items()}
    )
    whole = values_of(warehouse, catalog)
    parts = values_of(warehouse, catalog, Span(YEAR.start, split)) | values_of(
        warehouse, catalog, Span(split, YEAR.end)
    )
    assert parts == whole
