"""A key that is not one row's at each time is found, whatever dbt tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from metrics_catalog.catalog import Catalog
from metrics_catalog.joined_keys import JoinedKeys
from metrics_catalog.semantic import SemanticModel, Semantics, Validity

Windows = list[tuple[str | None, str | None]]


@pytest.fixture
def catalog(
    semantics: Semantics, model_of: Callable[..., SemanticModel], catalog_over: Callable[..., Catalog], tmp_path: Path
) -> Catalog:
    """Revenue by who manages the store, which changes; units of the same mart, and visits of another, by nothing."""
    history = model_of(
        "managers", "dim_managers", None, {"store": ("store_id", True)}, {"manager": "manager"},
        {"store_id": "varchar", "manager": "varchar", "since": "date", "until": "date"},
    )  # fmt: skip
    models = {**semantics.models, "managers": replace(history, validity=Validity("since", "until"))}
    metrics: dict[str, dict[str, Any]] = {"revenue": {"slices": [["manager"]]}, "units": {"expr": "units"}}
    metrics["visits"] = {"model": "visits", "agg": "count", "expr": None}
    return catalog_over(Semantics(models), tmp_path, metrics)


@pytest.mark.parametrize(
    ("windows", "overlap"),
    [
        ([("2024-01-01", "2024-02-01"), ("2024-02-01", None)], None),
        ([("2024-01-01", "2024-02-02"), ("2024-02-01", None)], "2024-02-01"),
        ([("2024-03-01", None), ("2024-01-01", None)], "2024-03-01"),
        ([("2024-01-01", "2024-12-01"), ("2024-02-01", "2024-03-01"), ("2024-12-01", None)], "2024-02-01"),
        ([("2024-01-01", None), ("2024-02-01", "2024-02-01"), ("2024-05-01", "2024-04-01")], None),
        ([("2024-01-01", None), (None, None)], None),
        ([("2024-01-01", "2024-02-01"), ("2024-01-01", "2024-02-01")], "2024-01-01"),
    ],
    ids=["one after the other", "a day twice", "two to this day", "one within another", "never valid", "no beginning", "the same"],
)  # fmt: skip
def test_rows_of_a_key_that_hold_at_the_same_time(
    warehouse: duckdb.DuckDBPyConnection, catalog: Catalog, windows: Windows, overlap: str | None
) -> None:
    warehouse.execute("create table marts.dim_managers (store_id varchar, manager varchar, since date, until date)")
    rows = [["一店", f"m{number}", *window] for number, window in enumerate(windows)]
    others = [["二店", "o", "2024-01-01", None], [None, "x", "2024-01-01", None], [None, "y", "2024-01-01", None]]
    warehouse.executemany("insert into marts.dim_managers values (?, ?, ?, ?)", [*rows, *others])
    found = JoinedKeys(warehouse).faults(catalog, ["revenue", "units", "visits"])
    if overlap is None:
        assert found == {}
    else:
        assert list(found) == ["revenue", "units"], "which one scan adds up"
        assert f'store_id "一店" has more than one row of semantic model "managers" on {overlap}' in found["revenue"]
        assert "one_row_at_a_time" in found["revenue"]
        assert JoinedKeys(warehouse, sound=["managers"]).faults(catalog, ["revenue"]) == {}


def test_a_key_on_the_way_counts_too(warehouse: duckdb.DuckDBPyConnection, shop: Callable[..., Catalog]) -> None:
    catalog = shop({"abroad": {"filter": "country = 'US'"}})
    assert JoinedKeys(warehouse).faults(catalog, ["abroad"]) == {}
    warehouse.execute("insert into marts.dim_makers values (20, 'jp'), (null, 'x'), (null, 'y')")
    assert 'maker_id "20"' in JoinedKeys(warehouse).faults(catalog, ["abroad"])["abroad"]
