"""When a running code server loads the project again, and when it must not."""

from __future__ import annotations

import os
from threading import Event
from typing import Any

import pytest

from orchestration import reload
from orchestration.faults import DATA, SYSTEM
from orchestration.reload import Reload
from orchestration.watch import source_of

NET_SALES = "metrics_catalog/metrics/sales/net_sales.yml"


class Servers:
    """Stands for the webserver: counts what it was asked; ``ends`` is how rehearsals end."""

    def __init__(self, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.tried, self.told = 0, 0, list[str]()
        self.ends, self.answers = (0, ""), True
        monkeypatch.setattr(reload, "LOOK_SECONDS", 0)
        monkeypatch.setattr(reload, "_ask_to_reload", self._ask)
        self._reload = Reload(shop.project, {}, self.told.append)
        monkeypatch.setattr(self._reload, "_rehearsed", self._rehearse)

    def look(self) -> None:
        self._reload.when_due("", "", Event())

    def _ask(self, _url: str, _location: str) -> bool:
        self.asked += 1
        return self.answers

    def _rehearse(self, _stop: Event) -> tuple[int, str]:
        self.tried += 1
        return self.ends


@pytest.fixture
def servers(shop: Any, monkeypatch: pytest.MonkeyPatch) -> Servers:
    return Servers(shop, monkeypatch)


def test_it_loads_again_once_when_a_file_changed(shop: Any, servers: Servers) -> None:
    servers.look()
    assert servers.asked == 0
    shop.replace(NET_SALES, "agg: sum", "agg: max")
    servers.look()
    servers.look()
    assert servers.asked == 1


def test_what_does_not_load_is_said_once_and_asks_for_nothing(shop: Any, servers: Servers) -> None:
    servers.ends = (DATA, "people.yml:3 error")
    shop.replace(NET_SALES, "agg: sum", "agg: max")
    servers.look()
    servers.look()
    assert (servers.tried, servers.asked) == (1, 0)
    assert "people.yml:3 error" in servers.told[0]
    servers.ends = (0, "")
    shop.replace(NET_SALES, "agg: max", "agg: min")
    servers.look()
    assert servers.asked == 1


def test_what_failed_for_the_systems_sake_is_tried_again(shop: Any, servers: Servers) -> None:
    shop.replace(NET_SALES, "agg: sum", "agg: max")
    servers.ends = (SYSTEM, "the ops store cannot be used")
    servers.look()
    servers.ends, servers.answers = (0, ""), False
    servers.look()
    servers.answers = True
    servers.look()
    servers.look()
    assert (servers.tried, servers.asked) == (3, 2)


def test_an_approval_is_a_change_and_a_comment_is_not(shop: Any) -> None:
    from metrics_catalog.governance.office import Wish

    shop.declared()
    shop.certify()
    shop.replace(NET_SALES, "expr: amount_usd", "expr: amount_usd * 2")
    request = shop.office().propose("net_sales", "ana", Wish("better", restate=True))
    before = source_of(shop.project)
    shop.office().desk.comment(request.id, "wei", "why?")
    assert source_of(shop.project) == before
    shop.approve(request.id)
    assert source_of(shop.project) != before


def test_what_the_platform_writes_itself_is_no_change(shop: Any) -> None:
    before = source_of(shop.project)
    shop.declared()
    (shop.project.dbt / "models" / "metrics" / "sales_by_store_daily.sql").touch()
    assert source_of(shop.project) == before


def test_a_rehearsal_ends_as_loading_would(shop: Any) -> None:
    """In a process of its own: good; a store that cannot be reached; a source with a fault."""
    environment = {**os.environ, "METRICS_PROJECT": str(shop.project.root)}

    def rehearsed(**given: str) -> tuple[int, str] | None:
        return Reload(shop.project, {**environment, **given}, print)._rehearsed(Event())

    assert rehearsed() == (0, "")
    code, said = rehearsed(METRICS_OPS_URL="postgresql://nobody@127.0.0.1:1/ops") or (0, "")
    assert code == SYSTEM
    assert said.startswith("the ops store postgresql://nobody@127.0.0.1:1/ops cannot be used")
    shop.replace("orchestration/sources/products.yml", "kind: files", "kind: file")
    code, said = rehearsed() or (0, "")
    assert code == DATA
    assert "orchestration/sources/products.yml:" in said
