"""The command as people run it: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import re
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

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


Metrics = Callable[..., Ended]


@pytest.fixture
def metrics(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Metrics:
    """Gives a command to the shop, the certified one where a test asks for that."""
    shop = request.getfixturevalue("certified" if "certified" in request.fixturenames else "shop")
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
    assert done.err.partition("─")[0] == ""  # alerts follow
    lines = [line.split() for line in done.out.splitlines()]
    assert ["receipts", "6", "0", "1"] in lines
    assert ["products", "2", "0", "0"] in lines
    assert "checks             19, 3 with warnings" in done.out
    assert "metrics published  2 of 2" in done.out
    assert done.out.count("nothing is certified yet") == 1
    assert "waiting for        receipts of 2024-03-03 and 2 more" in done.out
    again = metrics("run")
    assert "metrics published  0 of 2" in again.out
    assert ["receipts", "-", "-", "-"] in [line.split() for line in again.out.splitlines()]


def test_run_as_json_is_one_document(metrics: Metrics) -> None:
    done = metrics("run", "--json")
    summary = json.loads(done.out)
    assert summary["metrics_published"] == 2
    assert {line["source"]: line["quarantined"] for line in summary["sources"]} == {"products": 0, "receipts": 1}
    assert set(summary["seconds"]) == {"sources", "clean", "dbt", "metrics", "alerts"}
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


NET_SALES = "metrics_catalog/metrics/sales/net_sales.yml"
RECEIPTS = "metrics_catalog/metrics/sales/receipts.yml"


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch, metrics: Metrics) -> Metrics:
    """The command as somebody of people.yml."""

    def call(person: str, *arguments: str) -> Ended:
        monkeypatch.setitem(os.environ, "METRICS_USER", person)
        return metrics(*arguments)

    return call


def test_a_draft_is_said_asked_for_approved_and_remembered(certified: Any, metrics: Metrics, acting: Metrics) -> None:
    certified.replace(NET_SALES, "expr: amount_usd", "expr: amount_usd * 2")
    certified.replace(NET_SALES.replace("net_sales", "receipts"), "direction: up", "direction: down")
    assert "proposed           2 not as certified" in metrics("run").out
    assert metrics("list").out.count("certified v1; edited") == 2
    assert acting("ana", "propose", "net_sales", "receipts", "--reason", "better", "--restate").code == 0
    assert json.loads(metrics("show", "net_sales", "--json").out)["request"] == "CR-1"
    for person in ("wei", "fang", "li"):
        done = acting(person, "approve", "CR-1", "CR-2")
        if person == "wei":
            assert (done.code, done.err) == (0, "")
            assert "CR-1  metric/net_sales" in done.out
            assert "CR-2  metric/receipts  bounds  [approved]" in done.out
    lines = metrics("history", "receipts").out.splitlines()
    assert lines[0].startswith("v1  ")
    assert "v2  " in lines[1]
    assert "CR-2 by ana, approved by wei: better" in lines[1]
    assert lines[2].startswith("CR-2  ")
    assert json.loads(metrics("list", "--json").out)[1]["version"] == 2
    assert metrics("history", "nothing").code == 2


def test_several_approvals_stop_at_the_first_that_is_refused(certified: Any, acting: Metrics) -> None:
    certified.replace(NET_SALES, "direction: up", "direction: down")
    acting("ana", "propose", "net_sales", "--reason", "better")
    done = acting("wei", "approve", "CR-1", "CR-9")
    assert done.code == 2
    assert "there is no request CR-9" in done.err
    assert "approved by wei" in done.out
    assert acting("wei", "approve", "CR-1", "CR-2", "--fingerprint", "x").code == 2


def test_a_held_metric_ends_with_1_and_is_marked_wherever_it_is_read(certified: Any, metrics: Metrics) -> None:
    mart = "dbt_project/models/marts/sales/fct_sales.sql"
    certified.replace(mart, "quantity, amount_usd", "quantity, amount_usd * 2 as amount_usd")
    done = metrics("run")
    said = "net_sales: published values would change: changed code: fct_sales (CR-1)"
    assert done.code == 1
    assert "held back          net_sales (CR-1)\n" in done.out
    assert done.err.endswith(f"held back: {said}\n")
    again = metrics("run", "--json")
    assert again.code == 1
    assert json.loads(again.out)["held"] == [{"metric": "net_sales", "why": [said], "request": "CR-1"}]
    queried = metrics("query", "net_sales", "receipts", "--grain", "day")
    assert (queried.code, queried.err) == (0, "net_sales: held: changed code: fct_sales (CR-1)\n")
    assert json.loads(metrics("query", "net_sales", "--grain", "day", "--json").out)["marks"] == {
        "net_sales": ["held: changed code: fct_sales (CR-1)"]
    }
    assert "certified v1; held: changed code: fct_sales (CR-1)" in metrics("show", "net_sales").out


def test_every_value_ever_published_for_a_day(certified: Any, metrics: Metrics) -> None:
    certified.change("net_sales", "expr: amount_usd", "expr: amount_usd * 2")
    assert metrics("run").code == 0
    first, second = metrics("history", "net_sales", "--period", "2024-03-01").out.splitlines()
    assert first.split()[-1] == "9.5"
    assert second.endswith("19  by v2  certified net_sales v2")
    sliced = json.loads(metrics("history", "net_sales", "--period", "2024-03-01", "--by", "store=上海", "--json").out)
    assert [float(one["row"]["value"]) for one in sliced] == [9.5, 19]
    assert "nothing was ever published" in metrics("history", "net_sales", "--period", "2023-03").out
    refused = metrics("history", "net_sales", "--period", "2024-03-01", "--by", "brand=x")
    assert refused.code == 2
    assert "net_sales is published by store" in refused.err


def test_a_deprecated_metric_says_what_to_use(certified: Any, metrics: Metrics) -> None:
    certified.approve(certified.office().end("receipts", "ana", "unused", "deprecate", "net_sales").id)
    queried = metrics("query", "receipts", "--grain", "day")
    assert queried.err.startswith("receipts: deprecated, use net_sales until ")
    assert queried.code == 0


def test_what_is_not_certified_is_listed_and_has_no_values(certified: Any, metrics: Metrics) -> None:
    text = (certified.project.root / NET_SALES).read_text(encoding="utf-8")
    certified.write("metrics_catalog/metrics/sales/gross.yml", text.replace("Net s", "Gross s").replace("净", "总"))
    assert "proposed" in metrics("list").out
    done = metrics("query", "gross", "--grain", "day")
    assert done.code == 2
    assert '"gross" is not certified' in done.err


def test_a_retired_metric_stays_readable(certified: Any, metrics: Metrics) -> None:
    before = metrics("query", "receipts", "--grain", "day", "--json").json
    certified.approve(certified.office().end("receipts", "ana", "unused", "retire", "net_sales").id)
    (certified.project.root / RECEIPTS).unlink()
    assert metrics("run").code == 0
    assert "receipts" not in metrics("list").out
    shown = metrics("show", "receipts").out
    assert "How many receipts." in shown
    assert re.search(r"retired on 20\d\d-\d\d-\d\d, use net_sales", shown)
    assert metrics("show", "receipts", "--json").json["state"] == "retired"
    refused = metrics("query", "receipts", "--grain", "day")
    assert refused.code == 2
    assert "read what was published of it with --as-of DAY" in " ".join(refused.err.replace("│", " ").split())
    then = metrics("query", "receipts", "--grain", "day", "--as-of", str(before["version"]), "--json")
    assert then.json["rows"] == before["rows"]
    assert then.err.startswith("receipts: retired on ")
    other = metrics("query", "receipts", "--grain", "year", "--as-of", str(before["version"]))
    assert "receipts is retired and was not published by year" in other.err
    assert "v2" in metrics("history", "receipts").out
    first, last = metrics("history", "receipts", "--period", "2024-03-01").out.splitlines()
    assert (first.split()[4], "no value" in last) == ("2", True)


def test_a_proposed_file_with_a_fault_is_listed_as_that(certified: Any, metrics: Metrics) -> None:
    text = (certified.project.root / NET_SALES).read_text(encoding="utf-8")
    certified.write("metrics_catalog/metrics/sales/gross.yml", text.replace("agg: sum", "agg: summ"))
    certified.replace(RECEIPTS, "tier: ", "tiers: ")
    listed = {line.split()[0]: line for line in metrics("list").out.splitlines()}
    assert " ".join(listed["gross"].split()) == "gross sales proposed; its file has a fault, see `metrics check`"
    assert "certified v1; edited; its file has 2 faults" in listed["receipts"]
    (gross,) = (one for one in metrics("list", "--json").json if one["metric"] == "gross")
    assert (gross["domain"], gross["state"], "gross.yml:" in gross["faults"][0]) == ("sales", "proposed", True)
    shown = metrics("show", "gross")
    assert (shown.code, "gross.yml:" in shown.err) == (1, True)


def test_what_is_exported_is_what_is_certified(certified: Any, metrics: Metrics) -> None:
    official = metrics("export")
    assert official.err.startswith("exported as certified\n")
    certified.replace(NET_SALES, "agg: sum", "agg: max")
    again = metrics("export")
    assert again.out == official.out
    assert again.err.startswith("exported as certified; not as their files say (--files): net_sales\n")
    drafts = metrics("export", "--files")
    assert drafts.out != official.out
    assert drafts.err.startswith("exported as the files say, certified or not\n")


def test_a_draft_with_a_fault_is_an_error_of_check_and_stops_no_run(certified: Any, metrics: Metrics) -> None:
    certified.replace(NET_SALES, "agg: sum", "agg: summ")
    assert metrics("run").code == 0
    assert metrics("query", "net_sales", "--grain", "day").code == 0
    checked = metrics("check")
    assert checked.code == 1
    assert f"{NET_SALES}:" in checked.out


def test_without_its_ops_store_nothing_runs(certified: Any, metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "METRICS_OPS_URL", "postgresql://nobody@127.0.0.1:1/ops")
    for command in (["run"], ["list"], ["query", "net_sales"]):
        done = metrics(*command)
        assert done.code == 3
        assert "the ops store postgresql://nobody@127.0.0.1:1/ops cannot be used" in done.err
        assert "Traceback" not in done.err


def test_the_demo_certifies_once(shop: Any, metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration import commands

    monkeypatch.setattr(commands, "lay_out_demo", lambda *_, **__: None)
    shop.write_people()
    first = metrics("demo")
    assert first.code == 0, first.err
    assert "Certified by wei" in first.out
    assert metrics("list").out.count("certified v1") == 2
    assert "Certified by" not in metrics("demo").out
