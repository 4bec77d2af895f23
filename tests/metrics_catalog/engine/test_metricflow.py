"""Every kind of metric equals MetricFlow's, cell by cell; where the two differ, a test says which is right and why.

The same metric is written twice, in a metric file's keys and in the dbt semantic layer's, each with its own means to say
the same thing (``fill_nulls_with: 0``, ``period_agg: last``). Only what cannot be said there is taken out of a comparison,
and each such thing is a test of its own below.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from math import floor
from typing import Any

import pytest

from metrics_catalog.engine.periods import Calendar, Span, months_before
from metrics_catalog.spec.base import OF_DAYS, Grain

Cut = tuple[str, ...]
Cell = tuple[Grain, Cut, date, tuple[Any, ...]]
Rows = dict[Cell, Any]
Keys = dict[str, Any]

CALENDAR = Calendar()
SPAN, LAST = Span(date(2023, 10, 1), date(2025, 1, 1)), date(2024, 12, 31)
GAP = Span(date(2024, 4, 20), date(2024, 6, 6))  # nothing is sold, for more than a month
FIRST_SALE, LAST_SALE = date(2022, 12, 5), date(2025, 2, 14)
GROUP_BY = {"store": "store", "category": "product__category", "country": "product__maker__country"}
SLICES = [["store"], ["category"], ["country"]]
PROMOTED = "{{ Dimension('line__is_promoted') }}"
FRESH = "{{ Dimension('product__category') }} = '生鲜'"
CHINESE = "{{ Dimension('maker__country', entity_path=['product']) }} = 'CN'"

MEASURES: dict[str, dict[str, Keys]] = {
    "sales": {
        "amount": {"agg": "sum", "expr": "amount_usd"},
        "pieces": {"agg": "sum", "expr": "units"},
        "rows": {"agg": "count", "expr": "1"},
        "notes": {"agg": "count", "expr": "note"},
        "people": {"agg": "count_distinct", "expr": "member_id"},
        "least": {"agg": "min", "expr": "amount_usd"},
        "most": {"agg": "max", "expr": "amount_usd"},
        "average": {"agg": "average", "expr": "amount_usd"},
        "half": {"agg": "median", "expr": "cast(amount_usd as double)"},
        "half_of_money": {"agg": "median", "expr": "amount_usd"},
        "nine_tenths": {"agg": "percentile", "expr": "cast(amount_usd as double)", "agg_params": {"percentile": 0.9}},
        "closing": {"agg": "sum", "expr": "units", "non_additive_dimension": {"name": "sold_on", "window_choice": "max"}},
        "opening": {
            "agg": "sum", "expr": "units",
            "non_additive_dimension": {"name": "sold_on", "window_choice": "min", "window_groupings": ["store"]},
        },
        "closing_amount": {
            "agg": "sum", "expr": "amount_usd", "non_additive_dimension": {"name": "sold_on", "window_choice": "max"},
        },
    },
    "visits": {"arrivals": {"agg": "count", "expr": "1"}},
}  # fmt: skip


def simple(measure: str, where: str | None = None, fill: int | None = None) -> Keys:
    filled = {} if fill is None else {"fill_nulls_with": fill}
    return {"type": "simple", "type_params": {"measure": {"name": measure, **filled}}} | (
        {} if where is None else {"filter": where}
    )


def ratio(numerator: str, denominator: str) -> Keys:
    return {"type": "ratio", "type_params": {"numerator": {"name": numerator}, "denominator": {"name": denominator}}}


def derived(expr: str, *metrics: str, **inputs: Keys) -> Keys:
    named = [{"name": name} for name in metrics]
    return {
        "type": "derived",
        "type_params": {"expr": expr, "metrics": [*named, *({"alias": k, **v} for k, v in inputs.items())]},
    }


def back(metric: str, window: str) -> Keys:
    return {"name": metric, "offset_window": window}


def cumulative(metric: str, **keys: str) -> Keys:
    of = {"metric": {"name": metric}, "period_agg": "last"}
    return {"type": "cumulative", "type_params": {"cumulative_type_params": of | keys}}


def conversion(calculation: str, *same: str, event: str = "lines") -> Keys:
    keys: Keys = {
        "entity": "member", "window": "7 days", "calculation": calculation,
        "base_metric": {"name": "promoted_lines"}, "conversion_metric": {"name": event},
    }  # fmt: skip
    if same:
        keys["constant_properties"] = [{"base_property": name, "conversion_property": name} for name in same]
    return {"type": "conversion", "type_params": {"conversion_type_params": keys}}


def offset(expr: str, by: str, metric: str = "revenue", grains: Iterable[Grain] = OF_DAYS) -> Keys:
    return {
        "type": "derived",
        "expr": expr,
        "inputs": {"before": {"metric": metric, "offset": by}},
        "grains": list(grains),
    }


def reach(metric: str, **keys: Any) -> Keys:
    return {"type": "cumulative", "metric": metric, **keys}


def follows(**keys: Any) -> Keys:
    base, event = {"model": "sales", "agg": "count", "filter": "is_promoted"}, {"model": "sales", "agg": "count"}
    return {"type": "conversion", "base": base, "conversion": event, "entity": "member", "window": "7 days", **keys}


def picked(ours: str, theirs: str, measure: str = "amount", **keys: Any) -> tuple[Keys, Keys]:
    """Filtered by the value of another metric."""
    return {"filter": ours, **FEW, **keys}, simple(measure, theirs)


FEW: Keys = {"grains": ["day", "week", "month"], "slices": [["store"], ["country"]]}
# One metric said twice: the keys of our file that differ from a sum of amount_usd, and the dbt semantic layer's.
PAIRS: dict[str, tuple[Keys, Keys]] = {
    "revenue": ({}, simple("amount")),
    "lines": ({"agg": "count", "expr": None}, simple("rows")),
    "noted": ({"agg": "count", "expr": "note"}, simple("notes")),
    "members": ({"agg": "count_distinct", "expr": "member_id"}, simple("people")),
    "smallest": ({"agg": "min"}, simple("least")),
    "largest": ({"agg": "max"}, simple("most")),
    "mean": ({"agg": "average"}, simple("average")),
    "middle": ({"agg": "median"}, simple("half")),
    "ninth": ({"agg": "percentile", "percentile": 0.9}, simple("nine_tenths")),
    "promoted": ({"filter": "is_promoted"}, simple("amount", PROMOTED)),
    "fresh": ({"filter": "category = '生鲜'"}, simple("amount", FRESH)),
    "chinese": ({"filter": "country = 'CN'"}, simple("amount", CHINESE)),
    "promoted_lines": ({"agg": "count", "expr": None, "filter": "is_promoted"}, simple("rows", PROMOTED)),
    "promoted_members": ({"agg": "count_distinct", "expr": "member_id", "filter": "is_promoted"}, simple("people", PROMOTED)),
    "stock": ({"expr": "units", "semi_additive": {"take": "last"}}, simple("closing")),
    "opening_stock": ({"expr": "units", "semi_additive": {"take": "first", "per": ["store"]}}, simple("opening")),
    "visits": ({"model": "visits", "agg": "count", "expr": None, "slices": [["store"]]}, simple("arrivals")),
    "share": ({"type": "ratio", "numerator": "promoted", "denominator": "revenue"}, ratio("promoted_or_0", "revenue")),
    "per_visit": (
        {"type": "ratio", "numerator": "revenue", "denominator": "visits", "slices": [["store"]]},
        ratio("revenue_or_0", "visits"),
    ),
    "full_price": ({"type": "derived", "expr": "revenue - promoted"}, derived("revenue_or_0 - promoted_or_0", "revenue_or_0", "promoted_or_0")),
    "per_member": (
        {"type": "derived", "expr": "2 * revenue / (members + 1)", **FEW},
        derived("2 * revenue_or_0 / (members_or_0 + 1)", "revenue_or_0", "members_or_0"),
    ),
    "week_before": (offset("before", "1 week", grains=("day", "week")), derived("before", before=back("revenue", "1 week"))),
    "month_before": (offset("before", "1 month", grains=("day", "month")), derived("before", before=back("revenue", "1 month"))),
    "year_before": (
        offset("before", "1 year", grains=("day", "month", "quarter", "year")),
        derived("before", before=back("revenue", "1 year")),
    ),
    "month_start": (offset("before", "start of month", grains=["day"]), derived("before", before={"name": "revenue", "offset_to_grain": "month"})),
    "members_before": (
        offset("before", "1 month", "members", ("day", "month")), derived("before", before=back("members", "1 month")),
    ),
    "share_before": (offset("before", "4 weeks", "share", ("day", "week")), derived("before", before=back("share", "4 weeks"))),
    "growth": (
        offset("revenue - before", "1 month", grains=("day", "month")),
        derived("revenue_or_0 - before", "revenue_or_0", before=back("revenue_or_0", "1 month")),
    ),
    "rolling": (reach("revenue", window="10 days", **FEW), cumulative("revenue", window="10 days")),
    "rolling_members": (reach("members", window="10 days", **FEW), cumulative("members", window="10 days")),
    "rolling_largest": (reach("largest", window="2 weeks", **FEW), cumulative("largest", window="2 weeks")),
    "to_week": (reach("revenue", to_date="week", **FEW), cumulative("revenue", grain_to_date="week")),
    "to_month": (reach("revenue", to_date="month"), cumulative("revenue", grain_to_date="month")),
    "to_year": (reach("revenue", to_date="year", **FEW), cumulative("revenue", grain_to_date="year")),
    "members_to_month": (reach("members", to_date="month", **FEW), cumulative("members", grain_to_date="month")),
    "ever": (reach("revenue", **FEW), cumulative("revenue")),
    "members_ever": (reach("members", **FEW), cumulative("members")),
    "loyal": picked("metric(lines, by=member) >= 90", "{{ Metric('lines', group_by=['member']) }} >= 90"),
    "loyal_members": picked(
        "metric(lines, by=member) >= 90", "{{ Metric('lines', ['member']) }} >= 90", "people", agg="count_distinct", expr="member_id"
    ),
    "loyal_or_promoted": picked(
        "metric(revenue, by=member) > 7000 or is_promoted", f"{{{{ Metric('revenue', ['member']) }}}} > 7000 or {PROMOTED}"
    ),
    "strangers": picked("metric(lines, by=member) is null", "{{ Metric('lines', ['member']) }} is null"),
    "of_few_fresh": picked("not metric(fresh, by=member) > 3000", "not {{ Metric('fresh', ['member']) }} > 3000"),
    "of_members": picked("metric(members, by=line) > 0", "{{ Metric('members', ['line']) }} > 0"),
    "promoting": picked("metric(share, by=store) > 0.45", "{{ Metric('share', ['store']) }} > 0.45"),
    "of_dear_stores": picked("metric(mean, by=store) > 88", "{{ Metric('mean', ['store']) }} > 88"),
    "at_full_price": picked("metric(full_price, by=member) > 4000", "{{ Metric('full_price', ['member']) }} > 4000"),
    "visited": picked("metric(visits, by=store) > 130", "{{ Metric('visits', ['store']) }} > 130"),
    "of_loyal_to": picked("metric(loyal, by=store) > 20000", "{{ Metric('loyal', ['store']) }} > 20000"),
    "converted": (follows(calculation="count"), conversion("conversions")),
    "conversion_rate": (follows(), conversion("conversion_rate", event="lines_or_0")),
    "converted_in_store": (follows(calculation="count", same=["store"], **FEW), conversion("conversions", "store")),
}  # fmt: skip
# What a difference is shown with: ours alone, MetricFlow's alone.
OURS: dict[str, Keys] = {
    "year_before_by_week": offset("before", "1 year", grains=["week"]),
    "month_before_by_week": offset("before", "1 month", grains=["week"]),
    "rolling_month": reach("revenue", window="1 month", grains=["day", "month"], slices=[["store"]]),
    "closing_amount": {"semi_additive": {"take": "last"}, "grains": ["day", "week", "month"], "slices": [["store"]]},
}
THEIRS: dict[str, Keys] = {
    "revenue_or_0": simple("amount", fill=0),
    "promoted_or_0": simple("amount", PROMOTED, fill=0),
    "members_or_0": simple("people", fill=0),
    "lines_or_0": simple("rows", fill=0),
    "middle_of_money": simple("half_of_money"),
    "bare_share": ratio("promoted", "revenue"),
    "bare_full_price": derived("revenue - promoted", "revenue", "promoted"),
    "bare_conversion_rate": conversion("conversion_rate"),
    "weeks_before": derived("before", before=back("revenue", "52 weeks")),
    "four_weeks_before": derived("before", before=back("revenue", "4 weeks")),
    "year_before_by_week": derived("before", before=back("revenue", "1 year")),
    "month_before_by_week": derived("before", before=back("revenue", "1 month")),
    "rolling_month": cumulative("revenue", window="1 month"),
    "to_month_by_default": cumulative("revenue", grain_to_date="month", period_agg="first"),
    "closing_amount": simple("closing_amount"),
}
# A count of nothing: MetricFlow's 0, no data here.
COUNTS = {"noted", "members", "promoted_members", "members_before", "rolling_members", "members_to_month"}
# Inputs that had to be filled with 0, under the names they have without.
FILLED = {
    "full_price": ("revenue", "promoted"),
    "per_member": ("revenue", "members"),
    "growth": ("revenue", "month_before"),
}
# Asked for in one query: MetricFlow reads their mart once.
TOGETHER = tuple(name for name, (ours, _) in PAIRS.items() if "type" not in ours and "slices" not in ours)


def sales(seed: int = 7, count: int = 1100) -> Iterator[tuple[Any, ...]]:
    """Lines with nulls, returns, an empty month, products nobody knows, a store that opens and closes; Chinese text.

    A member has one promoted line a day at most: whose conversion it is would be anybody's guess otherwise.
    """
    chance = random.Random(seed)  # noqa: S311 (the same rows every time)
    promoted: set[tuple[Any, date]] = set()
    for line in range(count):
        day = _day(chance)
        stores = ["上海一店", "北京'店", *(["s;--"] if date(2023, 12, 10) <= day < date(2024, 9, 20) else [])]
        product, store, member = (
            chance.choice([1, 1, 2, 3, 4]),
            chance.choice(stores),
            chance.choice([None, *range(1, 12)]),
        )
        amount = None if chance.random() < 0.05 else Decimal(chance.randrange(-2000, 20000)) / 100
        is_promoted = chance.random() < 0.4 and (member is None or (member, day) not in promoted)
        if is_promoted:
            promoted.add((member, day))
        yield (
            line,
            product,
            store,
            member,
            day,
            amount,
            chance.randrange(4),
            is_promoted,
            chance.choice([None, None, "备注"]),
        )


def visits(seed: int = 8, count: int = 400) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(seed)  # noqa: S311
    for visit in range(count):
        yield visit, chance.choice(["上海一店", "北京'店", "空店"]), _day(chance)


def _day(chance: random.Random) -> date:
    while True:
        day = FIRST_SALE + timedelta(days=chance.randrange((LAST_SALE - FIRST_SALE).days + 1))
        if day not in GAP:
            return day


@pytest.fixture(scope="module")
def both(marts: Any, semantics: Any, catalogs: Any, tmp_path_factory: Any, sides: Any) -> Any:
    con = marts()
    con.executemany("insert into marts.fct_sales values (?, ?, ?, ?, ?, ?, ?, ?, ?)", list(sales()))
    con.executemany("insert into marts.fct_visits values (?, ?, ?)", list(visits()))
    every = {name: ours for name, (ours, _) in PAIRS.items()} | OURS
    metrics = {name: {"grains": list(OF_DAYS), "slices": SLICES, **keys} for name, keys in every.items()}
    catalog = catalogs(tmp_path_factory.mktemp("shop"), metrics)
    theirs = {name: keys for name, (_, keys) in PAIRS.items()} | THEIRS
    spine = Span(date(2022, 1, 1), date(2025, 7, 1))
    return sides(con, catalog, SPAN, LAST, spine, MEASURES, theirs, GROUP_BY, TOGETHER)


def sold(both: Any, first: date, last: date, store: str | None = None) -> Any:
    """The sum of amounts from one day to another, added up from the rows."""
    query = (
        "select sum(amount_usd) from marts.fct_sales"
        " where sold_on between $first and $last and store_id = coalesce($store, store_id)"
    )
    return both.ask(query, first=first, last=last, store=store)


@pytest.mark.parametrize("metric", PAIRS)
def test_every_cell_is_the_same(both: Any, assert_same: Any, metric: str) -> None:
    assert_same(both.mine(metric), comparable(both, metric))


def test_values_of_entities_pick_some(both: Any) -> None:
    """Or the comparison above would show nothing."""
    picking = [name for name, (ours, _) in PAIRS.items() if "metric(" in ours.get("filter", "")]
    assert len(picking) > 10
    for name in picking:
        of = both.mine("members" if name == "loyal_members" else "revenue")
        assert {cell: of[cell] for cell in both.mine(name)} != both.mine(name), name


def comparable(both: Any, metric: str) -> Rows:
    """MetricFlow's values without what the tests below are about."""
    rows = both.values(metric)
    if metric in COUNTS:
        rows = {cell: value for cell, value in rows.items() if value}
    if metric in FILLED:
        inputs = [comparable(both, name) for name in FILLED[metric]]
        rows = {cell: value for cell, value in rows.items() if value or any(cell in values for values in inputs)}
    if both.specs[metric].type == "cumulative":
        rows = {cell: value for cell, value in rows.items() if both.of_day(metric, cell, last_day(cell)) is not None}
    return rows


