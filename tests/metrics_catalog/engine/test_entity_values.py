"""Filters on the value of another metric: equal to brute force, kept right by refreshes, by the definitions that hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics_catalog.catalog import Catalog, Era
from metrics_catalog.engine.compute import build_rollups, build_values, values_now
from metrics_catalog.engine.entity_values import values_tables
from metrics_catalog.engine.fingerprint import calculations, joined_columns
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.needs import Cell
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.rollup import rollups

Sale = tuple[int, str, int | None, date, Decimal, bool]
CALENDAR = Calendar()
SPAN = Span(date(2024, 1, 1), date(2024, 4, 1))
MONTHS = {"month": (SPAN,)}
MAKER = {1: 10, 2: 10, 3: 20}
SLICED = {"grains": ["month"], "slices": [["store"], ["store", "category"]]}
METRICS: dict[str, dict[str, Any]] = {
    "revenue": {},
    "lines": {"agg": "count", "expr": None},
    "promoted": {"filter": "is_promoted"},
    "people": {"agg": "count_distinct", "expr": "member_id", "missing": "none"},
    "mean": {"agg": "average"},
    "share": {"type": "ratio", "numerator": "promoted", "denominator": "revenue"},
    "plain": {"type": "derived", "expr": "revenue - promoted"},
    "loyal": {"filter": "metric(lines, by=member) >= 3", **SLICED},
    "rare": {"filter": "metric(lines, by=member) < 3", **SLICED},
    "unknown": {"filter": "metric(lines, by=member) is null", **SLICED},
    "either": {"filter": "metric(revenue, by=member) > 100 or is_promoted", **SLICED},
    "of_makers": {"filter": "metric(lines, by=maker) >= 4", **SLICED},
    "promoting": {"filter": "metric(share, by=store) > 0.5", **SLICED},
    "dear": {"filter": "metric(mean, by=product) >= 50 and not metric(plain, by=store) < 0", **SLICED},
    "met": {"filter": "metric(people, by=store) = 0", **SLICED},
    "nested": {"filter": "metric(loyal, by=store) > 100", **SLICED},
    "loyal_members": {"agg": "count_distinct", "expr": "member_id", "filter": "metric(lines, by=member) >= 3", **SLICED},
    "loyal_middle": {"agg": "median", "filter": "metric(lines, by=member) >= 3", **SLICED},
    "loyal_share": {
        "type": "derived", "expr": "some / revenue",
        "inputs": {"some": {"metric": "revenue", "filter": "metric(lines, by=member) >= 3"}}, **SLICED,
    },
    "loyal_before": {"type": "derived", "expr": "before", "inputs": {"before": {"metric": "loyal", "offset": "1 month"}}, **SLICED},
    "loyal_ever": {"type": "cumulative", "metric": "loyal", **SLICED},
    "loyal_stock": {"filter": "metric(lines, by=member) >= 3", "semi_additive": {"take": "last"}, "grains": ["month"]},
    "returned": {
        "type": "conversion", "base": {"model": "sales", "agg": "count", "filter": "is_promoted"}, "entity": "member", "window": "5 days",
        "conversion": {"model": "sales", "agg": "count", "filter": "not is_promoted and metric(revenue, by=member) > 100"},
        "calculation": "count", "grains": ["month"],
    },
}  # fmt: skip


def grouped(sales: list[Sale], key: Callable[[Sale], Any]) -> dict[Any, list[Sale]]:
    found: dict[Any, list[Sale]] = defaultdict(list)
    for sale in sales:
        if key(sale) is not None:
            found[key(sale)].append(sale)
    return found


def money(sales: list[Sale], promoted: bool = False) -> Decimal | None:
    amounts = [sale[4] for sale in sales if sale[5] or not promoted]
    return sum(amounts, Decimal(0)) if amounts else None


def member(sale: Sale) -> int | None:
    return sale[2]


def store(sale: Sale) -> str:
    return sale[1]


def product(sale: Sale) -> int:
    return sale[0]


def share(sales: list[Sale]) -> Decimal | None:
    total = money(sales)
    return (money(sales, promoted=True) or Decimal(0)) / total if total else None


def kept(name: str, sales: list[Sale]) -> list[Sale]:
    """The rows a filter lets pass, from all rows there are; what is not known passes nothing."""
    by_member, by_store, by_product = grouped(sales, member), grouped(sales, store), grouped(sales, product)
    by_maker = grouped(sales, lambda sale: MAKER.get(sale[0]))
    loyal = [sale for sale in sales if len(by_member.get(sale[2], ())) >= 3]
    of_loyal = grouped(loyal, store)
    tests: dict[str, Callable[[Sale], bool]] = {
        "loyal": lambda sale: sale in loyal,
        "rare": lambda sale: sale[2] is not None and sale not in loyal,
        "unknown": lambda sale: sale[2] is None,
        "either": lambda sale: sale[5] or (money(by_member.get(sale[2], [])) or 0) > 100,
        "of_makers": lambda sale: len(by_maker.get(MAKER.get(sale[0]), ())) >= 4,
        "promoting": lambda sale: (share(by_store[sale[1]]) or 0) > Decimal("0.5"),
        "dear": lambda sale: (
            (money(by_product[sale[0]]) or 0) / len(by_product[sale[0]]) >= 50
            and (money(by_store[sale[1]]) or 0) - (money(by_store[sale[1]], promoted=True) or 0) >= 0
        ),
        "met": lambda sale: all(one[2] is None for one in by_store[sale[1]]),
        "nested": lambda sale: (money(of_loyal.get(sale[1], [])) or 0) > 100,
    }
    return [sale for sale in sales if tests[name](sale)]


SALES = st.tuples(
    st.integers(1, 4),
    st.sampled_from(["上海一店", "北京'店"]),
    st.none() | st.integers(1, 4),
    st.dates(date(2023, 12, 10), date(2024, 4, 10)),
    st.decimals(-50, 200, places=2),
    st.booleans(),
)


def fill(con: duckdb.DuckDBPyConnection, sales: list[Sale]) -> None:
    con.execute("delete from marts.fct_sales")
    rows = [(n, one[0], one[1], one[2], one[3], one[4], 1, one[5], None) for n, one in enumerate(sales)]
    if rows:
        con.executemany("insert into marts.fct_sales values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


@pytest.fixture(scope="module")
def catalog(catalogs: Callable[..., Catalog], tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return catalogs(tmp_path_factory.mktemp("entities"), METRICS)


def by_month(sales: list[Sale]) -> dict[tuple[date, tuple[Any, ...]], list[Sale]]:
    category = {1: "生鲜", 2: "日用品"}
    found: dict[tuple[date, tuple[Any, ...]], list[Sale]] = defaultdict(list)
    for one in sales:
        if one[3] in SPAN:
            for members in ((), (one[1],), (one[1], category.get(one[0]))):
                found[one[3].replace(day=1), members].append(one)
    return found


FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=12, deadline=None, suppress_health_check=FIXTURES)
@given(sales=st.lists(SALES, max_size=25, unique=True))
def test_equal_to_brute_force(
    catalog: Catalog, engine_values: Any, warehouse: duckdb.DuckDBPyConnection, sales: list[Sale]
) -> None:
    fill(warehouse, sales)
    values = engine_values(warehouse, catalog, MONTHS)
    found = {(name, period, members): value for (name, _, period, _, members), value in values.items()}

    def of(name: str) -> dict[tuple[date, tuple[Any, ...]], Decimal]:
        return {key[1:]: value for key, value in found.items() if key[0] == name}

    for name in ("loyal", "rare", "unknown", "either", "of_makers", "promoting", "dear", "met", "nested"):
        assert of(name) == {key: money(rows) for key, rows in by_month(kept(name, sales)).items()}, name
    loyal, every = by_month(kept("loyal", sales)), by_month(sales)
    assert of("loyal_members") == {key: len({one[2] for one in rows}) for key, rows in loyal.items()}
    assert set(of("loyal_middle")) == set(loyal)
    shares = {key: (money(loyal.get(key, [])) or 0) / total for key, rows in every.items() if (total := money(rows))}
    rates = {key: float(value) for key, value in of("loyal_share").items()}
    assert rates == pytest.approx({key: float(value) for key, value in shares.items()}, abs=1e-6)
    months = [date(2024, month, 1) for month in (1, 2, 3)]
    for members in ((), ("上海一店",)):
        before = {month: of("loyal").get((month, members)) for month in months}
        looked = [of("loyal_before").get((month, members)) for month in months[1:]]
        assert looked == [before[month] for month in months[:2]]
        so_far = [money([one for one in kept("loyal", sales) if one[3] < end and (not members or one[1] in members)])
                  for end in (date(2024, 2, 1), date(2024, 3, 1), SPAN.end)]  # fmt: skip
        assert [of("loyal_ever").get((month, members)) for month in months] == so_far
    last = {month: max((one[3] for one in loyal.get((month, ()), ())), default=None) for month in months}
    stocks = {
        month: money([one for one in kept("loyal", sales) if one[3] == day]) for month, day in last.items() if day
    }
    assert {key[0]: value for key, value in of("loyal_stock").items()} == stocks


def test_what_looks_up_is_not_stored_and_what_else_is_stays_so(catalog: Catalog) -> None:
    stored = {one.name for rollup in rollups(catalog).every for one in rollup.components}
    assert not {name for name in stored if name.startswith(("loyal", "rare", "nested", "dear"))}
    assert {"revenue", "lines", "promoted"} <= stored
    assert not formulas(catalog)["loyal"].merges
    assert formulas(catalog)["loyal"].adds_up, "its slices still do"


def test_a_table_is_made_after_those_it_looks_up(catalog: Catalog) -> None:
    names = [one.name for one in values_tables(catalog)]
    assert names.index("lines_of_each_member") < names.index("loyal_of_each_store")
    assert len(names) == len(set(names))


def test_events_that_follow_may_be_picked(
    catalog: Catalog, engine_values: Any, warehouse: duckdb.DuckDBPyConnection
) -> None:
    day = date(2024, 2, 10)
    rich = [(1, "a", 1, day, Decimal(90), True), (1, "a", 1, day.replace(day=12), Decimal(90), False)]
    poor = [(1, "a", 2, day, Decimal(1), True), (1, "a", 2, day.replace(day=12), Decimal(1), False)]
    fill(warehouse, [*rich, *poor])
    values = engine_values(warehouse, catalog, MONTHS)
    assert values["returned", "month", date(2024, 2, 1), (), ()] == 1


def test_another_inner_definition_is_another_calculation(shop: Callable[..., Catalog]) -> None:
    def prints(**inner: Any) -> dict[str, str]:
        metrics = {"lines": {"agg": "count", "expr": None, **inner}, "loyal": METRICS["loyal"]}
        outer = {"sum": {"type": "derived", "expr": "loyal"}}
        return dict(calculations(shop(metrics | outer | {"nested": METRICS["nested"], "other": {}})))

    before, after = prints(), prints(filter="is_promoted")
    assert {name for name in before if before[name] != after[name]} == {"lines", "loyal", "sum", "nested"}
    assert prints(label={"en": "Rows", "zh": "行数"}) == before, "wording is not in it"


def test_members_are_compared_by_whether_they_pass_and_not_by_their_value(shop: Callable[..., Catalog]) -> None:
    columns = joined_columns(shop({name: METRICS[name] for name in ("lines", "revenue", "loyal", "either")}))
    assert list(columns["lines_of_each_member"]) == ["key member", "lines_of_each_member.value >= 3"]
    assert list(columns["revenue_of_each_member"]) == ["key member", "revenue_of_each_member.value"]


def test_earlier_periods_keep_the_inner_definition_they_had(
    shop: Callable[..., Catalog], warehouse: duckdb.DuckDBPyConnection, engine_values: Any
) -> None:
    inner = {"agg": "count", "expr": None}
    newest = shop({"lines": {**inner, "filter": "is_promoted"}, "loyal": METRICS["loyal"]})
    until = date(2024, 2, 1)
    earlier = replace(shop({"lines": inner, "loyal": METRICS["loyal"]}), later=newest, until=until)
    catalog = replace(newest, eras=(Era(until, earlier),))
    tables = {one.name: one for one in values_tables(catalog)}
    assert list(tables) == ["lines_of_each_member", "lines_of_each_member__until_20240201"]
    fill(warehouse, [(1, "a", 1, date(2024, month, day), Decimal(10), False) for month in (1, 2) for day in (1, 2)])
    build_values(warehouse, catalog)
    build_rollups(warehouse, catalog)
    lines = {name: warehouse.execute(f"select value from metrics.{name}").fetchall() for name in tables}
    assert lines == {"lines_of_each_member": [(None,)], "lines_of_each_member__until_20240201": [(4,)]}
    same = replace(shop({"lines": inner, "loyal": METRICS["loyal"]}), later=earlier, until=until)
    assert [one.name for one in values_tables(same)] == ["lines_of_each_member__until_20240201"], "shared"


def test_a_preview_needs_no_table_and_leaves_none(
    shop: Callable[..., Catalog], warehouse: duckdb.DuckDBPyConnection
) -> None:
    fill(warehouse, [(1, "a", 1 + n % 2, date(2024, 2, 1 + n), Decimal(10), n < 2) for n in range(5)])
    inner = {"agg": "count", "expr": None, "grains": ["month"]}
    after = shop({"lines": inner, "loyal": METRICS["loyal"]})
    before = shop({"lines": {**inner, "filter": "is_promoted"}, "loyal": METRICS["loyal"]})
    before = replace(before, later=after, until=date.max)
    cells: dict[Cell, list[str]] = {("month", ()): ["loyal"]}
    asked = [(one, cells) for one in (before, after)]
    old, new = values_now(warehouse, asked, {"month": (Span(date(2024, 2, 1), date(2024, 3, 1)),)}, CALENDAR)
    assert ([row["value"] for row in old], [row["value"] for row in new]) == ([], [30])
    left = warehouse.execute("select table_name from duckdb_tables() where table_name like '%_of_each_%'").fetchall()
    assert left == []
