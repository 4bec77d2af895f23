"""Governance of a small project through the command: what is asked, approved, held and published, and what people read.

Every test begins with the chain (`conftest.py`), nine days published, certified by an admin.
"""

from __future__ import annotations

import json
import os
import subprocess
from decimal import Decimal
from typing import Any

import pytest

PEOPLE = """
    departments: {data: {en: Data, zh: 数据}}
    people:
      wei: {name: 陈伟, email: wei@example.com, language: zh, roles: [owner]}
      min: {name: 赵敏, email: min@example.com, language: zh, roles: [steward]}
      omar: {name: Omar, email: omar@example.com, roles: [analyst]}
      jie: {name: 陈杰, email: jie@example.com, language: zh, roles: [admin]}
    teams: {data: {label: {en: Data, zh: 数据}, department: data, members: [wei]}}
    """
NET_SALES = "metrics_catalog/metrics/sales/net_sales.yml"
FACTS = "dbt_project/models/marts/sales/fct_sales.sql"


@pytest.fixture
def governed(chain: Any) -> Any:
    chain.write("metrics_catalog/people.yml", PEOPLE)
    well(chain, "certify", METRICS_USER="jie")
    return chain


def well(chain: Any, *arguments: str, **environment: str) -> str:
    done = chain.run(*arguments, **environment)
    assert done.code == 0, done.err
    return done.out


def net_sales(chain: Any, *arguments: str) -> dict[str, Decimal]:
    out = well(chain, "query", "net_sales", "--grain", "day", "--format", "json", *arguments)
    return {row["period"][-2:]: Decimal(row["net_sales"]) for row in json.loads(out)}


def requests(chain: Any, *arguments: str) -> dict[str, dict[str, Any]]:
    out = well(chain, "requests", "--json", *arguments)
    return {one["subject"].removeprefix("metric/"): one for one in json.loads(out)}


def approve(chain: Any, name: str, *people: str) -> None:
    for person in people:
        well(chain, "approve", name, METRICS_USER=person)


def without_tea(chain: Any, *how: str) -> str:
    """An analyst asks to leave product 2 (茶, 3.50 a day) out of net sales."""
    chain.replace(NET_SALES, "expr: amount_usd", "expr: amount_usd\nfilter: product_id <> 2")
    out = well(chain, "propose", "net_sales", "-r", "不含茶", "--json", *how, METRICS_USER="omar")
    return json.loads(out)[0]["request"]


def test_a_definition_changes_only_when_it_is_approved(governed: Any) -> None:
    before, version = net_sales(governed), governed.version()
    name = without_tea(governed, "--effective", "2024-03-06")
    well(governed, "run")
    assert net_sales(governed) == before
    asked = requests(governed)["net_sales"]
    moved = {one["metric"] for one in asked["preview"]["downstream"]}
    assert (asked["need"], moved) == (["owner", "steward"], {"average_receipt"})
    for person, why in (("omar", "never decides"), ("nobody", "not a person of people.yml")):
        refused = governed.run("approve", name, METRICS_USER=person)
        assert (refused.code, why in refused.err) == (2, True)
    approve(governed, name, "wei", "min")
    well(governed, "run")
    changed = {day: value - Decimal("3.5") if day >= "06" else value for day, value in before.items()}
    assert net_sales(governed) == changed
    receipts = json.loads(
        well(governed, "query", "average_receipt", "--grain", "day", "--from", "2024-03-05", "--format", "json")
    )
    assert [Decimal(one["average_receipt"]) for one in receipts[:2]] == [changed["05"] / 2, changed["06"] / 2]
    assert net_sales(governed, "--as-of", str(version)) == before
    assert "whole" in well(governed, "ledger", "verify")


def test_days_before_the_change_keep_their_definition_when_they_are_delivered_again(governed: Any) -> None:
    approve(governed, without_tea(governed, "--effective", "2024-03-06"), "wei", "min")
    well(governed, "run")
    for day in ("03", "07"):
        governed.deliver(f"2024-03-{day}", [("甲", 1, 1, "2.00", "静安"), ("甲", 2, 1, "3.50", "静安")])
    well(governed, "run")
    assert (net_sales(governed)["03"], net_sales(governed)["07"]) == (Decimal("5.5"), Decimal("2"))
    governed.replace(NET_SALES, "What customers paid.", "What customers paid, without tea.")
    out = well(governed, "propose", "net_sales", "-r", "words", "--json", METRICS_USER="wei")
    assert json.loads(out)[0]["state"] == "approved"  # an owner's own wording needs nobody else
    well(governed, "run")
    assert (net_sales(governed)["03"], net_sales(governed)["07"]) == (Decimal("5.5"), Decimal("2"))


