"""The command's governance as people use it: a whole story on the shop, its JSON, and how each refusal ends."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from orchestration.cli import main

PEOPLE = """
    departments: {data: {en: Data, zh: 数据}}
    people:
      wei: {name: 陈伟, email: wei@example.com, roles: [owner]}
      fang: {name: 王芳, email: fang@example.com, roles: [steward]}
      jie: {name: 陈杰, email: jie@example.com, roles: [admin]}
      omar: {name: Omar Aziz, email: omar@example.com, roles: [analyst]}
    teams: {data: {label: {en: Data, zh: 数据}, department: data, members: [wei]}}
"""
RECEIPTS = "metrics_catalog/metrics/sales/receipts.yml"
NET_SALES = "metrics_catalog/metrics/sales/net_sales.yml"


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
def metrics(refreshed: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Metrics:
    """Gives a command to the refreshed shop, as somebody."""
    refreshed.write("metrics_catalog/people.yml", PEOPLE)
    monkeypatch.setattr(os, "environ", {**os.environ})

    def call(user: str, *arguments: str) -> Ended:
        monkeypatch.setitem(os.environ, "METRICS_USER", user)
        monkeypatch.setattr(sys, "argv", ["metrics", "--project", str(refreshed.project.root), *arguments])
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return Ended(code, out, err)

    return call


def done(ended: Ended) -> list[str]:
    assert ended.code == 0, ended.err
    return ended.out.splitlines()


def test_a_change_from_the_edited_file_to_the_certified_version(refreshed: Any, metrics: Metrics) -> None:
    assert done(metrics("jie", "certify", "-r", "上线")) == [
        "certified 2 metrics, people and policy; changes go through `metrics propose`"
    ]
    assert done(metrics("omar", "propose")) == ["every file is as certified"]
    refreshed.replace(RECEIPTS, "expr: receipt_id", "expr: receipt_id\nfilter: amount_usd > 2")
    assert done(metrics("omar", "propose")) == [f"receipts  calculation  {RECEIPTS}"]
    shown = done(metrics("omar", "preview", "receipts"))
    assert [one.split() for one in shown[:3]] == [
        ["period", "old", "new", "difference", "%"],
        ["2024-03-01", "2", "1", "-1", "-50.00", "%"],
        ["2024-03-02", "2", "1", "-1", "-50.00", "%"],
    ]
    asked = done(metrics("omar", "propose", "receipts", "-r", "小额不算"))
    assert asked[0] == "CR-1  metric/receipts  calculation  [in review]"
    assert asked[2] == "holds for periods from 2024-03-06 on"
    assert asked[3] == "  filter: amount_usd > 2"
    assert asked[-2:] == ["waits for owner: wei", "waits for steward: fang, jie"]
    assert done(metrics("wei", "requests")) == [
        "CR-1  metric/receipts  calculation  by omar  waits for fang, jie, wei: 小额不算"
    ]
    done(metrics("fang", "comment", "cr-1", "多少算小额？"))
    assert "waits for steward: fang, jie" in done(metrics("wei", "approve", "1"))
    approved = done(metrics("fang", "approve", "CR-1"))
    assert approved[0].endswith("[approved]")
    assert done(metrics("wei", "requests")) == ["no request waits for an answer"]
    assert done(metrics("wei", "requests", "--all"))[0].endswith("approved: 小额不算")
    assert done(metrics("wei", "propose")) == ["every file is as certified"]
    log = done(metrics("wei", "log", "--of", "receipts"))
    assert [one.split()[4] for one in log] == [
        "certified", "submitted", "previewed", "commented", "approved", "approved", "certified", "effective",
    ]  # fmt: skip
    assert done(metrics("wei", "log", "--since", "2999-01-01")) == [""]
    assert done(metrics("wei", "ledger", "verify")) == ["the ledger is whole"]


def test_endings(refreshed: Any, metrics: Metrics) -> None:
    done(metrics("jie", "certify"))
    asked = done(metrics("omar", "deprecate", "receipts", "-r", "没人看", "--successor", "net_sales"))
    assert "use net_sales instead" in asked
    assert done(metrics("wei", "reject", "CR-1", "-r", "还要用"))[0].endswith("[rejected]")
    done(metrics("omar", "retire", "receipts", "-r", "没人看"))
    assert done(metrics("omar", "withdraw", "CR-2"))[0].endswith("[withdrawn]")
    done(metrics("omar", "retire", "receipts", "-r", "没人看"))
    approved = metrics("wei", "approve", "CR-3")
    assert done(approved)[0].endswith("[approved]")
    assert approved.err == f"removed {RECEIPTS}\n"
    assert len(done(metrics("wei", "requests", "--all"))) == 3
    assert done(metrics("omar", "propose")) == ["every file is as certified"]


def test_a_deprecation_is_taken_back_by_who_read_the_request(refreshed: Any, metrics: Metrics) -> None:
    done(metrics("jie", "certify"))
    done(metrics("omar", "deprecate", "receipts", "-r", "没人看"))
    done(metrics("wei", "approve", "CR-1"))
    assert done(metrics("omar", "revive", "receipts", "-r", "还要用"))[0].endswith("revive  [in review]")
    assert not any(one.startswith("read by") for one in done(metrics("", "request", "CR-2")))
    (read,) = (one for one in done(metrics("wei", "request", "CR-2")) if one.startswith("read by"))
    assert read.startswith("read by wei on ")
    (approved,) = metrics("wei", "approve", "CR-2", "--json").json
    assert [(one["person"], one["read"]) for one in approved["approvals"]] == [("wei", True)]
    assert [one["person"] for one in approved["readings"]] == ["wei"]
    (listed,) = (one for one in metrics("omar", "list", "--json").json if one["metric"] == "receipts")
    assert listed["state"] == "certified"


def test_every_command_has_json(refreshed: Any, metrics: Metrics) -> None:
    assert metrics("jie", "certify", "--json").json == {
        "certified": ["metric/net_sales", "metric/receipts", "people", "policy"]
    }
    refreshed.replace(RECEIPTS, "expr: receipt_id", "expr: receipt_id\nfilter: amount_usd > 2")
    listed = metrics("omar", "propose", "--json").json
    assert listed == [{"name": "receipts", "changes": ["calculation"], "file": RECEIPTS, "version": 1}]
    assert metrics("omar", "preview", "receipts", "--json").json["effect"] == "0.5"
    (asked,) = metrics("omar", "propose", "receipts", "-r", "小额不算", "--json").json
    assert (asked["request"], asked["state"], asked["author"]) == ("CR-1", "in review", "omar")
    assert asked["edits"] == [{"key": "filter", "old": None, "new": "amount_usd > 2"}]
    assert asked["missing"] == {"owner": ["wei"], "steward": ["fang", "jie"]}
    assert asked["reason"] == "小额不算"
    assert metrics("omar", "preview", "CR-1", "--json").json[0]["fingerprint"] == asked["fingerprint"]
    assert metrics("fang", "comment", "CR-1", "？", "--json").json[0]["comments"][0]["text"] == "？"
    assert metrics("fang", "request", "CR-1", "--json").json[0]["request"] == "CR-1"
    assert [one["request"] for one in metrics("fang", "requests", "--json").json] == ["CR-1"]
    (half,) = metrics("wei", "approve", "CR-1", "--fingerprint", asked["fingerprint"], "--json").json
    assert [one["person"] for one in half["approvals"]] == ["wei"]
    assert metrics("fang", "reject", "CR-1", "-r", "no", "--json").json[0]["state"] == "rejected"
    (ending,) = metrics("omar", "deprecate", "receipts", "-r", "why", "--json").json
    assert ending["changes"] == ["deprecate"]
    assert metrics("omar", "withdraw", ending["request"], "--json").json[0]["state"] == "withdrawn"
    assert metrics("omar", "retire", "receipts", "-r", "why", "--json").json[0]["changes"] == ["retire"]
    log = metrics("omar", "log", "--json").json
    assert [one["seq"] for one in log] == list(range(1, len(log) + 1))
    assert {"kind", "subject", "actor", "data", "at", "hash"} <= set(log[0])
    assert metrics("omar", "ledger", "verify", "--json").json == {"faults": []}


def test_refusals_and_wrong_usage_end_with_2(refreshed: Any, metrics: Metrics) -> None:
    def refused(user: str, *arguments: str, says: str) -> None:
        ended = metrics(user, *arguments)
        assert ended.code == 2, ended
        assert ended.out == ""
        assert says in " ".join(ended.err.replace("│", " ").split())

    refused("omar", "propose", "receipts", "-r", "x", says="begin with `metrics certify`")
    refused("omar", "certify", says="omar is not an admin")
    refused("", "certify", says="say who you are: METRICS_USER")
    refused("eve", "certify", says='"eve" is not a person of people.yml')
    done(metrics("jie", "certify"))
    refused("jie", "certify", says="certified already")
    refused("omar", "propose", "receipts", "-r", "x", says='"receipts" is as certified; edit its file first')
    refused("omar", "propose", "receipt", "-r", "x", says='did you mean "receipts"')
    refused("omar", "propose", "receipts", says="say why with --reason")
    refreshed.replace(RECEIPTS, "expr: receipt_id", "expr: receipt_id\nfilter: amount_usd > 2")
    refused("omar", "propose", "receipts", "-r", "x", "--restate", "--effective", "2024-03-01", says="give one of them")
    refused("omar", "propose", "receipts", "-r", "x", "--effective", "soon", says="soon")
    done(metrics("omar", "propose", "receipts", "-r", "x"))
    refused("omar", "approve", "CR-1", says="whoever asks never decides")
    refused("wei", "approve", "CR-1", "--fingerprint", "0" * 16, says="previewed again since you looked")
    refused("wei", "approve", "CR-9", says="there is no request CR-9")
    refused("wei", "approve", "first", says='"first" is not a change request')
    refused("wei", "request", "CR-9", says="there is no request CR-9")
    refused("wei", "withdraw", "CR-1", says="only its author or an admin may withdraw it")
    refused("wei", "reject", "CR-1", says="--reason")
    refused(
        "wei", "deprecate", "receipts", "-r", "x", "--successor", "receipts", says="is not another certified metric"
    )
    refused("wei", "preview", "receipt", says='there is no metric "receipt"')
    assert metrics("wei", "request", "CR-1").code == 0


def test_the_first_of_several_is_told_even_when_the_second_is_refused(refreshed: Any, metrics: Metrics) -> None:
    done(metrics("jie", "certify"))
    refreshed.replace(RECEIPTS, "expr: receipt_id", "expr: receipt_id\nfilter: amount_usd > 2")
    ended = metrics("omar", "propose", "receipts", "net_sales", "-r", "x")
    assert ended.code == 2
    assert ended.out.startswith("CR-1")
    assert '"net_sales" is as certified' in ended.err


def test_a_definition_at_fault_ends_with_1_and_its_place(refreshed: Any, metrics: Metrics) -> None:
    done(metrics("jie", "certify"))
    refreshed.replace(NET_SALES, "amount_usd", "amount_eur")
    ended = metrics("omar", "propose", "net_sales", "-r", "x")
    assert ended.code == 1
    assert f"{NET_SALES}:10 error" in ended.err


COMMANDS = (
    ("certify",), ("propose",), ("requests",), ("request", "CR-1"), ("approve", "CR-1"), ("reject", "CR-1", "-r", "x"),
    ("withdraw", "CR-1"), ("comment", "CR-1", "x"), ("retire", "receipts", "-r", "x"), ("preview", "receipts"), ("log",),
)  # fmt: skip


def test_a_store_that_cannot_be_used_ends_with_3(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "METRICS_OPS_URL", "postgresql://wei:geheim@127.0.0.1:1/ops")
    for command in (*COMMANDS, ("ledger", "verify")):
        ended = metrics("jie", *command)
        assert ended.code == 3, command
        assert ended.err.startswith("the ops store postgresql://wei:***@127.0.0.1:1/ops cannot be used")
        assert ended.out == ""


def test_a_damaged_ledger_ends_with_3_whatever_is_asked_and_verify_names_it(refreshed: Any, metrics: Metrics) -> None:
    done(metrics("jie", "certify"))
    with closing(sqlite3.connect(refreshed.project.state / "ops.db")) as con, con:
        con.execute("drop trigger ledger_update")
        con.execute("update ledger set actor = 'eve' where seq = 2")
    for command in COMMANDS:
        ended = metrics("jie", *command)
        assert ended.code == 3, command
        assert "restore it from a backup\nledger:2 was changed after it was written" in ended.err
        assert ended.out == ""
    found = metrics("jie", "ledger", "verify")
    assert found.code == 1
    assert found.out == "ledger:2 was changed after it was written (certified of metric/net_sales)\n"
    assert json.loads(metrics("jie", "ledger", "verify", "--json").out)["faults"][0]["seq"] == 2


@pytest.mark.parametrize("ops_url", ["postgres"], indirect=True)
def test_the_same_in_postgres(refreshed: Any, metrics: Metrics, ops_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "METRICS_OPS_URL", ops_url)
    done(metrics("jie", "certify"))
    refreshed.replace(RECEIPTS, "description: How many receipts.", "description: 小票数。")
    assert done(metrics("wei", "propose", "receipts", "-r", "说清楚"))[0].endswith("[approved]")
    assert not (refreshed.project.state / "ops.db").exists()