def last_day(cell: Cell) -> date:
    return CALENDAR.span(cell[0], cell[2]).end - timedelta(days=1)


def only(one: Rows, other: Rows) -> Rows:
    return {cell: value for cell, value in one.items() if cell not in other}


def test_a_count_of_nothing_is_no_data(both: Any) -> None:
    """Ours: the count of rows with a note is the same asked as ``count(note)`` and as a filter on the rows.

    MetricFlow has 0 for the first, and, where a filter leaves nothing, no row for the second.
    """
    for metric in ("noted", "members"):
        extra = only(both.values(metric), both.mine(metric))
        assert set(extra.values()) == {0}
        assert set(extra) == set(only(both.mine("lines"), both.mine(metric))), "where there are rows, all of them null"
    assert only(both.mine("lines"), both.values("promoted_lines")), "none promoted: no row, neither here nor there"


def test_a_ratio_without_numerator_is_0(both: Any) -> None:
    """Ours is right: a store that sold, nothing of it promoted, has a promoted share of 0; MetricFlow says NULL."""
    bare, share = both.values("bare_share", like="share"), both.mine("share")
    assert set(only(share, bare)) == set(only(share, both.values("promoted")))
    assert set(only(share, bare).values()) == {0}
    assert all(abs(float(share[cell]) - float(bare[cell])) <= 1e-6 for cell in bare)