def test_all_of_history_is_restated_when_that_is_asked(governed: Any) -> None:
    before = net_sales(governed)
    approve(governed, without_tea(governed, "--restate"), "wei", "min")
    well(governed, "run")
    assert net_sales(governed) == {day: value - Decimal("3.5") for day, value in before.items()}


def test_code_that_moves_nothing_clears_itself(governed: Any) -> None:
    version = governed.version()
    governed.replace(FACTS, "select receipt_id", "-- 小票\nselect receipt_id")
    well(governed, "run")
    assert governed.version() == version  # a comment is no change at all
    governed.replace(FACTS, "amount_usd\n", "amount_usd * 1 as amount_usd\n")
    well(governed, "run")
    assert "cleared metric/net_sales: changed code: fct_sales" in well(governed, "log", "--of", "net_sales")
    assert requests(governed) == {}


def test_code_that_moves_numbers_holds_what_it_moves(governed: Any) -> None:
    before = net_sales(governed)
    governed.replace(FACTS, "amount_usd\n", "case when product_id = 2 then 0 else amount_usd end as amount_usd\n")
    held = governed.run("run")
    assert (held.code, "fct_sales" in held.err) == (1, True)
    assert net_sales(governed) == before
    asked = requests(governed)
    assert {name: one["reason"] for name, one in asked.items()} == dict.fromkeys(
        ("net_sales", "average_receipt"), "changed code: fct_sales"
    )
    shown = [(one["period"], one["difference"]) for one in asked["net_sales"]["preview"]["periods"]]
    assert shown == [(f"2024-03-0{day}", "-3.5") for day in range(1, 10)]
    version = governed.version()
    assert governed.run("run").code == 1
    assert governed.version() == version  # it waits, and nothing is asked twice
    assert len(requests(governed, "--all")) == 2
    governed.deliver("2024-03-10", [("甲10", 1, 1, "2.25", "静安")])
    held = governed.run("run")
    assert (held.code, "late rows" in held.err) == (1, False)  # a new day moves nothing that is published
    read = governed.run("query", "net_sales", "--grain", "day")
    assert f"net_sales: held: changed code: fct_sales ({asked['net_sales']['request']})" in read.err
    assert "10" not in net_sales(governed)  # a held metric stands still, others do not
    units = json.loads(well(governed, "query", "units", "--grain", "day", "--from", "2024-03-10", "--format", "json"))
    assert [Decimal(one["units"]) for one in units] == [1]
    for one in requests(governed).values():
        approve(governed, one["request"], "wei", "min")
    well(governed, "run")
    assert net_sales(governed) == {day: value - Decimal("3.5") for day, value in before.items()} | {
        "10": Decimal("2.25")
    }
    assert requests(governed) == {}


def test_what_else_moves_a_metric_while_it_is_held_is_said_too(governed: Any) -> None:
    governed.replace(FACTS, "amount_usd\n", "case when product_id = 2 then 0 else amount_usd end as amount_usd\n")
    governed.run("run")
    before = requests(governed)
    governed.deliver_stores(苏州="无锡")
    assert governed.run("run").code == 1
    asked = requests(governed)
    assert asked["net_sales"] == before["net_sales"]  # it is not sliced by city
    assert asked["average_receipt"]["reason"] == "changed code: fct_sales; changed rows of stores"
    assert requests_of(governed, "average_receipt")[0]["state"] == "withdrawn"


def test_an_approval_is_for_the_values_that_were_shown(governed: Any) -> None:
    governed.replace(FACTS, "amount_usd\n", "case when product_id = 2 then 0 else amount_usd end as amount_usd\n")
    governed.run("run")
    name = requests(governed)["net_sales"]["request"]
    approve(governed, name, "wei")
    governed.replace(FACTS, "then 0 else", "then 1 else")
    governed.run("run")
    old, new = (one for one in requests_of(governed, "net_sales"))
    assert (old["state"], new["state"], new["approvals"]) == ("withdrawn", "in review", [])


def requests_of(chain: Any, metric: str) -> list[dict[str, Any]]:
    found = json.loads(well(chain, "requests", "--all", "--json"))
    return [one for one in found if one["subject"] == f"metric/{metric}"]


