"""The command line of decisions and usage as people use it, on the refreshed shop; how each refusal ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from metrics_catalog.review.item import Item, Pack, Proposal
from metrics_catalog.review.make import keep
from orchestration.cli import main


@dataclass
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def metrics(refreshed: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Gives a command to the refreshed shop, as somebody; an empty name: nobody said who."""
    refreshed.write_people()
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


def test_a_decision_in_two_steps_and_to_its_end(metrics: Callable[..., Ended]) -> None:
    asked = metrics("wei", "decide", "net_sales", "--action", "换供应商").out.splitlines()
    assert asked[0] == "D-1  open"
    assert "  action: 换供应商" in asked
    assert "  expected: better by 2 Apr 2024" in asked
    assert asked[-1] == 'say what it should bring: metrics decide D-1 --expect "+5% by 2024-04-02"'
    more = metrics("wei", "decide", "D-1", "--expect", "+5% by 2024-03-12", "--cause", "缺货", "--json").json
    assert (more["decision"], more["due"], more["expected"]["size"]) == ("D-1", "2024-03-12", "0.05")
    assert [one["decision"] for one in metrics("", "decisions", "--json").json] == ["D-1"]
    assert "D-1" in metrics("wei", "decisions", "--mine").out
    assert metrics("li", "decisions", "--mine").out == "no decision waits for its outcome\n"
    assert metrics("", "decisions", "measure").out == "nothing is due\n"
    assert metrics("wei", "decisions", "done", "D-1", "--note", "已签约").out.startswith("D-1  done")
    shown = metrics("", "decisions", "show", "d-1").out.splitlines()
    assert "  note: 已签约" in shown
    assert [line.split("  ")[1] for line in shown[-3:]] == ["opened by wei", "amended by wei", "done by wei"]
    assert metrics("wei", "decisions", "drop", "1", "-r", "停售").out.startswith("D-1  dropped")
    assert metrics("", "decisions", "--all", "--json").json[0]["state"] == "dropped"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("decide", "net_sale", "-a", "x"), 'no certified metric "net_sale"'),
        (("decide", "net_sales"), "say what is to be done"),
        (("decide", "net_sales", "-a", "x", "--expect", "lots"), '"lots" is not an expected change'),
        (("decisions", "show", "INC-1"), '"INC-1" is not a decision'),
        (("decisions", "done", "D-7"), "there is no decision D-7"),
        (("usage", "net_sale"), 'there is no metric "net_sale"'),
    ],
)
def test_refusals_are_wrong_usage(metrics: Callable[..., Ended], arguments: tuple[str, ...], said: str) -> None:
    ended = metrics("wei", *arguments)
    assert ended.code == 2
    assert said in " ".join(ended.err.replace("│", " ").split())


def test_an_item_of_an_earlier_months_review_is_accepted_by_its_key(
    metrics: Callable[..., Ended], refreshed: Any
) -> None:
    words = {"en": "Net sales missed its target", "zh": "净销售额未达目标"}
    proposal = Proposal("decide", "net_sales", "missed its target", action={"en": "find why", "zh": "查明原因"})
    item = Item("target/net_sales/month", "missed target", "net_sales", words, (), words, proposal)
    for month, made, items in (
        ("2024-02-01", "2024-03-01T08:00:00+00:00", (item,)),
        ("2024-03-01", "2024-04-01T08:00:00+00:00", ()),
    ):
        keep(Pack(month, made, "demand", items, (), {"en": "", "zh": ""}), refreshed.project)
    asked = metrics("wei", "review", "accept", "target/net_sales/month")
    assert asked.out.splitlines()[0] == "D-1  open"
    assert "  cause: missed its target" in asked.out.splitlines()
    for wrong in ("1", "target/net_sale/month"):
        refused = metrics("wei", "review", "accept", wrong)
        assert (refused.code, f'the last review has no item "{wrong}"' in refused.err) == (2, True)


def test_who_nobody_knows_decides_nothing(metrics: Callable[..., Ended]) -> None:
    ended = metrics("", "decide", "net_sales", "-a", "x")
    assert (ended.code, "METRICS_USER" in ended.err) == (2, True)


def test_every_face_of_the_command_line_is_seen_by_usage(metrics: Callable[..., Ended]) -> None:
    metrics("wei", "query", "net_sales", "receipts", "--grain", "day")
    metrics("ana", "query", "net_sales", "--grain", "day", "--json")
    metrics("", "show", "net_sales")
    metrics("", "show", "net_sales", "--tree")
    metrics("ana", "history", "net_sales")
    metrics("ana", "history", "net_sales", "--period", "2024-03-01")
    found = {one["metric"]: one for one in metrics("", "usage", "--json").json["metrics"]}
    assert found["net_sales"]["faces"] == {"history": 2, "query": 2, "show": 2}
    assert found["net_sales"]["readers"] == {"": 2, "ana": 3, "wei": 1}
    assert found["receipts"]["faces"] == {"query": 1}
    shown = metrics("", "usage", "net_sales").out
    assert "ana 3, unknown 2, wei 1" in shown
    assert "Direct reads of the published tables are not seen." in shown