def test_what_adds_up_is_0_next_to_something(both: Any) -> None:
    """Ours is right: sales without the promoted ones are all sales where none was promoted; MetricFlow says NULL."""
    bare, full_price = both.values("bare_full_price", like="full_price"), both.mine("full_price")
    missing = only(full_price, bare)
    assert set(missing) == set(only(full_price, both.values("promoted")))
    assert all(value == both.mine("revenue")[cell] for cell, value in missing.items())


def test_nothing_filled_with_0_is_still_nothing(both: Any) -> None:
    """Ours is right: where no line has an amount nothing is known; with ``fill_nulls_with`` MetricFlow says 0 - 0."""
    extra = only(both.values("full_price"), both.mine("full_price"))
    assert extra
    assert set(extra.values()) == {0}
    assert set(extra) == set(only(both.mine("lines"), both.mine("revenue")))


def test_a_median_of_money_keeps_its_half_cents(both: Any) -> None:
    """Ours is right: between 1.00 and 1.01 lies 1.005. MetricFlow takes the type of the column and cuts off the rest."""
    theirs, ours = both.values("middle_of_money", like="middle"), both.mine("middle")
    assert set(theirs) == set(ours)
    cut = {cell: ours[cell] for cell in ours if theirs[cell] != ours[cell]}
    assert cut
    assert all(theirs[cell] == Decimal(floor(value * 100)) / 100 for cell, value in ours.items())
    assert {abs(value * 1000) % 10 for value in cut.values()} == {5}, "always half a cent"


