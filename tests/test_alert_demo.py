"""A month of the demo's real data in which everything goes wrong once. Minutes long.

Each thing is one incident with the right first line, told to whom it concerns, and over by itself once it is mended.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from metrics_catalog.ops import claims
from metrics_catalog.ops.letters import given_up
from metrics_catalog.ops.store import open_store

if TYPE_CHECKING:
    from orchestration.refresh import Refresh
    from orchestration.settings import Settings

    from .demo_days import Row
    from .demo_month import Month

LARGEST = "metrics_catalog/metrics/sales/largest_receipt.yml"
RECEIPTS = "dbt_project/models/marts/sales/fct_receipts.sql"
pytestmark = pytest.mark.slow


def a_third_of_receipts(rows: list[Row]) -> list[Row]:
    """A real dip: most receipt lines of the day were not rung up, in every store, at every hour."""
    return [row for number, row in enumerate(rows) if number % 3 == 0]


def until_the_afternoon(rows: list[Row]) -> list[Row]:
    """A file that was cut off."""
    return rows[: len(rows) // 4]


def a_sign_lost(rows: list[Row]) -> list[Row]:
    """Discounts that no expectation lets through."""
    return [{**row, "retail_disc": "-1"} if number % 60 == 0 else row for number, row in enumerate(rows)]


def test_the_month(tmp_path: Path, load: Callable[[str], Any], refresh_all: Callable[[Settings], Refresh]) -> None:
    load("demo_days")
    month = load("demo_month").Month(tmp_path / "连锁", refresh_all)
    month.refresh()
    assert len(month.numbers()) <= 5, "a first run does not storm"
    late_file(month)
    quarantine_jump(month)
    partial_file(month)
    real_dip(month)
    dip_of_one_department(month)
    known_event(month)
    holiday(month)
    month.certify()
    month.tomorrow()
    month.refresh()  # May is over, and so is what it has to say
    definition_change(month)
    bad_deploy(month)
    dead_slack(month)
    slack_works_again(month, load("fake_slack"))
    for name, one in month.lines.items():
        print(f"{name:12} {one.text('en')}\n{'':12} {one.text('zh')}")


def ended(month: Month, name: str) -> None:
    """It is over by itself, and nothing else came."""
    before = month.numbers()
    month.refresh()
    assert month.state(name) == "recovered"
    assert not month.since(before)


def late_file(month: Month) -> None:
    before = month.numbers()
    month.day += timedelta(days=1)
    month.over()
    month.refresh()
    one = month.opened("late", before)
    assert one.text("en").startswith("Data late or missing: transactions: 8 May 2017 not delivered; ")
    assert one.text("zh").startswith("数据迟到或缺失：transactions：2017年5月8日的数据未到；")
    assert month.told("late") == {"data", "crm"}  # whose source it is, and whose number comes first
    month.come()
    ended(month, "late")


def quarantine_jump(month: Month) -> None:
    before = month.numbers()
    month.tomorrow(a_sign_lost)
    month.refresh()
    one = month.opened("check", before)
    assert one.text("en").startswith("Data check failed: transactions: 2.")
    assert month.told("check") == {"data"}
    month.tomorrow()
    ended(month, "check")


def partial_file(month: Month) -> None:
    month.until(date(2017, 5, 12))
    before = month.numbers()
    month.tomorrow(until_the_afternoon)
    month.refresh()
    one = month.opened("partial", before)
    line = "Data late or missing: transactions: 13 May 2017 came in part: 1,021 of usually 4,7"
    assert one.text("en").startswith(line)
    assert " rows, nothing after 15:07; " in one.text("en")
    assert "平时约 4,7" in one.text("zh")
    assert "15:07 之后没有数据" in one.text("zh")
    assert month.told("partial") == {"data", "finance"}
    month.come()
    ended(month, "partial")


def real_dip(month: Month) -> None:
    month.until(date(2017, 5, 15))
    before = month.numbers()
    month.tomorrow(a_third_of_receipts)
    month.refresh()
    one = month.opened("move", before)
    assert one.text("en").startswith("Real move: ")
    assert "16 May 2017" in one.text("en")
    assert month.told("move") == {"finance"}
    month.tomorrow()
    ended(month, "move")


def dip_of_one_department(month: Month) -> None:
    grocery = month.products_of("GROCERY")
    month.until(date(2017, 5, 21))
    before = month.numbers()
    month.tomorrow(lambda rows: [row for n, row in enumerate(rows) if n % 8 == 0 or row["product_id"] not in grocery])
    month.refresh()
    one = month.opened("department", before)
    assert one.text("en").startswith("Real move: Net sales $")
    assert "department GROCERY explains" in one.text("en")
    assert month.told("department") == {"finance"}
    month.tomorrow()
    ended(month, "department")


def known_event(month: Month) -> None:
    month.until(date(2017, 5, 24))
    before = month.numbers()
    day = month.day + timedelta(days=1)
    month.events = [{"label": {"en": "Stocktaking", "zh": "盘点"}, "start": day, "end": day}]
    month.tomorrow(a_third_of_receipts)
    month.refresh()
    one = month.opened("event", before)
    assert one.text("en").startswith("Known event: Stocktaking; ")
    assert one.text("zh").startswith("已知事件：盘点；")
    assert (one.severity, month.told("event")) == (5, {"finance"})
    month.tomorrow()
    ended(month, "event")


def holiday(month: Month) -> None:
    month.until(date(2017, 5, 28))
    before = month.numbers()
    month.tomorrow(a_third_of_receipts)
    month.refresh()
    one = month.opened("holiday", before)
    assert one.text("en").startswith("Known event: Memorial Day; ")
    assert one.text("zh").startswith("已知事件：阵亡将士纪念日；")
    assert (one.severity, month.told("holiday")) == (5, {"finance"})
    month.tomorrow()
    ended(month, "holiday")


def definition_change(month: Month) -> None:
    before = month.numbers()
    month.change(LARGEST, "expr: net_sales_usd", "expr: net_sales_usd * 10")
    month.tomorrow()
    month.refresh()
    one = month.opened("definition", before)
    line = "Definition changed: the definition of largest_receipt changed (v1 → v2); Largest receipt $"
    assert one.text("en").startswith(line)
    assert one.text("zh").startswith("指标口径变更：指标 largest_receipt 的口径已改（v1 → v2）；2017年6月")
    assert month.told("definition") == {"data"}  # whose metric it is
    month.change(LARGEST, "expr: net_sales_usd * 10", "expr: net_sales_usd")
    month.tomorrow()
    ended(month, "definition")


def bad_deploy(month: Month) -> None:
    good, bad = "sum(order_lines.net_sales_usd)", "sum(order_lines.net_sales_usd) * 0.9"
    before = month.numbers()
    month.replace(RECEIPTS, good, bad)
    month.refresh()
    one = month.opened("code", before)
    assert one.text("en").startswith("Upstream code changed: new values are held back")
    assert "fct_receipts" in one.text("en")
    assert month.told("code") == {"data", "finance"}
    month.replace(RECEIPTS, bad, good)
    ended(month, "code")


def dead_slack(month: Month) -> None:
    before = month.numbers()
    for _ in range(4):  # once may be chance
        month.drain("http://127.0.0.1:9/api/")  # nobody listens
    one = month.opened("channel", before, "fault:channel:slack")
    assert one.text("en").startswith("Platform fault: Nothing can be sent by slack: ")
    assert ("chen_jie", "email") in {(who.name, who.channel) for who in one.recipients}


def slack_works_again(month: Month, fake: Any) -> None:
    """Everything arrives once, though one channel does not exist at first; a button is pressed."""
    channels = {f"C0{team.upper()}": team for team in ("finance", "crm", "data")}
    vars(fake)["CHANNELS"] |= channels
    store = open_store(month.project.ops)
    with fake.slack_server() as slack:
        slack.per_second = 5
        api = f"{slack.url}api/"
        before = month.numbers()
        month.drain(api)
        assert month.state("channel") == "recovered"
        one = month.opened("letters", before, "fault:letters:")
        assert one.text("en").startswith("Platform fault: letters to slack #merchandising are given up: ")
        assert "data" in month.told("letters")
        vars(fake)["CHANNELS"]["C0MERCH"] = "merchandising"
        for key in given_up(store)["slack:#merchandising"]:
            claims.retry(store, key, datetime.now(UTC))
        month.drain(api)
        assert month.state("letters") == "recovered"
        open_one = month.incidents.found()[0]
        press(month, slack, "acknowledge", open_one.name, "U0GRACE")
        pressed = month.incidents.one(open_one.name)
        assert (pressed.state, pressed.assignee) == ("acknowledged", "grace_hall")
        month.drain(api)
        keys = [post["metadata"]["event_payload"]["key"] for post in slack.posts]
        assert len(keys) == len(set(keys)), "each once"
        told = [(one, who) for one in month.incidents.found(every=True) for who in one.recipients]
        assert {f"incident/{one.number}/{who.key}" for one, who in told if who.channel == "slack"} <= set(keys)
        assert slack.limited, "and as slowly as Slack wants it"
        faults = [fault for post in slack.posts for fault in fake.faults(post.get("blocks", []), slack.files)]
        assert not faults
        month.posts = slack.posts


def press(month: Month, slack: Any, action: str, value: str, user: str) -> None:
    """A button, as Slack tells of it: signed; a forged one is refused."""
    secret = "8f742231b10e8888abcd99yyyzzz85a5"
    button = {"type": "button", "action_id": f"{action}:0", "value": value}
    payload = {"type": "block_actions", "user": {"id": user}, "trigger_id": "trigger", "actions": [button]}
    body = urlencode({"payload": json.dumps(payload)}).encode()
    with listening(month, f"{slack.url}api/", secret) as port:
        for key, status in (("forged", 401), (secret, 200)):
            at = str(int(time.time()))
            sign = "v0=" + hmac.new(key.encode(), b":".join([b"v0", at.encode(), body]), hashlib.sha256).hexdigest()
            heard = HTTPConnection("127.0.0.1", port)
            heard.request("POST", "/slack", body, {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": sign})
            assert heard.getresponse().status == status
            heard.close()


@contextmanager
def listening(month: Month, api: str, secret: str) -> Iterator[int]:
    """The port of what hears buttons; ends when what was pressed is done."""
    from orchestration.notify.listen import Listener, http_server

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"slack_token": "xoxb-fake", "slack_api": api, "slack_signing_secret": secret, "slack_port": str(port)}
    settings = month.with_settings(**given)
    listener = Listener(settings)
    server = http_server(settings, listener)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield port
    finally:
        listener.close()
        server.shutdown()
        server.server_close()
