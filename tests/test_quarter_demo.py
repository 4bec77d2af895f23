"""A quarter of the demo's real data by a moved clock: reports on schedule, a decision, the review's proposals. Minutes.

Nothing is told to the platform but what a company would: deliveries come, people give commands, and Dagster's schedules
and sensors do the rest.
"""

from __future__ import annotations

import email
import io
import json
import os
import re
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
import time_machine
from aiosmtpd.controller import Controller

from metrics_catalog.governance.ledger import Ledger
from metrics_catalog.ops.store import open_store
from metrics_catalog.reporting import shelf
from orchestration.approved import KINDS
from orchestration.cli import main
from orchestration.definitions import build
from orchestration.generate import read_current
from orchestration.instance import open_instance

if TYPE_CHECKING:
    from .demo_days import Change, DemoDays, Row

pytestmark = pytest.mark.slow

GUESS = "bounds: {grain: day, warn: {below: 27.5}}"  # nobody thought about it: it will cry wolf
CHANNELS = {f"C0{team.upper()}": team for team in ("finance", "merchandising", "crm", "data")}
BOARD = {"U0GRACE", "#finance", "#merchandising", "#crm", "wang.fang@example.com"}
STORES = {"U0ZHOUYING", "mark.ellis@example.com"}


@dataclass
class Mails:
    """A mail server's: everything that was sent, by recipient and key."""

    keys: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 the library's name
        made = email.message_from_bytes(envelope.content, policy=default)
        self.keys.append((envelope.rcpt_tos[0], made["X-Metrics-Key"]))
        assert isinstance(made, EmailMessage)
        body = made.get_body(("plain",))
        self.texts.append(f"{made['Subject']}\n{body.get_content() if body else ''}")
        return "250 ok"


@dataclass
class Quarter:
    """The demo, the clock, Dagster's daemon, and who is told."""

    demo: DemoDays
    daemon: Any
    slack: Any
    mails: Mails

    def at(self, month: int, day: int, hour: int = 12, minute: int = 0, off: bool = False) -> list[str]:
        """Let time pass until then; returns the jobs that ran."""
        moment = datetime(2017, month, day, hour, minute, tzinfo=UTC)
        return [one.job for one in self.daemon.wait_until(moment, off)]

    def week(self, monday: date, but: dict[date, Change | None] | None = None) -> list[str]:
        """The week before a Monday is delivered early that day; then it is noon. Returns the jobs that ran."""
        self.demo.deliver_until(monday - timedelta(days=1), but)
        return [*self.at(monday.month, monday.day, 5), *self.at(monday.month, monday.day)]

    def metrics(self, user: str, *arguments: str) -> Any:
        """What a command of somebody's prints as JSON."""
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as out:
            patch.setattr(os, "environ", {**os.environ, "METRICS_USER": user})
            patch.setattr(sys, "argv", ["metrics", "--project", str(self.demo.root), *arguments, "--json"])
            with pytest.raises(SystemExit) as ended:
                main()
        assert not ended.value.code, (arguments, out.getvalue())
        return json.loads(out.getvalue())

    def issues(self, report: str, monday: date) -> list[shelf.Row]:
        """Copies of the issue about the week before a Monday."""
        return shelf.rows(open_store(self.demo.project.ops), report, monday - timedelta(days=7))

    def banners(self, report: str, monday: date) -> dict[str, dict[str, Any]]:
        """By language, what stood on top of it."""
        rows = self.issues(report, monday)
        assert {row.state for row in rows} == {"made"}, (report, monday, rows)
        return {row.data["language"]: shelf.body_of(self.demo.project, row)["banner"] for row in rows}

    def sent(self) -> Counter[tuple[str, str]]:
        """How often each letter came to each address: one message per matter, edits apart."""
        keys: list[tuple[str, str]] = list(self.mails.keys)
        for one in self.slack.posts:
            if "metadata" in one:
                key = one["metadata"]["event_payload"]["key"]
                keys.append((_address(one["channel"]), key))
        return Counter(keys)

    def sent_of(self, report: str, monday: date) -> Counter[str]:
        """To whom an issue went, and how often."""
        begins = f"report/{report}/{monday - timedelta(days=7)}/"
        return Counter({address: n for (address, key), n in self.sent().items() if key.startswith(begins)})

    def sent_to(self, address: str, begins: str) -> int:
        """Letters whose key begins so that came to an address."""
        return sum(n for (to, key), n in self.sent().items() if to == address and key.startswith(begins))

    def approve(self, request: str, *people: str) -> None:
        """By those people, until it is decided."""
        states = []
        for person in people:
            (one,) = self.metrics(person, "approve", request)
            states.append(one["state"])
            if one["state"] == "approved":
                return
        raise AssertionError(states)

    def sales(self, metric: str) -> dict[date, float]:
        """A published daily total."""
        rows = self.metrics("", "query", metric, "--grain", "day", "--from", "2017-04-01")["rows"]
        return {date.fromisoformat(row["period"]): float(row[metric]) for row in rows}

    def incidents(self) -> dict[str, Any]:
        """All there ever were, by name."""
        return {one["incident"]: one for one in self.metrics("", "alerts", "list", "--all")}

    def false_alarms(self) -> None:
        """Somebody answers each alert of the rule that was only guessed."""
        for one in self.metrics("grace_hall", "alerts", "list"):
            if one["metric"] == "average_receipt" and one["rule"] == "bounds":
                self.metrics("grace_hall", "alerts", "resolve", one["incident"], "-r", "false alarm")

    def alerts_of(self, metric: str) -> int:
        """How often its bounds would have fired in half a year."""
        return len(self.metrics("", "backtest", metric, "--rule", "bounds")["fired"])

    def metric_states(self) -> dict[str, str]:
        return {one["metric"]: one["state"] for one in self.metrics("", "list")}