def test_a_year_before_a_week_is_52_weeks_before(both: Any, assert_same: Any) -> None:
    """Ours is right: weeks compare with weeks. A year before a Monday is no Monday, so MetricFlow finds nothing at all."""
    assert both.values("year_before_by_week") == {}
    assert_same(both.mine("year_before_by_week"), both.values("weeks_before", like="year_before_by_week"))


def test_a_month_before_a_week_is_4_weeks_before(both: Any, assert_same: Any) -> None:
    """Ours is right, as for years. MetricFlow finds a Monday a month before only after a February of 28 days."""
    found = {cell[2] for cell, value in both.rows("month_before_by_week").items() if value is not None}
    assert found == {date(2023, 3, day) for day in (6, 13, 20, 27)} | {date(2025, 3, day) for day in (3, 10)}
    assert both.values("month_before_by_week") == {}
    assert_same(both.mine("month_before_by_week"), both.values("four_weeks_before", like="month_before_by_week"))


def test_a_longer_period_has_the_value_of_its_last_day(both: Any) -> None:
    """Ours is right: month to date, for March, is all of March. MetricFlow's default is the value of its first day."""
    theirs = both.values("to_month_by_default", like="to_month")
    months = {cell: value for cell, value in theirs.items() if cell[0] == "month"}
    assert months
    first = {cell: both.of_day("to_month", cell, cell[2]) for cell in months}
    assert all(value == first[cell] for cell, value in months.items() if first[cell] is not None)
    assert sum(value != both.mine("to_month").get(cell) for cell, value in months.items()) > len(months) / 2


