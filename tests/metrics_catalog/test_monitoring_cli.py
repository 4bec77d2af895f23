"""`metrics alerts` on the shop."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from metrics_catalog.monitoring.cause import Explained
from metrics_catalog.monitoring.finding import Finding, Series
from metrics_catalog.monitoring.following import Evaluated, Observed, last_evaluated, sync
from metrics_catalog.monitoring.grouping import troubles
from metrics_catalog.ops.store import open_store
from orchestration.cli import main

Alerts = Callable[..., tuple[int, str, str]]


@pytest.fixture
def alerts(refreshed: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Alerts:
    """Runs a command on a shop whose net sales fell; receipts are late by themselves."""
    refreshed.write_people()
    catalog = refreshed.declared().catalog
    found = Finding(Series("net_sales", "day"), "anomaly", date(2024, 3, 2), "critical", 5.0, 12.5)
    seen = Observed(troubles(catalog, [(found, Explained("move"))]))
    sync(open_store(refreshed.project.ops), catalog, seen, datetime.now(UTC))

    def run(*arguments: str, user: str = "wei") -> tuple[int, str, str]:
        monkeypatch.setitem(os.environ, "METRICS_USER", user)
        monkeypatch.setattr(sys, "argv", ["metrics", "--project", str(refreshed.project.root), "alerts", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def test_a_list_in_the_readers_language_the_worst_first(alerts: Alerts) -> None:
    _, out, _ = alerts()
    assert [line[:9] for line in out.splitlines()[:2]] == ["INC-2  1 ", "INC-1  2 "]
    assert "真实波动：2024年3月2日净销售额为$5，较预期$12.50变动-60.0%" in out
    code, out, _ = alerts("list", "--json", "--metric", "net_sales", user="ana")
    assert (code, [one["incident"] for one in json.loads(out)]) == (0, ["INC-2", "INC-1"])
    assert "Real move: Net sales $5 on 2 Mar 2024, -60.0% against the expected $12.50" in alerts(user="ana")[1]


def test_series_with_too_little_data_are_counted(alerts: Alerts, refreshed: Any) -> None:
    store, catalog = open_store(refreshed.project.ops), refreshed.declared().catalog
    for count in (1, 12):
        kept = Evaluated(9, date(2024, 3, 2), too_little=count)
        sync(store, catalog, Observed(evaluated=kept), datetime.now(UTC))
        assert last_evaluated(store) == kept
    assert "12 个序列数据太少，未作异常检测" in alerts()[1]
    assert "12 series have too little data to look for anomalies in" in alerts(user="ana")[1]


def test_from_open_to_resolved(alerts: Alerts) -> None:
    assert "INC-2 is acknowledged (wei)" in alerts("ack", "INC-2")[1]
    assert json.loads(alerts("assign", "2", "fang", "--json")[1])["assignee"] == "fang"
    assert "INC-2 is acknowledged (fang)" in alerts("snooze", "INC-2", "2d")[1]
    assert "INC-2 is resolved" in alerts("resolve", "INC-2", "-r", "real move", "--note", "雨天")[1]
    shown = json.loads(alerts("show", "INC-2", "--json")[1])
    assert (shown["state"], shown["reason"], shown["note"]) == ("resolved", "real move", "雨天")
    assert [one["kind"] for one in shown["history"]] == ["opened", "acknowledged", "assigned", "snoozed", "resolved"]
    told = alerts("show", "INC-2")[1]
    assert "已由 wei 处理完毕：真实波动（雨天）" in told
    assert alerts()[1].count("INC-") == 1
    assert alerts("list", "--all")[1].count("INC-") == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ack", "INC-9"), 'there is no incident "INC-9"'),
        (("resolve", "INC-2", "-r", "done"), '"done" is no reason'),
        (("resolve", "INC-2"), "Missing option"),
        (("snooze", "INC-2", "soon"), '"soon" is no time; write 4h, 2d, 1w'),
        (("assign", "INC-2", "lee"), '"lee" is not a person of people.yml'),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_right(alerts: Alerts, arguments: tuple[str, ...], says: str) -> None:
    code, _, err = alerts(*arguments)
    assert (code, says in err) == (2, True), err


def test_who_does_not_answer_for_it_may_not(alerts: Alerts) -> None:
    code, _, err = alerts("ack", "INC-2", user="ana")
    assert (code, "ana does not answer for INC-2 and may not acknowledge it" in err) == (2, True)
    assert alerts("ack", "INC-2", user="")[0] == 2