def test_corrected_rows_are_published_with_a_note_or_asked_for_as_policy_says(governed: Any) -> None:
    governed.deliver("2024-03-02", [("甲2", 1, 1, "1.00", "静安")])
    well(governed, "run")
    assert net_sales(governed)["02"] == 1
    policy = "metrics_catalog/policy.yml"
    governed.replace(policy, "business_date", "governance: {restatements: {changed_rows: {1: ask}}}\nbusiness_date")
    out = well(governed, "propose", "policy", "-r", "ask", "--json", METRICS_USER="omar")
    approve(governed, json.loads(out)[0]["request"], "jie", "min")
    governed.deliver("2024-03-02", [("甲2", 1, 1, "9.00", "静安")])
    assert governed.run("run").code == 1
    assert net_sales(governed)["02"] == 1
    asked = requests(governed)
    assert set(asked) == {"net_sales", "average_receipt"}  # units are of tier 2
    assert asked["net_sales"]["reason"] == "changed rows of receipts"
    governed.deliver("2024-03-10", [("甲10", 1, 1, "2.25", "静安")])
    assert governed.run("run").code == 1  # late rows pass, and what is held does not pass with them
    assert net_sales(governed)["02"] == 1
    assert requests(governed) == asked
    governed.deliver("2024-03-01", [("甲1", 1, 1, "5.00", "静安")])
    assert governed.run("run").code == 1
    assert requests(governed)["net_sales"]["reason"] == "changed rows of receipts"
    for one in requests(governed).values():
        approve(governed, one["request"], "wei", "min")
    well(governed, "run")
    assert {day: value for day, value in net_sales(governed).items() if day in ("01", "02", "10")} == {
        "01": 5,
        "02": 9,
        "10": Decimal("2.25"),
    }


def test_a_policy_is_judged_by_the_one_before(governed: Any) -> None:
    governed.replace(
        "metrics_catalog/policy.yml",
        "business_date",
        "governance: {rules: [{changes: [policy, people, calculation], need: [owner], author_counts: true}]}\nbusiness_date",
    )
    out = well(governed, "propose", "policy", "-r", "easier", "--json", METRICS_USER="jie")
    asked = json.loads(out)[0]
    assert (asked["state"], asked["need"]) == ("in review", ["steward", "admin"])
    assert governed.run("approve", asked["request"], METRICS_USER="jie").code == 2


def test_a_metric_ends_by_approval_and_stays_readable(governed: Any) -> None:
    version = governed.version()
    refused = governed.run("retire", "net_sales", "-r", "old", METRICS_USER="wei")
    assert (refused.code, "average_receipt need net_sales" in refused.err) == (2, True)
    (governed.project.root / "metrics_catalog/metrics/sales/average_receipt.yml").unlink()
    well(governed, "run")
    shown = well(governed, "query", "average_receipt", "--grain", "day", "--format", "json")
    assert len(json.loads(shown)) == 9  # a file that is gone is only a wish
    out = well(governed, "propose", "average_receipt", "-r", "不用了", "--json", METRICS_USER="omar")
    approve(governed, json.loads(out)[0]["request"], "wei", "min")
    well(governed, "run")
    assert governed.run("query", "average_receipt", "--grain", "day").code == 2
    assert governed.version() > version


def test_when_its_grace_is_over_the_refresh_asks_to_retire_it_and_its_file_goes_when_it_is(governed: Any) -> None:
    path = governed.project.root / "metrics_catalog/metrics/sales/average_receipt.yml"
    asked = governed.office(days_ago=31).end("average_receipt", "omar", "旧", "deprecate")
    approve(governed, asked.name, "wei", "min")
    assert "asks to retire" not in well(governed, "list")
    out = well(governed, "run")
    assert "average_receipt: its grace ended on" in out
    assert "waits for jie, min, wei; it concerns wei" in out
    assert "asks to retire it" in well(governed, "list")
    assert path.exists()
    approve(governed, requests(governed)["average_receipt"]["request"], "wei", "min")
    assert not path.exists()
    well(governed, "run")
    assert "retired on" in well(governed, "show", "average_receipt")


def test_nothing_is_published_without_the_ledger_it_was_published_under(governed: Any) -> None:
    governed.deliver("2024-03-10", [("甲10", 1, 1, "2.25", "静安")])
    well(governed, "run")
    for file in governed.project.state.glob("ops.db*"):
        file.unlink()
    governed.deliver("2024-03-02", [("甲2", 1, 1, "1.00", "静安")])
    done = governed.run("run")
    assert (done.code, "restore its ops store" in done.err) == (3, True)
    assert net_sales(governed)["10"] == Decimal("2.25")


def test_a_run_that_dies_between_ledger_and_values_asks_once(governed: Any) -> None:
    governed.replace(FACTS, "amount_usd\n", "case when product_id = 2 then 0 else amount_usd end as amount_usd\n")
    before = net_sales(governed)
    died = governed.run("run", strikes=[("kill", "before", 1, "metrics_catalog.published.publisher:Draft.commit")])
    assert died.code == -9
    assert net_sales(governed) == before
    assert governed.run("run").code == 1
    assert len(requests(governed, "--all")) == 2