@pytest.mark.parametrize(
    "metric", ["rolling", "rolling_members", "rolling_largest", "to_week", "to_month", "members_to_month"]
)
def test_a_window_ends_with_its_period(both: Any, metric: str) -> None:
    """Ours is right: the ten days to the end of a week in which nothing was sold are no data.

    With ``period_agg: last`` MetricFlow takes the value of the last day that has one, of a window that ends earlier.
    """
    extra = {cell: value for cell, value in only(both.values(metric), both.mine(metric)).items() if value}
    assert extra
    for cell, value in extra.items():
        days = CALENDAR.spans("day", cell[2], last_day(cell))
        known = [found for day in days if (found := both.of_day(metric, cell, day.start)) is not None]
        assert both.of_day(metric, cell, last_day(cell)) is None
        assert value == known[-1]


def test_a_window_stops_where_the_data_does(both: Any) -> None:
    """Ours is right: days that are not over have no value. MetricFlow goes on along its time spine, with less and less."""
    days = {
        cell[2]: value
        for cell, value in both.rows("rolling").items()
        if cell[:2] == ("day", ()) and cell[2] > LAST_SALE
    }
    assert sorted(days) == [LAST_SALE + timedelta(days=number) for number in range(1, 10)]
    for day, value in days.items():
        assert value == both.ask(
            "select sum(amount_usd) from marts.fct_sales where sold_on > $day", day=day - timedelta(days=10)
        )
    ever = [cell[2] for cell in both.rows("ever") if cell[:2] == ("day", ())]
    assert max(ever) == date(2025, 6, 30), "the end of the spine"
    assert max(cell[2] for name in ("rolling", "ever") for cell in both.mine(name)) == LAST


