"""The command as people run it: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from orchestration.cli import main
from orchestration.lock import turn


@dataclass
class Ended:
    code: int
    out: str
    err: str


Metrics = Callable[..., Ended]


@pytest.fixture
def metrics(shop: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Metrics:
    monkeypatch.setattr(os, "environ", {**os.environ})

    def call(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["metrics", "--project", str(shop.project.root), *arguments])
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    return call


def test_run_ends_with_a_summary(metrics: Metrics) -> None:
    done = metrics("run")
    assert done.code == 0, done.err
    assert done.err == ""
    lines = [line.split() for line in done.out.splitlines()]
    assert ["receipts", "6", "0", "1"] in lines
    assert ["products", "2", "0", "0"] in lines
    assert "checks             21, 5 with warnings" in done.out
    assert "metrics published  2 of 2" in done.out
    assert "waiting for        receipts of 2024-03-03 and 2 more" in done.out
    again = metrics("run")
    assert "metrics published  0 of 2" in again.out
    assert ["receipts", "-", "-", "-"] in [line.split() for line in again.out.splitlines()]


def test_run_as_json_is_one_document(metrics: Metrics) -> None:
    done = metrics("run", "--json")
    summary = json.loads(done.out)
    assert summary["metrics_published"] == 2
    assert {line["source"]: line["quarantined"] for line in summary["sources"]} == {"products": 0, "receipts": 1}
    assert set(summary["seconds"]) == {"sources", "clean", "dbt", "metrics"}
    queried = metrics("query", "net_sales", "--grain", "day", "--json")
    assert len(json.loads(queried.out)["rows"]) == 2


def test_the_run_is_in_dagsters_own_records(shop: Any, metrics: Metrics) -> None:
    from dagster import DagsterInstance

    run_id = json.loads(metrics("run", "--json").out)["run_id"]
    with DagsterInstance.from_config(str(shop.project.dagster_home)) as instance:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert run.is_success
        assert run.tags["cause"] == "metrics run"


def test_only_what_is_selected_runs(metrics: Metrics) -> None:
    metrics("run")
    done = metrics("run", "--select", "clean/products", "--json")
    assert [line["source"] for line in json.loads(done.out)["sources"]] == ["products"]
    assert json.loads(done.out)["checks"] == 1
    grouped = metrics("run", "--select", 'key:"source/*"', "--json")
    assert len(json.loads(grouped.out)["sources"]) == 2
    for wrong in ("clean/product", "group:", 'key:"nothing/*"'):
        refused = metrics("run", "--select", wrong)
        assert refused.code == 2, refused
        assert "--select" in refused.err
        assert "Traceback" not in refused.err


def test_bad_data_ends_with_1_and_says_where(shop: Any, metrics: Metrics) -> None:
    shop.deliver("2024-03-03", [("r5", 1, "两", "7.25")])
    done = metrics("run")
    assert done.code == 1
    assert "receipts_2024-03-03.csv:2" in done.err
    assert "两" in done.err
    assert "Published values are as they were" in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (
            "orchestration/sources/receipts.yml",
            "kind: files",
            "kind: file",
            'orchestration/sources/receipts.yml:5 error kind: "file"',
        ),
        (
            "orchestration/sources/products.yml",
            "owner: wei",
            "owner: wie",
            'orchestration/sources/products.yml:4 error owner: "wie"',
        ),
        (
            "expectations/suites/receipts.yml",
            "source: products",
            "source: product",
            "expectations/suites/receipts.yml:9 error",
        ),
        ("expectations/suites/receipts.yml", "min_value", "min_valeu", "expectations/suites/receipts.yml:5 error"),
        (
            "metrics_catalog/metrics/sales/net_sales.yml",
            "amount_usd",
            "amount_eur",
            "metrics_catalog/metrics/sales/net_sales.yml:10 error",
        ),
        ("metrics_catalog/policy.yml", "timezone", "time_zone", "metrics_catalog/policy.yml:1 error"),
        ("metrics_catalog/people.yml", "members: [wei]", "members: [wie]", "metrics_catalog/people.yml:"),
        ("dbt_project/models/staging/clean.yml", "{name: products}", "{name: product}", "dbt_project/models/"),
        (
            "dbt_project/models/marts/sales/fct_sales.sql",
            "stg_receipts",
            "stg_receipt",
            "dbt_project/models/marts/sales/fct_sales.sql:3 error",
        ),
    ],
)
def test_a_typo_ends_with_1_before_anything_runs(
    shop: Any, metrics: Metrics, path: str, old: str, new: str, said: str
) -> None:
    shop.replace(path, old, new)
    done = metrics("run")
    assert done.code == 1
    assert said in done.err
    assert "Traceback" not in done.err
    assert not shop.project.warehouse.exists()
    checked = metrics("check")
    assert checked.code == 1
    assert said in checked.out


def test_a_busy_project_ends_with_3_and_says_who(shop: Any, metrics: Metrics) -> None:
    code = (
        "import sys, time; from pathlib import Path; from metrics_catalog.project import Project;"
        "from orchestration.lock import turn\n"
        "with turn(Project.at(Path(sys.argv[1])), 'the daily refresh'): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(shop.project.root)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        done = metrics("run")
        other.kill()
    assert done.code == 3
    assert f"the daily refresh (process {other.pid}" in done.err


def test_a_broken_system_ends_with_3(shop: Any, metrics: Metrics) -> None:
    metrics("run")
    shop.project.warehouse.write_bytes(b"not a database")
    done = metrics("run")
    assert done.code == 3
    assert "warehouse.duckdb" in done.err
    assert "Traceback" not in done.err


def test_wrong_usage_ends_with_2(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    assert metrics("rnu").code == 2
    assert metrics("run", "--nothing").code == 2
    monkeypatch.setitem(os.environ, "METRICS_PORT", "eighty")
    done = metrics("run")
    assert done.code == 2
    assert "METRICS_PORT" in done.err


def test_debug_shows_the_traceback(shop: Any, metrics: Metrics) -> None:
    shop.project.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with turn(shop.project, "test"):
        pass
    shop.replace("metrics_catalog/policy.yml", "timezone", "time_zone")
    from metrics_catalog.located import InvalidFiles

    with pytest.raises(InvalidFiles):
        metrics("--debug", "run")


def test_check_and_generate(shop: Any, metrics: Metrics) -> None:
    assert metrics("check").code == 0
    shop.replace("metrics_catalog/metrics/sales/net_sales.yml", "slices: [[store]]", "slices: []")
    stale = metrics("check")
    assert stale.code == 1
    assert "metrics generate" in stale.out
    assert "sales_daily.sql" in metrics("generate").out
    assert metrics("check").code == 0