def _address(channel: str) -> str:
    return f"#{CHANNELS[channel]}" if channel in CHANNELS else f"U{channel[1:]}"


def texts(banner: dict[str, Any]) -> list[str]:
    return [banner["title"], *(line["text"] for line in banner["lines"])]


@dataclass
class Loader:
    """The definitions as `metrics up` has them loaded: anew when a file changed or something was approved."""

    demo: DemoDays
    seen: tuple[int, float] = (-1, 0.0)
    loaded: dg.Definitions = field(default_factory=dg.Definitions)

    def __call__(self) -> dg.Definitions:
        files = (file.stat().st_mtime for file in (self.demo.root / "metrics_catalog").rglob("*.yml"))
        now = (Ledger(open_store(self.demo.project.ops)).newest(*KINDS), max(files))
        if now != self.seen:
            self.seen, self.loaded = now, build(read_current(self.demo.settings))
        return self.loaded


@contextmanager
def a_quarter(folder: Path, load: Callable[[str], Any]) -> Iterator[Quarter]:
    """On 1 April, a Saturday: the data of the first quarter is there; the project is certified and refreshed."""
    slack_module, days, daemons = load("fake_slack"), load("demo_days"), load("small_daemon")
    slack_module.CHANNELS |= CHANNELS
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mails = Mails()
    server = Controller(mails, "127.0.0.1", port)
    server.start()
    start = datetime(2017, 4, 1, 5, tzinfo=UTC)
    with (
        slack_module.slack_server() as slack,
        time_machine.travel(start) as clock,
    ):
        demo = days.DemoDays(folder / "连锁", date(2017, 3, 31), date(2017, 7, 2))
        demo.write_policy(lambda policy: policy.pop("business_date"))
        demo.replace("metrics_catalog/metrics/sales/average_receipt.yml", "target:", f"{GUESS}\ntarget:")
        freshness = "freshness: {warn_after_hours: 36, fail_after_hours: 60}"
        demo.replace(
            "orchestration/sources/transactions.yml", freshness, "freshness: {fail_after_hours: 180}"
        )  # a week
        demo.write_env(
            {
                "METRICS_REFRESH_CRON": "0 6 1 * 1",  # Mondays, and when a month is over
                "METRICS_SLACK_TOKEN": "xoxb-fake",
                "METRICS_SLACK_API": f"{slack.url}api/",
                "METRICS_SMTP_URL": f"smtp://127.0.0.1:{port}",
                "METRICS_MAIL_FROM": "metrics@example.com",
            }
        )
        demo.generate()
        with open_instance(demo.settings) as instance:
            made = Quarter(demo, daemons.Daemon(Loader(demo), clock.move_to, instance, start), slack, mails)
            made.metrics("chen_jie", "certify", "--reason", "first use")
            made.at(4, 1)
            yield made
    server.stop()