def git(chain: Any, *arguments: str, **environment: str) -> str:
    command = ["git", "-C", str(chain.project.root), "-c", "core.quotepath=off", *arguments]
    mine = {"GIT_CONFIG_GLOBAL": "/dev/null", "PATH": os.environ["PATH"], "HOME": str(chain.project.root)}
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**mine, **environment}).stdout


def by(email: str) -> dict[str, str]:
    return {f"GIT_{who}_{what}": email for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def in_git(governed: Any) -> Any:
    git(governed, "init", "-q")
    governed.write(".gitignore", ".metrics/\ntarget/\nlogs/\n*.user.yml\n")
    git(governed, "add", ".")
    git(governed, "commit", "-qm", "起点", **by("jie@example.com"))
    return governed


def test_what_is_approved_is_committed_with_its_people_and_nothing_else_is(in_git: Any) -> None:
    in_git.write("notes.txt", "staged by somebody else")
    git(in_git, "add", "notes.txt")
    name = without_tea(in_git, "--restate")
    approve(in_git, name, "wei")
    assert git(in_git, "log", "--format=%s") == "起点\n"
    approve(in_git, name, "min")
    assert git(in_git, "show", "--name-only", "--format=%an <%ae>|%cn|%B").split("\n") == [
        *("Omar <omar@example.com>|赵敏|net_sales: 不含茶", "", f"Request: {name}", "Certified: v2"),
        *("Requested-by: Omar <omar@example.com>", "Approved-by: 陈伟 <wei@example.com>"),
        *("Approved-by: 赵敏 <min@example.com>", "", "", NET_SALES, ""),
    ]
    assert git(in_git, "status", "--short") == "A  notes.txt\n"
    well(in_git, "run")  # which builds other metric models
    assert git(in_git, "status", "--short") == "A  notes.txt\n"
    assert git(in_git, "log", "-1", "--format=%an: %s") == "metric-center: Metric models of what is certified\n"


def test_an_approval_that_could_not_be_committed_is_caught_up(in_git: Any) -> None:
    name = without_tea(in_git, "--restate")
    approve(in_git, name, "wei")
    lock = in_git.write(".git/index.lock", "busy")
    done = in_git.run("approve", name, METRICS_USER="min")
    assert (done.code, "approved, but not committed" in done.err) == (0, True)
    lock.unlink()
    well(in_git, "run")
    assert git(in_git, "log", "-2", "--format=%s") == "Metric models of what is certified\nnet_sales: 不含茶\n"


def test_what_was_merged_asks_by_itself_and_certifies_nothing(in_git: Any) -> None:
    before = net_sales(in_git)
    in_git.replace(NET_SALES, "expr: amount_usd", "expr: amount_usd\nfilter: product_id <> 2")
    well(in_git, "run")
    assert requests(in_git) == {}  # an edit that is not committed is nobody's wish yet
    git(in_git, "commit", "-qam", "不含茶", **by("omar@example.com"))
    well(in_git, "run")
    asked = requests(in_git)["net_sales"]
    assert (asked["author"], asked["reason"][:5]) == ("omar", "不含茶 (")
    assert net_sales(in_git) == before
    well(in_git, "reject", asked["request"], "-r", "茶也是货", METRICS_USER="wei")
    well(in_git, "run")
    assert requests(in_git) == {}  # a no is not asked again


def test_what_moved_numbers_is_named_with_its_commit(in_git: Any) -> None:
    in_git.replace(FACTS, "amount_usd\n", "case when product_id = 2 then 0 else amount_usd end as amount_usd\n")
    assert in_git.run("run").code == 1
    assert requests(in_git)["net_sales"]["reason"] == "changed code: fct_sales (not committed)"
    in_git.replace(FACTS, "then 0 else", "then 1 else")
    git(in_git, "commit", "-qam", "茶算一元", **by("omar@example.com"))
    assert in_git.run("run").code == 1
    hash_ = git(in_git, "log", "-1", "--format=%H", "--", FACTS)[:10]
    said = f"changed code: fct_sales (last committed in {hash_} by omar@example.com)"
    assert requests(in_git)["net_sales"]["reason"] == said
    assert requests_of(in_git, "net_sales")[0]["state"] == "withdrawn"


def test_a_stranger_asks_for_nothing(in_git: Any) -> None:
    in_git.replace(NET_SALES, "expr: amount_usd", "expr: amount_usd\nfilter: product_id <> 2")
    git(in_git, "commit", "-qam", "x", **by("mallory@example.com"))
    well(in_git, "run")
    assert requests(in_git, "--all") == {}
