"""Own grains of a time spine: calendar months spelt out are months, a 4-4-5 year adds up, the spine's edges are edges."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.compute import build_rollups, computed
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.plan import plan
from metrics_catalog.engine.terms import Shift
from metrics_catalog.engine.windows import windows
from metrics_catalog.own_grains import EVER, OutsideSpine, OwnGrain, Spine
from metrics_catalog.spec.base import OF_DAYS, Label
from metrics_catalog.spec.time import Offset

SPINE = Spine("model.shop.days", "marts", "days", "day", "models/days.yml")
USUAL = {"week": "own_week", "month": "own_month", "quarter": "own_quarter", "year": "own_year"}
SPAN, LAST = Span(date(2022, 12, 1), date(2025, 2, 1)), date(2025, 1, 31)


def own(name: str, starts: list[date], until: date) -> OwnGrain:
    return OwnGrain(name, name, SPINE, Label(en=name, zh="财年"), tuple(starts), tuple(map(str, starts)), until)


def spelt_out() -> dict[str, OwnGrain]:
    """The usual periods as a spine would say them."""
    until = date(2026, 1, 1)
    found = {
        name: [one.start for one in Calendar().spans(grain, date(2020, 1, 1), until)] for grain, name in USUAL.items()
    }
    return {name: own(name, starts, until) for name, starts in found.items()}


def retail() -> dict[str, OwnGrain]:
    """4-4-5 from 29 January 2023, a Sunday; the second year has 53 weeks."""
    first, weeks = date(2023, 1, 29), [4, 4, 5] * 4 + [4, 4, 5] * 3 + [4, 4, 6] + [4, 4, 5] * 4
    months = [first + timedelta(weeks=number) for number in accumulate(weeks, initial=0)]
    every = [first + timedelta(weeks=number) for number in range(sum(weeks) + 1)]
    grains = {"retail_week": every, "retail_month": months, "retail_quarter": months[::3], "retail_year": months[::12]}
    return {name: own(name, starts, months[-1] + timedelta(days=3)) for name, starts in grains.items()}


RETAIL = Calendar("sunday", retail())
METRICS: dict[str, dict[str, Any]] = {
    "sales": {},
    "lines": {"agg": "count", "expr": None, "filter": "is_promoted"},
    "members": {"agg": "count_distinct", "expr": "member_id"},
    "half": {"agg": "median", "expr": "cast(amount_usd as double)"},
    "stock": {"expr": "units", "semi_additive": {"take": "last"}},
    "share": {"type": "ratio", "numerator": "lines", "denominator": "sales"},
    "loyal": {"agg": "count_distinct", "expr": "member_id", "having": "count(*) >= 2"},
    "before": {"type": "derived", "expr": "sales - old", "inputs": {"old": {"metric": "sales", "offset": "previous"}}},
    "year_ago": {"type": "derived", "expr": "old", "inputs": {"old": {"metric": "members", "offset": "1 year"}}, "grains": ["month", "quarter", "year"]},
    "to_year": {"type": "cumulative", "metric": "sales", "to_date": "year"},
    "members_to_year": {"type": "cumulative", "metric": "members", "to_date": "year", "grains": ["day", "month"]},
    "last_two": {"type": "cumulative", "metric": "sales", "window": "2 months", "grains": ["month"]},
    "followed": {
        "type": "conversion", "base": {"model": "visits", "agg": "count"}, "conversion": {"model": "sales", "agg": "count"},
        "entity": "store", "window": "7 days", "calculation": "count",
    },
}  # fmt: skip


def renamed(keys: Any) -> Any:
    """A metric of the usual grains, said in the own ones."""
    if isinstance(keys, dict):
        return {name: renamed(value) for name, value in keys.items()}
    if isinstance(keys, list):
        return [renamed(one) for one in keys]
    if keys in ("1 year", "2 months"):
        return keys.removesuffix("s").replace(" ", " own_")
    return USUAL.get(keys, keys)


def rows(count: int = 1500) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(3)  # noqa: S311
    for line in range(count):
        day = SPAN.start + timedelta(days=chance.randrange((SPAN.end - SPAN.start).days))
        amount, member = chance.randrange(-500, 9000) / 100, chance.choice([None, *range(12)])
        yield line, chance.choice([1, 2, 3]), chance.choice("ab"), member, day, amount, 1, chance.random() < 0.4, None


@pytest.fixture
def sold(warehouse: Any) -> Any:
    warehouse.executemany("insert into marts.fct_sales values (?, ?, ?, ?, ?, ?, ?, ?, ?)", list(rows()))
    warehouse.execute(
        "insert into marts.fct_visits select line_id, store_id, sold_on from marts.fct_sales where line_id % 9 = 0"
    )
    return warehouse


def values(con: Any, catalog: Catalog, calendar: Calendar) -> dict[tuple[Any, ...], Any]:
    build_rollups(con, catalog)
    found: dict[tuple[Any, ...], Any] = {}
    for name, entry in catalog.metrics.items():
        terms = formulas(catalog)[name].terms
        wanted = windows(calendar, entry.spec.grains, SPAN, LAST, [], terms)
        with computed(con, plan(catalog, [name], wanted, calendar)) as selects:
            for row in con.execute(" union all ".join(selects)).to_arrow_table().to_pylist():
                found[row["metric"], row["grain"], row["period"], row["slice"], row.get("store")] = row["value"]
    return found


def test_usual_periods_spelt_out_have_the_usual_values(sold: Any, shop: Any) -> None:
    usual = {"grains": ["day", *USUAL], "slices": [["store"]]}
    catalog = shop({name: usual | keys for name, keys in METRICS.items()})
    mine = shop({name: renamed(usual | keys) for name, keys in METRICS.items()})
    expected = values(sold, catalog, Calendar())
    found = values(sold, mine, Calendar(own=spelt_out()))
    assert len(expected) > 3000
    assert {metric for metric, *_ in expected} == set(METRICS)
    assert found == {
        (metric, USUAL.get(grain, grain), *cell): value for (metric, grain, *cell), value in expected.items()
    }


def test_a_retail_year_adds_up(sold: Any, shop: Any) -> None:
    grains = ["retail_week", "retail_month", "retail_quarter", "retail_year"]
    found = values(sold, shop({"sales": {"grains": grains}}), RETAIL)
    for year in RETAIL.spans("retail_year", date(2023, 1, 29), date(2024, 5, 1)):
        if year.end > LAST:
            continue
        sums = {
            grain: sum(v for (_, of, day, *_), v in found.items() if of == grain and day in year) for grain in grains
        }
        [total] = sold.execute(
            "select sum(amount_usd) from marts.fct_sales where sold_on >= ? and sold_on < ?", [year.start, year.end]
        ).fetchone()
        assert set(sums.values()) == {total}
    counts = {grain: sum(1 for _, of, *_ in found if of == grain) for grain in grains}
    assert counts == {"retail_week": 104, "retail_month": 23, "retail_quarter": 7, "retail_year": 1}


@pytest.mark.parametrize(
    ("offset", "grain", "start", "expected"),
    [
        ("previous", "retail_month", date(2024, 1, 28), date(2023, 12, 24)),
        ("1 year", "retail_month", date(2024, 3, 24), date(2023, 3, 26)),
        ("1 retail_year", "retail_week", date(2025, 2, 2), date(2024, 1, 28)),
        ("1 retail_year", "retail_week", date(2025, 1, 26), date(2024, 1, 21)),  # week 53: the last one
        ("1 retail_year", "day", date(2024, 1, 30), date(2023, 1, 31)),
        ("4 weeks", "retail_week", date(2024, 1, 28), date(2023, 12, 31)),
        ("start of retail_year", "retail_month", date(2024, 3, 24), date(2024, 1, 28)),
        ("start of year", "retail_month", date(2024, 3, 24), date(2024, 1, 28)),
        ("1 year", "retail_month", date(2023, 3, 26), EVER),
        ("previous", "retail_year", date(2023, 1, 29), EVER),
    ],
)
def test_the_period_an_offset_leads_to(offset: str, grain: str, start: date, expected: date) -> None:
    made = Offset.model_validate(offset)
    assert RETAIL.sees(grain, made)
    assert Shift(made).start(RETAIL, grain, start) == expected


@pytest.mark.parametrize(
    ("offset", "grain"),
    [
        ("1 retail_year", "month"),
        ("1 week", "retail_month"),
        ("start of retail_year", "retail_year"),
        ("1 day", "retail_week"),
    ],
)
def test_offsets_that_no_period_has(offset: str, grain: str) -> None:
    assert not RETAIL.sees(grain, Offset.model_validate(offset))


def test_usual_grains_stay_as_they_are_beside_own_ones() -> None:
    usual = Calendar("sunday")
    for grain in OF_DAYS:
        for unit in OF_DAYS:
            assert RETAIL.unit(grain, unit) is None
            assert RETAIL.sees(grain, Offset.model_validate(f"1 {unit}")) == usual.sees(
                grain, Offset.model_validate(f"1 {unit}")
            )
    assert RETAIL.from_grain("retail_month") == ["retail_month", "retail_quarter", "retail_year"]
    assert RETAIL.from_grain("month") == ["month", "quarter", "year"]


def test_periods_before_the_first_known_are_not_official() -> None:
    found = windows(RETAIL, ["retail_month"], SPAN, LAST, [])
    assert found["retail_month"][0].start == date(2023, 1, 29)


def test_nothing_is_official_that_looks_before_the_first_known(shop: Any) -> None:
    keys = {"before": {**METRICS["before"], "grains": ["retail_year"]}, "sales": {"grains": ["retail_year"]}}
    keys["to_date"] = {"type": "cumulative", "metric": "sales", "to_date": "retail_year", "grains": ["day"]}
    known = formulas(shop(keys))
    assert windows(RETAIL, ["retail_year"], SPAN, LAST, [], known["sales"].terms)
    assert windows(RETAIL, ["retail_year"], SPAN, LAST, [], known["before"].terms) == {}
    days = windows(RETAIL, ["day"], SPAN, LAST, [], known["to_date"].terms)["day"]
    assert days == (Span(date(2023, 1, 29), date(2025, 2, 1)),)


def test_a_spine_that_ends_too_early_is_said() -> None:
    until = RETAIL.own["retail_month"].until
    assert until is not None
    days = [until - timedelta(days=9)]
    assert windows(RETAIL, ["retail_month"], days, until - timedelta(days=2), []), "its last period is not over yet"
    with pytest.raises(OutsideSpine, match="retail_month is known until 2026-02-03 only"):
        windows(RETAIL, ["retail_month"], [until - timedelta(days=1)], until - timedelta(days=1), [])
    unknown = Calendar(own={"retail_month": replace(RETAIL.own["retail_month"], starts=(), until=None)})
    with pytest.raises(OutsideSpine, match="not built"):
        windows(unknown, ["retail_month"], SPAN, LAST, [])