@pytest.fixture
def quarter(tmp_path: Path, load: Callable[[str], Any]) -> Iterator[Quarter]:
    with a_quarter(tmp_path, load) as quarter:
        yield quarter


def test_a_quarter_on_the_demo(quarter: Quarter) -> None:
    ordinary_weeks(quarter)
    a_late_source(quarter)
    a_quarantine_jump(quarter)
    a_definition_changed_and_history_restated(quarter)
    decision = an_alert_leads_to_a_decision(quarter)
    three_missed_weeks(quarter)
    its_outcome_is_measured_on_the_due_date(quarter, decision)
    the_review_proposes_and_what_is_accepted_takes_effect(quarter)
    assert set(quarter.sent().values()) == {1}, "no letter came twice"


def ordinary_weeks(quarter: Quarter) -> None:
    """Both reports on the Monday, each reader once, with nothing to be careful of."""
    for monday in (date(2017, 4, 3), date(2017, 4, 10)):
        ran = quarter.week(monday)
        assert [one for one in ran if one.startswith("report_")] == ["report_store_weekly", "report_weekly_board"]
        assert quarter.sent_of("weekly_board", monday) == Counter(BOARD)
        assert quarter.sent_of("store_weekly", monday) == Counter(STORES)
    first, second = (quarter.banners("weekly_board", one) for one in (date(2017, 4, 3), date(2017, 4, 10)))
    assert first["en"]["title"] == "Data through 2 Apr 2017. Complete, checks passed"
    assert first["zh"]["title"] == "数据截至2017年4月2日，数据完整，校验通过"
    assert_clean(second, "9 Apr 2017", "2017年4月9日")


def assert_clean(banners: dict[str, dict[str, Any]], english: str, chinese: str) -> None:
    assert {one["level"] for one in banners.values()} == {"ok"}
    said = {language: banner["title"] for language, banner in banners.items()}
    assert said["en"] == f"Data through {english}. Complete, checks passed, nothing redefined since the last issue"
    assert said["zh"] == f"数据截至{chinese}，数据完整，校验通过，口径与上期一致"


def a_late_source(quarter: Quarter) -> None:
    """The board's report goes out and says so; the stores' waits until the file is there."""
    monday, late = date(2017, 4, 17), date(2017, 4, 15)
    quarter.week(monday, {late: None})
    banners = quarter.banners("weekly_board", monday)
    assert texts(banners["en"])[:2] == [
        "Data through 16 Apr 2017. Read with care: 1 thing is not as it should be",
        "transactions: 15 Apr 2017 not delivered",
    ]
    assert texts(banners["zh"])[:2] == [
        "数据截至2017年4月16日，请谨慎使用：1项需注意",
        "transactions：2017年4月15日的数据未到",
    ]
    assert quarter.sent_of("weekly_board", monday) == Counter(BOARD)
    assert any("transactions：2017年4月15日的数据未到" in text for text in quarter.mails.texts), "it is what was mailed"
    assert {row.state for row in quarter.issues("store_weekly", monday)} == {"waiting"}
    assert quarter.sent_of("store_weekly", monday) == Counter()
    quarter.demo.deliver(late)
    assert quarter.at(4, 18, 9)[:2] == ["refresh", "report_store_weekly"]
    assert_clean(quarter.banners("store_weekly", monday), "17 Apr 2017", "2017年4月17日")
    assert quarter.sent_of("store_weekly", monday) == Counter(STORES)
    assert quarter.sent_of("weekly_board", monday) == Counter(BOARD)


