"""Values by the hour equal MetricFlow's, where the company's clocks show UTC: MetricFlow knows no other.

Where they differ, a test says which is right and why.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from metrics_catalog.engine.periods import Span
from metrics_catalog.semantic import Dimension, Semantics

Rows = dict[tuple[Any, ...], Any]
SPAN = Span(date(2024, 2, 26), date(2024, 3, 4))
BEFORE = {"metric": "lines", "offset": "previous"}
PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "lines": ({"agg": "count", "expr": None}, {"type": "simple", "type_params": {"measure": {"name": "rows"}}}),
    "revenue": ({}, {"type": "simple", "type_params": {"measure": {"name": "amount"}}}),
    "members": (
        {"agg": "count_distinct", "expr": "member_id"},
        {"type": "simple", "type_params": {"measure": {"name": "people"}}},
    ),
    "middle": ({"agg": "median"}, {"type": "simple", "type_params": {"measure": {"name": "half"}}}),
    "per_line": (
        {"type": "ratio", "numerator": "revenue", "denominator": "lines"},
        {"type": "ratio", "type_params": {"numerator": {"name": "revenue"}, "denominator": {"name": "lines"}}},
    ),
    "hour_before": (
        {"type": "derived", "expr": "before", "inputs": {"before": {"metric": "lines", "offset": "previous"}}},
        {"type": "derived", "type_params": {"expr": "before", "metrics": [{"name": "lines", "alias": "before", "offset_window": "1 hour"}]}},
    ),
    "day_before": (
        {"type": "derived", "expr": "before", "inputs": {"before": {"metric": "members", "offset": "1 day"}}},
        {"type": "derived", "type_params": {"expr": "before", "metrics": [{"name": "members", "alias": "before", "offset_window": "1 day"}]}},
    ),
}  # fmt: skip
MEASURES = {
    "sales": {
        "rows": {"agg": "count", "expr": "1"}, "amount": {"agg": "sum", "expr": "amount_usd"},
        "people": {"agg": "count_distinct", "expr": "member_id"}, "half": {"agg": "median", "expr": "cast(amount_usd as double)"},
    },
}  # fmt: skip
CUTS: dict[tuple[str, ...], dict[str, str]] = {
    (): {},
    ("store",): {"store": "store"},
    ("category",): {"category": "product__category"},
}


@pytest.fixture(scope="module")
def sides(
    semantics: Semantics, marts: Any, catalog_over: Any, tmp_path_factory: Any, metricflow: Any, engine_values: Any
) -> Callable[[str, tuple[str, ...]], tuple[Rows, Rows]]:
    sales = semantics.models["sales"]
    time = Dimension("sold_on", "sold_on", True, "second")
    model = replace(sales, dimensions={"sold_on": time}, columns={**sales.columns, "sold_on": "timestamp"})
    over = replace(semantics, models={**semantics.models, "sales": model})
    con, chance = marts(), random.Random(5)  # noqa: S311 (the same rows every time)
    con.execute(
        "create or replace table marts.fct_sales as from marts.fct_sales select * replace (null::timestamp as sold_on)"
    )
    for line in range(400):
        at = datetime.combine(SPAN.start, datetime.min.time()) + timedelta(minutes=chance.randrange(7 * 24 * 60))
        row = [line, chance.choice([1, 2, 3, 4]), chance.choice(["上海一店", "B"]), chance.choice([None, 1, 2, 3]), at]
        con.execute(
            "insert into marts.fct_sales (line_id, product_id, store_id, member_id, sold_on, amount_usd) values (?, ?, ?, ?, ?, ?)",
            [*row, Decimal(chance.randrange(-500, 9000)) / 100],
        )
    for grain, table in (("day", "days"), ("hour", "hours")):
        series = "generate_series(timestamp '2024-01-01', timestamp '2024-04-01', interval 1 " + grain + ")"
        con.execute(f"create table marts.{table} as select unnest({series}) as {grain}")
    keys = {
        name: {"grains": ["hour", "day"], "slices": [["store"], ["category"]], **ours}
        for name, (ours, _) in PAIRS.items()
    }
    catalog = catalog_over(over, tmp_path_factory.mktemp("hours"), keys)
    found = engine_values(con, catalog, {"hour": (SPAN,), "day": (SPAN,)})
    names = {name: by for cut in CUTS.values() for name, by in cut.items()}
    theirs = metricflow(con, over, MEASURES, {name: one for name, (_, one) in PAIRS.items()}, names)

    def both(metric: str, cut: tuple[str, ...]) -> tuple[Rows, Rows]:
        ours = {
            (datetime.fromisoformat(members[0]), members[1:]): value
            for (name, grain, _, by, members), value in found.items()
            if (name, grain, by[1:]) == (metric, "hour", cut)
        }
        rows = theirs.rows(metric, "hour", cut)
        return ours, {(at, members): value for (_, _, at, members), value in rows.items() if at.date() in SPAN}

    return both


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("metric", PAIRS)
def test_every_hour_is_the_same(sides: Any, assert_same: Any, metric: str, cut: tuple[str, ...]) -> None:
    ours, theirs = sides(metric, cut)
    assert_same(ours, {cell: value for cell, value in theirs.items() if value})


def test_a_count_of_no_key_is_metricflows_zero_and_no_data_here(sides: Any) -> None:
    ours, theirs = sides("members", ())
    assert {cell for cell, value in theirs.items() if not value}
    assert all(ours.values())
