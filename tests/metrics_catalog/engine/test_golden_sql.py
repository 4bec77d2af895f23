"""The SQL we write, as files a person can review. Refresh them with ``pytest --update-golden`` and read the diff."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.dbt_files import dbt_files
from metrics_catalog.engine.metric_models import stored_query
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.plan import plan
from metrics_catalog.engine.rollup import rollups
from metrics_catalog.engine.text import readable, rendered
from metrics_catalog.engine.windows import Windows
from metrics_catalog.own_grains import OwnGrain, Spine
from metrics_catalog.semantic import Dimension, Semantics
from metrics_catalog.spec.base import Label

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "sql"
WINDOWS: Windows = {
    "day": (Span(date(2024, 2, 28), date(2024, 3, 1)),),
    "month": (Span(date(2024, 1, 1), date(2024, 3, 1)),),
    "fiscal_month": (Span(date(2024, 1, 28), date(2024, 3, 31)),),
}
STARTS = (date(2023, 12, 31), date(2024, 1, 28), date(2024, 2, 25), date(2024, 3, 31))
FISCAL = OwnGrain(
    "fiscal_month",
    "fiscal_month",
    Spine("", "", "", "", ""),
    Label(en="fiscal month", zh="财月"),
    STARTS,
    (),
    date(2024, 5, 1),
)
CALENDAR = Calendar(own={"fiscal_month": FISCAL})


@pytest.fixture(scope="session")
def semantics(semantics: Semantics) -> Semantics:
    """A changed day of the sources changes that day of the sales, and weeks of the visits; of others any row."""
    sales, visits = semantics.models["sales"], semantics.models["visits"]
    changed = {
        "sales": replace(sales, replaced_by="day"),
        "visits": replace(visits, replaced_by="week", following_weeks=7),
    }
    return replace(semantics, models={**semantics.models, **changed})


CASES: dict[str, dict[str, dict[str, Any]]] = {
    "sum_filtered_by_joined_dimension": {"m": {"filter": "category = '生鲜' and units > 0", "slices": [["country"]], "grains": ["month"]}},
    "average": {"m": {"agg": "average", "grains": ["month"]}},
    "ratio": {
        "top": {"filter": "is_promoted", "grains": ["month"]},
        "bottom": {"grains": ["month"]},
        "m": {"type": "ratio", "numerator": "top", "denominator": "bottom", "grains": ["month"], "slices": [["store"]]},
    },
    "distinct_with_having": {"m": {"agg": "count_distinct", "expr": "member_id", "having": "count(*) >= 2", "filter": "is_promoted", "grains": ["month"], "slices": [["store"]]}},
    "distinct_decided_by_its_key": {"m": {"agg": "count_distinct", "expr": "product_id", "grains": ["month"], "slices": [["category"], ["country"]]}},
    "distinct_once_a_day": {"m": {"agg": "count_distinct", "expr": "member_id", "filter": "is_promoted", "grains": ["day", "month"], "slices": [["product"], ["category"]]}},
    "derived_with_offset": {
        "sales": {"grains": ["month"]},
        "m": {"type": "derived", "expr": "sales / before - 1", "inputs": {"before": {"metric": "sales", "offset": "1 month"}}, "grains": ["month"], "slices": [["store"]]},
    },
    "cumulative_to_date": {"m": {"type": "cumulative", "metric": {"model": "sales", "agg": "sum", "expr": "amount_usd"}, "to_date": "year", "grains": ["day", "month"], "slices": [["store"]]}},
    "rolling_distinct": {"m": {"type": "cumulative", "metric": {"model": "sales", "agg": "count_distinct", "expr": "member_id"}, "window": "28 days", "grains": ["day"], "slices": [["store"]]}},
    "stock": {"m": {"semi_additive": {"take": "last", "per": ["store"]}, "grains": ["month"], "slices": [["category"]]}},
    "conversion": {
        "m": {
            "type": "conversion", "base": {"model": "visits", "agg": "count"}, "conversion": {"model": "sales", "agg": "count"},
            "entity": "store", "window": "7 days", "grains": ["month"],
        }
    },
    "own_grain": {"m": {"grains": ["fiscal_month"], "slices": [["store"]]}},
    "picked_by_the_value_of_another_metric": {
        "receipts": {"agg": "count", "expr": None},
        "m": {"filter": "metric(receipts, by=member) >= 5 and is_promoted", "grains": ["month"], "slices": [["store"]]},
    },
    "percentile": {"m": {"agg": "percentile", "percentile": 0.9, "grains": ["month"]}},
}  # fmt: skip


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "spark"])
@pytest.mark.parametrize("case", CASES)
def test_plan(case: str, dialect: str, shop: Any, request: pytest.FixtureRequest) -> None:
    compare(GOLDEN / dialect / f"{case}.sql", planned(shop(CASES[case]), WINDOWS, CALENDAR, dialect), request)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "spark"])
def test_plan_by_the_hour(
    dialect: str, semantics: Semantics, catalog_over: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Of points in time, on the day on which New York's clocks show 1:00 twice."""
    sales = semantics.models["sales"]
    times = {**sales.dimensions, "sold_on": Dimension("sold_on", "sold_on", True, "second")}
    model = replace(sales, dimensions=times, columns={**sales.columns, "sold_on": "timestamptz"})
    over = replace(semantics, models={**semantics.models, "sales": model}, timezone="America/New_York")
    before = {"before": {"metric": "members", "offset": "previous"}}
    members = {"agg": "count_distinct", "expr": "member_id"}
    growth = {"type": "derived", "expr": "members - before", "inputs": before, "slices": [["store"]]}
    catalog = catalog_over(over, tmp_path, {"members": members, "m": {**growth, "grains": ["hour", "day"]}})
    windows: Windows = {"hour": (Span(date(2024, 11, 3), date(2024, 11, 4)),)}
    text = planned(catalog, windows, Calendar.of(catalog), dialect)
    compare(GOLDEN / dialect / "distinct_by_the_hour.sql", text, request)