def a_quarantine_jump(quarter: Quarter) -> None:
    def spoilt(rows: list[Row]) -> list[Row]:
        return [{**row, "retail_disc": "-1"} if n % 50 == 0 else row for n, row in enumerate(rows)]

    monday = date(2017, 4, 24)
    quarter.week(monday, {monday - timedelta(days=n): spoilt for n in range(1, 7)})
    for report, readers in (("weekly_board", BOARD), ("store_weekly", STORES)):
        banners = quarter.banners(report, monday)
        assert banners["en"]["title"].endswith("Read with care: 1 thing is not as it should be")
        assert banners["zh"]["title"].endswith("请谨慎使用：1项需注意")
        assert re.match(r"transactions: 2\.\d% of the newest rows quarantined \(\d", texts(banners["en"])[1])
        assert re.match(r"transactions：最新数据有 2\.\d% 被隔离（\d", texts(banners["zh"])[1])
        assert quarter.sent_of(report, monday) == Counter(readers)


def a_definition_changed_and_history_restated(quarter: Quarter) -> None:
    """Asked for and approved on a Thursday; what was published of it is replaced, and the next issue says both."""
    quarter.at(4, 27, 10)
    quarter.demo.replace(
        "metrics_catalog/metrics/sales/discount_rate.yml",
        "denominator: gross_sales",
        "denominator: {model: order_lines, agg: sum, expr: gross_sales_usd, filter: department != 'FUEL'}",
    )
    (asked,) = quarter.metrics("omar_aziz", "propose", "discount_rate", "-r", "fuel has no discounts", "--restate")
    quarter.approve(asked["request"], "zhao_min", "wang_fang")
    assert "refresh" in [one.job for one in quarter.daemon.look()]
    monday = date(2017, 5, 1)
    ran = quarter.week(monday)
    assert {"review", "report_platform_monthly"} <= set(ran), "a month is over"
    banners = quarter.banners("weekly_board", monday)
    assert banners["en"]["title"] == "Data through 30 Apr 2017. 2 changes since the last issue"
    assert banners["zh"]["title"] == "数据截至2017年4月30日，自上期以来有2项变更"
    assert "the definition of discount_rate changed (v1 → v2)" in texts(banners["en"])
    assert "指标 discount_rate 的口径已改（v1 → v2）" in texts(banners["zh"])
    assert any("published values were restated" in text for text in texts(banners["en"]))
    assert any("已发布数值有更正" in text for text in texts(banners["zh"]))
    assert quarter.sent_of("weekly_board", monday) == Counter(BOARD)
    assert quarter.sent_of("platform_monthly", date(2017, 4, 8)) == Counter({"#data": 1})
    after = date(2017, 5, 8)
    quarter.week(after)
    for report in ("weekly_board", "store_weekly"):
        assert_clean(quarter.banners(report, after), "7 May 2017", "2017年5月7日")


def an_alert_leads_to_a_decision(quarter: Quarter) -> str:
    """On a Saturday three of five receipts are not written; the owner decides in two steps."""

    def dip(rows: list[Row]) -> list[Row]:
        return [row for row in rows if int(row["basket_id"]) % 5 < 2]

    quarter.false_alarms()
    before = quarter.incidents()
    quarter.week(date(2017, 5, 15), {date(2017, 5, 13): dip})
    new = [one for name, one in quarter.incidents().items() if name not in before and "net_sales" in one["metrics"]]
    (alert,) = [one for one in new if "13 May 2017" in one["text"]["en"]]
    assert alert["cause"] == "move"
    assert alert["metric"] in ("net_sales", "receipts")
    asked = quarter.metrics("grace_hall", "decide", alert["incident"], "--action", "周末加排收银", "--owner", "li_na")
    said = quarter.metrics("grace_hall", "decide", asked["decision"], "--expect", "+2% by 2017-06-11")
    assert (said["metric"], said["due"], said["state"]) == (alert["metric"], "2017-06-11", "open")
    quarter.at(5, 15, 13)
    assert quarter.sent_to("U0LINA", f"decision/{asked['decision'][2:]}/opened") == 1
    quarter.metrics("grace_hall", "alerts", "resolve", alert["incident"], "-r", "real move")
    return asked["decision"]


