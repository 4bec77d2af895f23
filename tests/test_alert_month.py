"""A month of a small shop, day by day: what goes wrong is one incident with the right first line, and ends by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from metrics_catalog.monitoring.incident import Incident
from metrics_catalog.monitoring.incidents import Incidents
from metrics_catalog.ops.store import open_store, reading
from metrics_catalog.ops.tables import outbox
from orchestration.refresh import Refresh
from orchestration.settings import Settings

FIRST = date(2024, 3, 1)
NET_SALES = "metrics_catalog/metrics/sales/net_sales.yml"
FACTS = "dbt_project/models/marts/sales/fct_sales.sql"
POLICY = "metrics_catalog/policy.yml"
PEOPLE = """
    departments: {data: {en: Data, zh: 数据}}
    people:
      wei: {name: 陈伟, email: wei@example.com, language: zh, roles: [owner, admin], channels: {email: wei@example.com}}
      fang: {name: 王芳, email: fang@example.com, language: zh, roles: [steward]}
      li: {name: 李强, email: li@example.com, language: zh, roles: [steward]}
      ana: {name: Ana, email: ana@example.com, roles: [analyst]}
      mei: {name: Mei, email: mei@example.com, channels: {slack: U3}, answers_for: {store: [静安]}}
    teams:
      data: {label: {en: Data, zh: 数据}, department: data, members: [wei], channels: {slack: "#data"}}
    """
RULES = """
    bounds: {grain: day, warn: {below: 8}, critical: {below: 3}, slices: [[store]]}
    anomaly: {sensitivity: "off"}
    playbook: Call the store first.
"""
USUAL = {"上海": "20.00", "静安": "12.00", "苏州": "10.00"}


class Month:
    """The shop, refreshed once a day."""

    def __init__(self, shop: Any, refresh_all: Callable[[Settings], Refresh]) -> None:
        self._refresh_all = refresh_all
        self.shop, self.day, self.governed = shop, FIRST, False
        shop.write_people()
        shop.write("metrics_catalog/people.yml", PEOPLE)
        file = shop.project.root / NET_SALES
        file.write_text(file.read_text("utf-8") + "\n".join(line[4:] for line in RULES.splitlines()), "utf-8")
        self.write_policy(monitoring="")
        self.told: set[str] = set()

    def write_policy(self, monitoring: str) -> None:
        text = f"timezone: Asia/Shanghai\nbusiness_date: {self.day}\n{monitoring}"
        self.shop.write(POLICY, text)

    def deliver(self, bad: int = 0, **sold: str) -> None:
        """A day's receipts, with as many bad lines; ``sold``: of a store, else what is usual."""
        lines = [(f"{self.day:%d}{store}", 1, 1, sold.get(store, usual), store) for store, usual in USUAL.items()]
        lines += [(f"{self.day:%d}坏{n}", 1, 0, "1.00") for n in range(bad)]
        self.shop.deliver(self.day.isoformat(), lines)

    def tomorrow(self, monitoring: str = "") -> None:
        from metrics_catalog.governance.office import Wish

        self.day += timedelta(days=1)
        self.write_policy(monitoring)
        if self.governed:
            self.shop.approve(self.shop.office().propose("policy", "ana", Wish("day", restate=False)).id)

    def refresh(self) -> Refresh:
        return self._refresh_all(self.shop.settings)

    @property
    def incidents(self) -> Incidents:
        catalog = self.shop.declared().catalog
        return Incidents(open_store(self.shop.project.ops), catalog, lambda: datetime.now(UTC))

    def only(self) -> Incident:
        """The one incident that is open."""
        found = self.incidents.found()
        assert [one.name for one in found] == [found[0].name] if found else False, [one.text("en") for one in found]
        return found[0]

    def quiet(self) -> bool:
        return self.incidents.found() == []

    def letters(self) -> Mapping[str, dict[str, Any]]:
        """First letters that were not there before, by address."""
        with reading(open_store(self.shop.project.ops)) as con:
            rows = con.execute(sa.select(outbox).where(outbox.c.parent.is_(None))).mappings().all()
        new = {row["address"]: json.loads(row["message"]) for row in rows if row["key"] not in self.told}
        self.told |= {row["key"] for row in rows}
        return new


@pytest.fixture
def month(shop: Any, refresh_all: Callable[[Settings], Refresh]) -> Month:
    month = Month(shop, refresh_all)
    for _ in range(5):
        month.deliver()
        month.tomorrow()
    month.deliver()
    month.refresh()
    assert month.quiet()
    return month


def test_the_month(month: Month) -> None:
    late_file(month)
    quarantine_jump(month)
    blocked_load(month)
    real_dip(month)
    known_event(month)
    month.shop.office().bootstrap("wei", "first use")
    month.governed = True
    definition_change(month)
    bad_deploy(month)
    a_model_that_does_not_build(month)
    history = month.incidents.found(every=True)
    assert {one.state for one in history} == {"recovered"}
    assert len(history) == 8