def planned(catalog: Catalog, windows: Windows, calendar: Calendar, dialect: str) -> str:
    made = plan(catalog, ["m"], windows, calendar)
    parts = [f"-- {step.table}\n{readable(step.query, dialect)};\n" for step in made.steps]
    parts += [f"-- values\n{readable(one.query(), dialect)};\n" for one in made.values]
    return "\n".join(parts)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "spark"])
@pytest.mark.parametrize("case", CASES)
def test_what_runs_is_what_is_read(case: str, dialect: str, shop: Any) -> None:
    for values in plan(shop(CASES[case]), ["m"], WINDOWS, CALENDAR).values:
        assert values.sql(dialect) == rendered(values.query(), dialect)


@pytest.mark.parametrize("case", CASES)
def test_writing_changes_no_query(case: str, shop: Any) -> None:
    for step in plan(shop(CASES[case]), ["m"], WINDOWS, CALENDAR).steps:
        before = repr(step.query)
        assert rendered(step.query, "duckdb") == rendered(step.query, "duckdb")
        assert repr(step.query) == before


def test_writing_changes_no_expression(shop: Any) -> None:
    tests = (
        "year(sold_on) + quarter(sold_on) * month(sold_on) / isodow(sold_on) - 1 > -round(abs(amount_usd), 1)",
        "date_trunc('week', sold_on) between cast('2024-01-01' as date) and date_trunc('month', sold_on)",
        "coalesce(nullif(lower(trim(note)), ''), upper(note)) like 'a%' and length(note) in (1, 2)",
        "case when not is_promoted is null then cast(units as decimal(18, 2)) else 1.5 end <> 0 or note is null",
    )
    filters = {f"m{number}": {"filter": test} for number, test in enumerate(tests)}
    query = stored_query(catalog := shop(filters), rollups(catalog).every)
    before = repr(query)
    assert rendered(query, "duckdb") == rendered(query, "duckdb") == rendered(query.copy(), "duckdb")
    assert repr(query) == before


@pytest.mark.parametrize(
    "metrics",
    [
        CASES["sum_filtered_by_joined_dimension"],
        {"m": {"slices": [["product"], ["category"], ["country"]]}},
        {"m": {"slices": [["product"], ["store", "country"]]}},
        {
            "receipts": {"agg": "count", "expr": None, "filter": "category = '生鲜'", "slices": [["store"]]},
            "visits": {"model": "visits", "agg": "count", "expr": None, "slices": [["store"]]},
            "per_visit": {"type": "ratio", "numerator": "receipts", "denominator": "visits"},
            "busy": {"filter": "metric(receipts, by=maker) >= 5"},
            "m": {"filter": "metric(per_visit, by=store) > 2 or metric(busy, by=member) > 50"},
        },
    ],
    ids=["joined_to_rows", "decided_by_a_key", "several_in_one_scan", "values_of_entities"],
)
def test_metric_model(metrics: dict[str, Any], shop: Any, request: pytest.FixtureRequest) -> None:
    catalog = shop(metrics)
    for name, text in dbt_files(catalog):
        compare(GOLDEN / f"metric_model_{name}", text, request)


def compare(path: Path, text: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), "run pytest --update-golden and review the new file"
    assert text == path.read_text(encoding="utf-8")
