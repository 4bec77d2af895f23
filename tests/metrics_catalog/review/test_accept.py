"""Accepting asks by the doors people use; whatever is refused leaves the metric's file as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from metrics_catalog.catalog import Catalog
from metrics_catalog.governance.clerk import Refused
from metrics_catalog.review.accept import accept
from metrics_catalog.review.item import Item, Proposal

TEXT = {"en": "t", "zh": "题"}
CALM = Proposal("calm", "net_sales", "5 alerts, 0% real", edit={"bounds": {"grain": "day", "warn": {"below": 80}}})


def item(proposal: Proposal | None) -> Item:
    return Item("unused/net_sales", "unused", "net_sales", TEXT, (), TEXT, proposal)


class Desk:
    """Says what it was asked."""

    def decide(self, target: str, said: Any, user: str) -> Any:
        return (target, said.action, said.cause, user)


class Office:
    """A certified project whose requests are remembered."""

    def __init__(self, catalog: Catalog, begun: bool = True, edited: bool = False, fails: bool = False) -> None:
        self.files = self.official = catalog
        self.record = SimpleNamespace(begun=begun)
        self.edited, self.fails = edited, fails

    def end(self, *asked: Any) -> Any:
        return asked

    def proposals(self) -> list[Any]:
        return [SimpleNamespace(name="net_sales")] if self.edited else []

    def propose(self, name: str, user: str, wish: Any) -> Any:
        if self.fails:
            raise Refused("CR-1 is still open")
        return (name, user, wish.reason)


@pytest.fixture
def ask(shop: Callable[..., Catalog], tmp_path: Path) -> Callable[..., Any]:
    catalog = shop({"net_sales": {"bounds": {"grain": "day", "warn": {"below": 100}}}})

    def asked(proposal: Proposal | None, now: bool = False, **office: bool) -> Any:
        made: Any = Office(catalog, **office)
        desk: Any = Desk()
        return accept(item(proposal), lambda: made, lambda: desk, "wang_fang", tmp_path, now)

    return asked


@pytest.fixture
def text(tmp_path: Path) -> Callable[[], str]:
    return lambda: (tmp_path / "metrics_catalog/metrics/sales/net_sales.yml").read_text(encoding="utf-8")


def test_unused_is_deprecated_first_or_retired_at_once(ask: Callable[..., Any]) -> None:
    proposal = Proposal("deprecate", "net_sales", "nobody read it", successor="revenue")
    assert ask(proposal) == ("net_sales", "wang_fang", "nobody read it", "deprecate", "revenue")
    assert ask(proposal, now=True) == ("net_sales", "wang_fang", "nobody read it", "retire", None)


def test_an_action_is_decided_in_the_language_of_whoever_accepts(ask: Callable[..., Any]) -> None:
    proposal = Proposal("decide", "net_sales", "missed", action={"en": "find why", "zh": "查明原因"})
    assert ask(proposal) == ("net_sales", "查明原因", "missed", "wang_fang")


def test_calming_edits_that_key_and_asks(ask: Callable[..., Any], text: Callable[[], str]) -> None:
    before = yaml.safe_load(text())
    assert ask(CALM) == ("net_sales", "wang_fang", "5 alerts, 0% real")
    assert yaml.safe_load(text()) == {**before, "bounds": {"grain": "day", "warn": {"below": 80}}}


@pytest.mark.parametrize(
    ("office", "why"),
    [
        ({"begun": False}, "nothing is certified yet"),
        ({"edited": True}, "differs from what is certified"),
        ({"fails": True}, "CR-1 is still open"),
    ],
)
def test_refused_the_file_is_as_it_was(
    ask: Callable[..., Any], text: Callable[[], str], office: dict[str, bool], why: str
) -> None:
    before = text()
    with pytest.raises(Refused, match=why):
        ask(CALM, **office)
    assert text() == before


def test_what_proposes_nothing_is_refused(ask: Callable[..., Any]) -> None:
    with pytest.raises(Refused, match="proposes nothing to accept"):
        ask(None)