def test_a_period_that_is_not_over_has_no_value(both: Any) -> None:
    """Ours is right: on 31 December, a Tuesday, its week has two days. MetricFlow gives what there is."""
    open_week = ("week", (), date(2024, 12, 30), ())
    assert both.rows("revenue")[open_week] is not None
    assert open_week not in both.mine("revenue")


def test_a_month_of_days_is_the_month_it_ends(both: Any) -> None:
    """Ours is right: the month that ends on 30 June is June. MetricFlow's begins after 30 May, on the 31st.

    Elsewhere the two windows are the same, and so are the values.
    """
    theirs, ours = both.values("rolling_month"), both.mine("rolling_month")
    apart = 0
    for cell in (cell for cell in theirs if cell[0] == "day" and cell[2].day > 26):
        day = cell[2]
        begins, began = months_before(day + timedelta(days=1), 1), months_before(day, 1) + timedelta(days=1)
        apart += begins != began
        assert ours.get(cell) == sold(both, begins, day, *cell[3])
        assert theirs[cell] == sold(both, began, day, *cell[3])
    assert apart > 20
    ends = [cell for cell in ours if cell[:2] == ("day", ()) and (cell[2] + timedelta(days=1)).day == 1]
    months = {cell: both.mine("revenue")["month", (), cell[2].replace(day=1), ()] for cell in ends}
    assert {cell: ours[cell] for cell in ends} == months
    assert any(theirs[cell] != month for cell, month in months.items())