def three_missed_weeks(quarter: Quarter) -> None:
    """The machine is off from the third week of May until noon on the fifth of June: what is due then is sent once."""
    back = date(2017, 6, 5)
    quarter.demo.deliver_until(back - timedelta(days=1))
    ran = quarter.at(6, 5, off=True)
    assert ran.count("report_weekly_board") == 3, "each missed tick ran"
    for report, readers in (("weekly_board", BOARD), ("store_weekly", STORES)):
        assert quarter.sent_of(report, back) == Counter(readers)
        assert_clean(quarter.banners(report, back), "4 Jun 2017", "2017年6月4日")
        for missed in (date(2017, 5, 22), date(2017, 5, 29)):
            assert quarter.issues(report, missed) == []
    assert quarter.sent_to("wang.fang@example.com", "review/month/2017-05") == 1, "May's, not June's"
    quarter.false_alarms()


def its_outcome_is_measured_on_the_due_date(quarter: Quarter, decision: str) -> None:
    quarter.metrics("li_na", "decisions", "done", decision)
    quarter.at(6, 11)
    assert quarter.metrics("", "decisions", "show", decision)["state"] == "done"
    assert "review" in quarter.week(date(2017, 6, 12))
    measured = quarter.metrics("", "decisions", "show", decision)
    outcome = measured["outcome"]
    assert measured["state"] == "measured"
    sold = quarter.sales(measured["metric"])
    before = sum(sold[date(2017, 4, 17) + timedelta(days=n)] for n in range(28)) / 28
    after = sum(sold[date(2017, 5, 15) + timedelta(days=n)] for n in range(28)) / 28
    assert (outcome["before"], outcome["actual"]) == (pytest.approx(before), pytest.approx(after))
    assert outcome["verdict"] == ("met" if after >= before * 1.02 else "part of it" if after > before else "not met")
    assert quarter.sent_to("U0LINA", f"decision/{decision[2:]}/measured") == 1
    quarter.false_alarms()


def the_review_proposes_and_what_is_accepted_takes_effect(quarter: Quarter) -> None:
    """In June a rule cries each week and is called a false alarm; lines per receipt were read by nobody all quarter."""
    for monday in (date(2017, 6, 19), date(2017, 6, 26)):
        quarter.week(monday)
        quarter.false_alarms()
    quarter.demo.deliver_until(date(2017, 6, 30))
    assert "review" in quarter.at(7, 1)
    assert quarter.sent_to("wang.fang@example.com", "review/month/2017-06") == 1
    usage = {one["metric"]: one for one in quarter.metrics("", "usage")["metrics"]}
    assert usage["net_sales"]["faces"]["report"] > 10
    assert "lines_per_receipt" not in usage
    before = quarter.alerts_of("average_receipt")
    (retired,) = quarter.metrics("chen_jie", "review", "accept", "unused/lines_per_receipt", "--now")
    (calmed,) = quarter.metrics("chen_jie", "review", "accept", "noisy/average_receipt/bounds")
    assert (retired["changes"], calmed["changes"]) == (["retire"], ["bounds"])
    assert "lines_per_receipt" in quarter.metric_states()
    quarter.approve(retired["request"], "zhao_min", "wang_fang")
    quarter.approve(calmed["request"], "grace_hall", "wang_fang")
    assert "refresh" in [one.job for one in quarter.daemon.look()]
    assert "lines_per_receipt" not in quarter.metric_states(), "it is not published any more"
    assert float(quarter.metrics("", "show", "average_receipt")["bounds"]["warn"]["below"]) < 25
    after = quarter.alerts_of("average_receipt")
    assert after < before / 4
    known = quarter.incidents()
    quarter.week(date(2017, 7, 3))
    new = [one for name, one in quarter.incidents().items() if name not in known]
    assert not [one for one in new if one["metric"] == "average_receipt" and one["rule"] == "bounds"]
    again = {one["key"] for one in quarter.metrics("grace_hall", "review")["items"]}
    assert "unused/lines_per_receipt" not in again
