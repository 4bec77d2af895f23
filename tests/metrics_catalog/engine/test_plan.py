"""How much a plan does, counted in steps; that it does the right thing is tested by its values."""

from __future__ import annotations

from datetime import date
from typing import Any

from metrics_catalog.catalog import Catalog
from metrics_catalog.engine.fingerprint import calculations
from metrics_catalog.engine.formulas import formulas
from metrics_catalog.engine.periods import Calendar, Span
from metrics_catalog.engine.plan import Plan, plan
from metrics_catalog.engine.rollup import rollups
from metrics_catalog.engine.windows import Windows

WINDOWS: Windows = {"day": (Span(date(2024, 1, 1), date(2024, 3, 1)),)}


def planned(catalog: Catalog) -> Plan:
    return plan(catalog, list(catalog.metrics), WINDOWS, Calendar())


def growth(count: int) -> dict[str, dict[str, Any]]:
    """So many sums, each with its growth over a week and over a month."""
    metrics: dict[str, dict[str, Any]] = {}
    for number in range(count):
        metrics[f"sales_{number}"] = {"filter": f"units > {number}"}
        for offset in ("1 week", "1 month"):
            before = {"metric": f"sales_{number}", "offset": offset}
            keys = {"type": "derived", "expr": f"sales_{number} / before - 1", "inputs": {"before": before}}
            metrics[f"growth_{number}_{offset[2:]}"] = keys
    return metrics


def test_metrics_that_look_equally_far_away_share_their_steps(shop: Any) -> None:
    few, many = planned(shop(growth(1))), planned(shop(growth(9)))
    assert [step.table for step in many.steps] == [step.table for step in few.steps]
    assert len(many.values) == 9 * len(few.values)


def test_what_a_catalog_is_computed_from_is_worked_out_once(shop: Any) -> None:
    catalog = shop(growth(1))
    before = formulas(catalog), rollups(catalog), calculations(catalog)
    planned(catalog)
    assert all(
        one is other
        for one, other in zip(before, (formulas(catalog), rollups(catalog), calculations(catalog)), strict=True)
    )