def test_a_stock_is_of_the_last_day_that_has_one(both: Any) -> None:
    """Ours is right: a day on which nothing was counted says nothing of the stock; MetricFlow takes it, as NULL."""
    theirs, ours = both.values("closing_amount"), both.mine("closing_amount")
    extra = only(ours, theirs)
    assert only(theirs, ours) == {}
    assert all(float(value) == float(ours[cell]) for cell, value in theirs.items())
    weeks = {cell[2]: value for cell, value in extra.items() if cell[:2] == ("week", ())}
    assert weeks
    for week, value in weeks.items():
        span = {"first": week, "next": week + timedelta(days=7)}
        within = "from marts.fct_sales where sold_on >= $first and sold_on < $next"
        last = both.ask(f"select max(sold_on) {within}", **span)
        counted = both.ask(f"select max(sold_on) {within} and amount_usd is not null", **span)
        assert counted < last
        assert value == sold(both, counted, counted)


def test_a_base_event_nobody_follows_has_a_rate_of_0(both: Any) -> None:
    """Ours is right: none of them is 0 of them; MetricFlow says NULL."""
    bare, rates = both.values("bare_conversion_rate", like="conversion_rate"), both.mine("conversion_rate")
    assert set(only(rates, bare).values()) == {0}
    assert set(only(rates, bare)) == set(only(rates, both.values("converted")))


@pytest.mark.parametrize("stores", [("a", "b"), ("b", "a")])
def test_of_two_base_events_on_a_day_it_is_always_the_same(
    marts: Any,
    semantics: Any,
    catalogs: Any,
    tmp_path: Any,
    metricflow: Any,
    our_side: Any,
    stores: tuple[str, str],
) -> None:
    """Ours is right: two runs give one answer, whatever the order of the rows. MetricFlow takes whichever comes first."""
    lines = [(1, stores[0], "2024-03-01", True), (2, stores[1], "2024-03-01", True), (3, "c", "2024-03-02", False)]
    con = marts()
    con.executemany("insert into marts.fct_sales values ($1, 1, $2, 7, $3, 10, 1, $4, null)", lines)
    con.execute(
        "create table marts.days as select unnest(generate_series(date '2024-01-01', date '2024-12-31', interval 1 day))::date as day"
    )
    catalog = catalogs(tmp_path, {"converted": follows(calculation="count", grains=["month"], slices=[["store"]])})
    needed = {name: PAIRS[name][1] for name in ("lines", "promoted_lines", "converted")}
    theirs = metricflow(con, semantics, MEASURES, needed, GROUP_BY).rows("converted", "month", ("store",))
    ours = our_side(con, catalog, SPAN, LAST).values["converted"]
    march = date(2024, 3, 1)
    assert {cell: value for cell, value in ours.items() if cell[1]} == {("month", ("store",), march, ("b",)): 3}
    assert sum(value or 0 for value in theirs.values()) == 3 == ours["month", (), march, ()]


def test_metricflow_cannot_filter_what_follows(marts: Any, semantics: Any, metricflow: Any) -> None:
    """Ours can (see test_kinds). Once this fails, add such a conversion to the pairs."""
    metrics = {name: PAIRS[name][1] for name in ("lines", "promoted_lines", "converted")} | {
        "plain_lines": simple("rows", f"not {PROMOTED}"),
        "plain_after_promoted": conversion("conversions", event="plain_lines"),
    }
    theirs = metricflow(marts(), semantics, MEASURES, metrics, GROUP_BY)
    assert theirs.sql(["converted"], "day", ())
    with pytest.raises(Exception, match="Unable to find a resolved spec"):
        theirs.sql(["plain_after_promoted"], "day", ())
