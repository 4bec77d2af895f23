from __future__ import annotations

from typing import Any

import pytest

from metrics_catalog.catalog import load_catalog
from metrics_catalog.located import InvalidFiles

POLICY = "metrics_catalog/policy.yml"
GOOD = """
timezone: Asia/Shanghai
business_date: 2024-03-05
alerts:
  severities: {1: {warn: 3}}
  quiet: {start: "22:00", end: "07:30"}
  renotify_hours: {1: 0.5}
  routes:
    - {to: [data, wei], causes: [late, check]}
    - {to: [data], domains: [sales], metrics: [net_sales], tiers: [1], severity: 2}
"""


def problems(refreshed: Any, old: str, new: str) -> list[str]:
    assert old in GOOD
    refreshed.write(POLICY, GOOD.replace(old, new))
    with pytest.raises(InvalidFiles) as found:
        load_catalog(refreshed.project)
    return [str(one) for one in found.value.problems]


def test_what_holds_is_read(refreshed: Any) -> None:
    refreshed.write(POLICY, GOOD)
    alerts = load_catalog(refreshed.project).policy.alerts
    assert (alerts.severity(1, "warn"), alerts.severity(1, "critical"), alerts.severity(3, "warn")) == (3, 1, 4)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[data, wei]", "[data, wie]", f'{POLICY}:8 error "wie" is not a person, team or department'),
        ("[sales]", "[sale]", f'{POLICY}:9 error "sale" is not a domain (did you mean "sales"?)'),
        ("[net_sales]", "[net_sale]", f'{POLICY}:9 error "net_sale" is not a metric (did you mean "net_sales"?)'),
        ("[late, check]", "[late, chek]", f"{POLICY}:8 "),
        ("warn: 3", "warn: 6", f"{POLICY}:4 "),
        ('"07:30"', '"22:00"', f"{POLICY}:5 "),
        ("0.5", "0", f"{POLICY}:6 "),
        ("severity: 2", "severities: 2", f"{POLICY}:9 "),
    ],
)
def test_what_makes_no_sense_is_said_with_its_line(refreshed: Any, old: str, new: str, says: str) -> None:
    found = problems(refreshed, old, new)
    assert any(one.startswith(says) for one in found), found
