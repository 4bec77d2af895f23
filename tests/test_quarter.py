"""A quarter at the shop: an alert leads to a decision, its outcome is measured; the review's proposals take effect."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from metrics_catalog.ops.store import open_store, reading, writing
from metrics_catalog.ops.tables import incidents, outbox
from metrics_catalog.spec.review import Usage
from metrics_catalog.usage import Recorder
from orchestration.cli import main
from orchestration.definitions import build

FIRST, ALERT, DUE = date(2023, 11, 6), date(2024, 2, 25), date(2024, 3, 24)
Metrics = Callable[..., Any]


@pytest.fixture
def metrics(shop: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Metrics:
    """Gives a command to the shop, as somebody, and hands back its JSON."""
    monkeypatch.setattr(os, "environ", {**os.environ})

    def call(user: str, *arguments: str) -> Any:
        monkeypatch.setitem(os.environ, "METRICS_USER", user)
        monkeypatch.setattr(sys, "argv", ["metrics", "--project", str(shop.project.root), *arguments, "--json"])
        capfd.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        out, err = capfd.readouterr()
        assert code == 0, (code, out, err)
        return json.loads(out)

    return call


def run(shop: Any, job: str, **how: Any) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert build(shop.declared()).resolve_job_def(job).execute_in_process(instance=instance, **how).success


def deliver(shop: Any, first: date, last: date, amount: Callable[[date], int]) -> None:
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        shop.deliver(
            day.isoformat(), [("r1", 1, 1, f"{amount(day)}.00"), ("r2", 2, 1, f"{amount(day) // 2}.00", "北京")]
        )


def sold(day: date, level: int) -> int:
    """A quiet 15th each month, which is what the bound cries about."""
    return 80 if day.day == 15 else level + day.day % 3


def letters(shop: Any, part: str) -> list[dict[str, Any]]:
    with reading(open_store(shop.project.ops)) as con:
        rows = con.execute(sa.select(outbox.c.message).where(outbox.c.key.contains(part)))
        return [json.loads(row.message) for row in rows]


def close(shop: Any, day: date) -> None:
    """Time passes: asked for and approved like any other change of the policy."""
    from metrics_catalog.governance.office import Wish

    policy: Path = shop.project.policy
    lines = [line for line in policy.read_text(encoding="utf-8").splitlines() if "business_date" not in line]
    policy.write_text("\n".join([*lines, f"business_date: {day}"]) + "\n", encoding="utf-8")
    shop.approve(shop.office().propose("policy", "ana", Wish("time passes")).id)


def false_alarms(shop: Any, count: int) -> None:
    """As monitoring keeps alerts that people called false."""
    at = (datetime.now(UTC) - timedelta(days=3)).isoformat(timespec="milliseconds")
    data = {"cause": "move", "rule": "bounds", "members": [], "reason": "false alarm"}
    row = {
        "state": "resolved",
        "severity": 3,
        "metric": "net_sales",
        "opened_at": at,
        "updated_at": at,
        "closed_at": at,
    }
    with writing(open_store(shop.project.ops), incidents) as con:
        for n in range(count):
            values = {**row, "number": 900 + n, "key": f"false/{n}", "data": json.dumps(data)}
            con.execute(sa.insert(incidents).values(**values))


def test_a_quarter(shop: Any, metrics: Metrics) -> None:
    # A shop with bounds on its sales is certified; on the last day they are broken.
    shop.replace("orchestration/sources/receipts.yml", "start: 2024-03-01", f"start: {FIRST}")
    shop.replace(
        "metrics_catalog/metrics/sales/net_sales.yml", "slices:", "bounds: {grain: day, warn: {below: 140}}\nslices:"
    )
    policy = "timezone: UTC\nreview: {unused_days: 30, noisy_alerts: 4}\nbusiness_date: 2024-02-25\n"
    shop.project.policy.write_text(policy, encoding="utf-8")
    deliver(shop, FIRST, ALERT, lambda day: 60 if day == ALERT else sold(day, 100))
    run(shop, "refresh")
    shop.certify()
    (alert,) = [one for one in metrics("wei", "alerts", "list") if one["metric"] == "net_sales"]
    assert alert["cause"] == "move"

    # It leads to a decision, in two steps, which is due four weeks later.
    asked = metrics("wei", "decide", alert["incident"], "--action", "换陈列", "--owner", "ana")
    assert (asked["metric"], asked["incident"], asked["state"]) == ("net_sales", 1, "open")
    more = metrics("wei", "decide", asked["decision"], "--expect", f"+10% by {DUE}")
    assert more["due"] == str(DUE)
    assert letters(shop, "decision/1/opened")[0]["title"] == "D-1 is yours: 换陈列"
    metrics("ana", "decisions", "done", "D-1")

    # Sales rise; on the due date the job measures the effect and tells the owner, and who decided.
    deliver(shop, ALERT + timedelta(days=1), DUE, lambda day: sold(day, 120))
    close(shop, DUE)
    run(shop, "refresh")
    config = {"ops": {"write_review": {"config": {"cause": "due"}}}}
    run(shop, "review", run_config=config)
    measured = metrics("", "decisions", "show", "D-1")
    assert (measured["state"], measured["outcome"]["verdict"]) == ("measured", "met")
    assert measured["outcome"]["actual"] == pytest.approx(179, abs=1)
    assert measured["outcome"]["clear"] is True
    assert sorted(one["language"] for one in letters(shop, "decision/1/measured")) == ["en", "zh"]

    # For a month people read sales, nobody reads receipts; the rule cries wolf.
    long_ago = Recorder(shop.project, Usage(), lambda: datetime.now(UTC) - timedelta(days=40))
    long_ago.note("query", "wei", ["net_sales"])
    long_ago.flush()
    metrics("ana", "query", "net_sales", "--grain", "day")
    false_alarms(shop, 5)
    pack = metrics("wei", "review")
    found = {one["key"]: one for one in pack["items"]}
    assert {"unused/receipts", "noisy/net_sales/bounds", "outcome/D-1"} <= set(found)
    assert (Path(pack["folder"]) / "review.zh.html").is_file()

    # Both proposals are accepted, approved by others, and effective.
    (retired,) = metrics("ana", "review", "accept", "unused/receipts", "--now")
    (calmed,) = metrics("ana", "review", "accept", "noisy/net_sales/bounds")
    assert (retired["changes"], calmed["changes"]) == (["retire"], ["bounds"])
    metrics("wei", "approve", retired["request"])
    metrics("wei", "approve", calmed["request"])
    (approved,) = metrics("fang", "approve", calmed["request"])
    assert approved["state"] == "approved"
    run(shop, "refresh")
    assert [one["metric"] for one in metrics("", "list")] == ["net_sales"]
    bounds = metrics("", "show", "net_sales")["bounds"]
    assert float(bounds["warn"]["below"]) == 120
    again = {one["key"] for one in metrics("wei", "review")["items"]}
    assert "unused/receipts" not in again
