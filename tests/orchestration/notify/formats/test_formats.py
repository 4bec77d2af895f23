"""What each channel shows of a message with everything in it: golden payloads one can read in a diff.

After a meant change: ``pytest --update-golden``, then look at the difference.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metrics_catalog.message import (
    Button,
    Buttons,
    Facts,
    Grid,
    Link,
    Message,
    Paragraph,
    Picture,
)
from orchestration.notify.formats import dingtalk, feishu, slack, webhook, wecom
from orchestration.notify.formats.console import shown
from orchestration.notify.formats.mail import mail
from orchestration.notify.formats.text import text

GOLDEN = Path(__file__).parents[3] / "golden" / "messages"
FILES = {"charts/net_sales.png": "F0CHART"}
HUGE = "长" * 5000


def _json(payload: Any) -> str:
    return json.dumps(payload, ensure_ascii=False, indent=1) + "\n"


SHOWN: dict[str, Callable[[Message], str]] = {
    "slack.json": lambda one: _json(slack.payload(one, FILES)),
    "dingtalk.json": lambda one: _json(dingtalk.payload(one)),
    "feishu.json": lambda one: _json(feishu.payload(one)),
    "wecom.json": lambda one: _json(wecom.payload(one)),
    "webhook.json": lambda one: _json(webhook.payload(one, "INC-12/lin_wei", 3)),
    "mail.html": lambda one: mail(one).html,
    "mail.txt": lambda one: f"{mail(one).subject}\n\n{mail(one).text}\n",
    "console.txt": lambda one: shown(one, "slack C0ALERTS") + "\n",
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", SHOWN)
def test_every_channel_shows_the_whole_message(
    name: str, language: str, sample: Callable[[str], Message], pytestconfig: pytest.Config
) -> None:
    found = SHOWN[name](sample(language))
    stem, _, ending = name.partition(".")
    golden = GOLDEN / f"{stem}.{language}.{ending}"
    if pytestconfig.getoption("--update-golden"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8"), "look at it, then pytest --update-golden"


@pytest.mark.parametrize("name", [name for name in SHOWN if name != "webhook.json"])  # that is data
def test_no_text_of_the_data_becomes_markup(name: str, sample: Callable[[str], Message]) -> None:
    found = SHOWN[name](sample("en"))
    assert "\u202e" not in found
    if name.endswith("html"):
        assert "<b>" not in found
        assert "&lt;!channel&gt;" in found
    if name in ("dingtalk.json", "wecom.json"):
        assert "<!channel>" not in found
        assert "](http://evil" not in found
    if name == "feishu.json":
        assert "&#60;" in found
        assert "<b>" not in found
    if name == "slack.json":
        assert "mrkdwn" not in found


def test_slacks_limits_are_kept_and_what_is_cut_is_said(faults: Callable[..., list[str]]) -> None:
    parts = (
        Paragraph(HUGE),
        Paragraph(HUGE, "muted"),
        Facts(tuple((HUGE, HUGE) for _ in range(30))),
        Grid(tuple("abcdefghijklmnopqrstuvwxyz"), tuple(("",) * 26 for _ in range(200)), (1,)),
        Grid(("a", "b"), tuple((str(n), "长" * 50) for n in range(200))),
        Picture("charts/net_sales.png", HUGE),
        Link(HUGE, "javascript:alert(1)"),
        Buttons(tuple(Button(HUGE, "acknowledge", HUGE) for _ in range(40))),
        *(Paragraph(f"line {n}") for n in range(60)),
    )
    made = slack.payload(Message(HUGE, parts), FILES)
    assert faults(made["blocks"], {"F0CHART": {"ready": True}}) == []
    assert len(made["blocks"]) == 50
    told = json.dumps(made["blocks"], ensure_ascii=False)
    assert "more not shown here" in told
    assert '"url"' not in told


@pytest.mark.parametrize("module", [dingtalk, wecom, feishu])
def test_robots_limits_are_kept_and_what_is_left_out_is_said(module: Any) -> None:
    most = module.MOST_BYTES
    long = Message("标题", tuple(Paragraph(f"{n} {'长' * 300}") for n in range(60)), "zh", severity=1)
    made = json.dumps(module.payload(long), ensure_ascii=False)
    assert len(made.encode()) < most + 500
    assert "未显示" in made
    assert "0 长" in made
    huge = json.dumps(module.payload(Message(HUGE * 3, (Paragraph(HUGE * 3),))), ensure_ascii=False)
    assert len(huge.encode()) < most + 500


def test_an_alert_that_is_over_looks_so() -> None:
    over = Message("恢复", language="zh", severity=1, closed=True)
    assert text(over).startswith("✅")
    assert feishu.payload(over)["card"]["header"]["template"] == "green"
    assert "#1e8449" in mail(over).html
    assert feishu.payload(replace(over, closed=False))["card"]["header"]["template"] == "red"


def test_a_message_of_a_title_alone_is_enough(faults: Callable[..., list[str]]) -> None:
    bare = Message("Only this")
    assert faults(slack.payload(bare, {})["blocks"], {}) == []
    assert text(bare) == "Only this"
    assert "Only this" in mail(bare).html
    for module in (dingtalk, wecom, feishu):
        assert "Only this" in json.dumps(module.payload(bare))
