"""The story of a changed definition on the demo's real data, through the command as people use it. Minutes long."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("metrics_catalog", "dbt_project", "expectations", "orchestration")
FILE = "metrics_catalog/metrics/sales/net_sales.yml"
pytestmark = pytest.mark.slow


class Demo:
    """A copy of the demo project, and its command."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for room in ROOMS:
            shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("target", "logs", "__pycache__"))

    def run(self, *arguments: str, user: str = "", code: int = 0) -> str:
        command = [str(Path(sys.executable).with_name("metrics")), "--project", str(self.root), *arguments]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.root), **({"METRICS_USER": user} if user else {})}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        return json.loads(self.run("query", *arguments, "--format", "json"))

    def months(self, metric: str, *arguments: str) -> dict[str, Decimal]:
        found = self.rows(metric, "--grain", "month", *arguments)
        return {row["period"][:7]: Decimal(row[metric]) for row in found}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    demo = Demo(tmp_path_factory.mktemp("demo") / "连锁")
    demo.run("demo", "--days", "120")
    return demo


def test_net_sales_without_coupons(demo: Demo) -> None:
    before, receipts = demo.months("net_sales"), demo.months("average_receipt")
    file = demo.root / FILE
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("expr: net_sales_usd", "expr: net_sales_usd - manufacturer_coupon_usd"), "utf-8")
    demo.run("run")
    assert demo.months("net_sales") == before
    asked = json.loads(
        demo.run(
            "propose", "net_sales", "-r", "优惠券由厂商承担", "--effective", "2017-03-01", "--json", user="omar_aziz"
        )
    )[0]
    moved = {row["period"][:7]: Decimal(row["difference"]) for row in asked["preview"]["periods"]}
    assert all(moved[month] < 0 for month in before)
    assert {row["metric"] for row in asked["preview"]["downstream"]} >= {"average_receipt", "net_sales_ytd"}
    assert {"brand", "store", "department"} & {name for one in asked["preview"]["slices"] for name in one["members"]}
    demo.run("approve", asked["request"], user="omar_aziz", code=2)
    for person in ("li_na", "wang_fang", "chen_jie")[: len(asked["need"])]:
        demo.run("approve", asked["request"], user=person)
    assert json.loads(demo.run("request", asked["request"], "--json"))[0]["state"] == "approved"
    version = json.loads(demo.run("query", "net_sales", "--json"))["version"]
    demo.run("run")
    after = demo.months("net_sales")
    assert after == {month: value + (moved[month] if month >= "2017-03" else 0) for month, value in before.items()}
    assert demo.months("net_sales", "--as-of", str(version)) == before
    now = demo.months("average_receipt")
    assert now["2017-02"] == receipts["2017-02"]
    assert now["2017-03"] < receipts["2017-03"]
    assert "whole" in demo.run("ledger", "verify")
