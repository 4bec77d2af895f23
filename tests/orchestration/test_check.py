"""`metrics check` says of every file what is wrong with it, also what only the built project can tell."""

from __future__ import annotations

from typing import Any

from orchestration.check import check_project
from orchestration.commands import run

SPINE = "dbt_project/models/marts/dim_dates"
NET_SALES = "metrics_catalog/metrics/sales/net_sales.yml"
YEARS = """
    select cast(day as date) as date_day, strftime(day, '%G') as iso_year
    from range(date '2023-01-02', date '2025-12-29', interval 1 day) as days (day)
    """


def test_an_alert_rule_that_compares_with_no_period_is_refused_with_its_line(refreshed: Any) -> None:
    refreshed.write(f"{SPINE}.sql", YEARS)
    refreshed.replace(f"{SPINE}.yml", "date_day}", "date_day, custom_granularities: [{name: iso_year}]}")
    refreshed.replace(f"{SPINE}.yml", "day}]", "day}, {name: iso_year, data_type: varchar}]")
    run(refreshed.settings, quiet=True)
    refreshed.replace(NET_SALES, "slices:", "change: {grain: month, against: 1 iso_year, warn: {below: -0.5}}\nslices:")
    assert [str(one) for one in check_project(refreshed.settings).problems if one.level == "error"] == [
        f'{NET_SALES}:12 error change.against: the time spine does not say which month is "1 iso_year" before another'
    ]
    refreshed.replace(NET_SALES, "grain: month, against", "grain: day, against")
    assert check_project(refreshed.settings).errors == 0