def late_file(month: Month) -> None:
    month.tomorrow()
    month.refresh()
    one = month.only()
    assert one.text("en") == "Data late or missing: receipts: 7 Mar 2024 not delivered (2 metrics wait for it)"
    assert one.text("zh") == "数据迟到或缺失：receipts：2024年3月7日的数据未到（影响 2 个指标）"
    assert set(month.letters()) == {"#data"}
    month.refresh()
    assert month.only().number == one.number
    month.deliver()
    month.refresh()
    assert month.quiet()


def quarantine_jump(month: Month) -> None:
    month.tomorrow()
    month.deliver(bad=2, 上海="0.50", 静安="0.50", 苏州="0.50")
    month.refresh()
    one = month.only()
    assert one.text("en").startswith(
        "Data check failed: receipts: 40.0% of the newest rows quarantined (2/5), usually 0.0%; Net sales $1.50 on 8 Mar 2024"
    )
    assert (one.severity, len(one.series)) == (1, 4)
    assert set(month.letters()) == {"#data"}  # a store's manager can mend nothing
    month.tomorrow()
    month.deliver()
    month.refresh()
    assert month.quiet()


def blocked_load(month: Month) -> None:
    from orchestration.faults import Blocked

    month.tomorrow()
    month.deliver(bad=9)
    with pytest.raises(Blocked):
        month.refresh()
    one = month.only()
    assert one.text("en").startswith("Data check failed: receipts: its load was not accepted: 9 of 12 rows are bad")
    assert one.severity == 1
    month.letters()
    month.deliver()
    month.refresh()
    assert month.quiet()


def real_dip(month: Month) -> None:
    month.tomorrow()
    month.deliver(静安="5.00")
    month.refresh()
    one = month.only()
    assert one.text("en").startswith("Real move: Net sales of store 静安 $5 on 11 Mar 2024")
    letters = month.letters()
    assert set(letters) == {"#data", "U3"}
    assert "Playbook: Call the store first." in json.dumps(letters["U3"], ensure_ascii=False)
    month.tomorrow()
    month.deliver()
    month.refresh()
    assert month.quiet()


def known_event(month: Month) -> None:
    when = month.day + timedelta(days=1)
    event = f"{{label: {{en: Stocktaking, zh: 盘点}}, start: {when}, end: {when}}}"
    month.tomorrow(f"monitoring: {{events: [{event}]}}")
    month.deliver(上海="1.00", 静安="1.00", 苏州="1.00")
    month.refresh()
    one = month.only()
    assert one.text("en").startswith("Known event: Stocktaking; Net sales $3 on 13 Mar 2024")
    assert one.text("zh").startswith("已知事件：盘点；2024年3月13日净销售额为$3")
    assert one.severity == 5
    month.letters()
    month.tomorrow()
    month.deliver()
    month.refresh()
    assert month.quiet()


def definition_change(month: Month) -> None:
    month.shop.change("net_sales", "expr: amount_usd", "expr: amount_usd / 10")
    month.tomorrow()
    month.deliver()
    month.refresh()
    one = month.only()
    assert one.text("en").startswith(
        "Definition changed: the definition of net_sales changed; Net sales $4.20 on 15 Mar 2024, below $8"
    )
    month.letters()
    month.shop.change("net_sales", "expr: amount_usd / 10", "expr: amount_usd")
    month.tomorrow()
    month.deliver()
    month.refresh()
    assert month.quiet()


def bad_deploy(month: Month) -> None:
    month.shop.replace(FACTS, "amount_usd", "cast(amount_usd / 10 as decimal(18,2)) as amount_usd")
    month.refresh()
    one = month.only()
    assert one.text("en").startswith(
        "Upstream code changed: new values are held back, the last published ones still stand"
    )
    assert "fct_sales" in one.text("en")
    assert set(month.letters()) == {"#data"}
    month.shop.replace(FACTS, "cast(amount_usd / 10 as decimal(18,2)) as amount_usd", "amount_usd")
    month.refresh()
    assert month.quiet()


def a_model_that_does_not_build(month: Month) -> None:
    month.shop.replace(FACTS, "amount_usd", "amount_us as amount_usd")
    month.refresh()
    one = month.only()
    assert one.text("en").startswith("Platform fault: the run of refresh failed, published values are as they were: ")
    assert "fct_sales.sql" in one.text("en")
    assert set(month.letters()) == {"wei@example.com"}
    month.shop.replace(FACTS, "amount_us as amount_usd", "amount_usd")
    month.refresh()
    assert month.quiet()
