"""A pack as a page and as a message: everything in it, in both languages, nothing from data as markup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from metrics_catalog.message import Paragraph
from metrics_catalog.review.item import Item, Pack, Proposal
from metrics_catalog.review.letters import SHOWN, group, letters, message
from metrics_catalog.review.make import pack_of
from metrics_catalog.review.page import page
from metrics_catalog.spec.people import People

SALES: dict[str, Any] = {
    "net_sales": {"label": {"en": "Net <b>sales</b>", "zh": "净销售额"}},
    "lines": {"expr": "units"},
}


def test_a_pack_survives_being_kept_and_names_its_items(scene: Callable[..., Any], happened: SimpleNamespace) -> None:
    pack = pack_of(scene(SALES, used=happened.used("lines")), "demand")
    assert Pack.read(pack.as_json()) == pack
    assert pack.item("1") == pack.item("unused/net_sales") == pack.items[0]
    assert pack.item("2") is None
    assert pack.item("unused/x") is None
    facts = {label["en"]: value for label, value in pack.facts}
    assert facts == {
        "metrics": "2",
        "read in 90 days": "1",
        "alerts": "0",
        "unanswered alerts": "0",
        "open actions": "0",
        "publishes": "0",
    }


def test_the_page_is_whole_and_escaped(scene: Callable[..., Any], happened: SimpleNamespace) -> None:
    pack = pack_of(scene(SALES, used=happened.used("lines")), "demand")
    english, chinese = page(pack, "en"), page(pack, "zh")
    assert "Nobody has read Net &lt;b&gt;sales&lt;/b&gt; for 90 days" in english
    assert "<b>" not in english
    assert "Review of the metric system, Mar 2024: 1 item" in english
    assert "metrics review accept unused/net_sales" in english
    assert "90天内没有人查看过净销售额" in chinese
    assert 'lang="zh-Hans"' in chinese
    assert "http" not in english.replace("http-equiv", "")
    assert "Nothing to report" in page(replace(pack, items=()), "en")


def test_the_message_is_short_and_attaches_the_page(scene: Callable[..., Any]) -> None:
    made = pack_of(scene(SALES), "month")
    text = {"en": "t", "zh": "题"}
    items = tuple(
        Item(f"unused/m{n}", "unused", f"m{n}", text, (text,), text, Proposal("deprecate", f"m{n}", "why"))
        for n in range(30)
    )
    other = Item("target/x/month", "missed target", "x", text, (), text, Proposal("decide", "x", "why", action=text))
    pack = replace(made, items=(*items, other, Item("action/D-1", "open action", "x", text, (), text)))
    told = message(pack, "zh", "reports/review/a/review.zh.html")
    strong = [part for part in told.parts if isinstance(part, Paragraph) and part.strong]
    assert len(strong) == SHOWN
    said = [part.text for part in told.parts if isinstance(part, Paragraph) and "采纳" in part.text]
    assert "metrics review accept target/x/month" in said[1], "one of each kind before the second of any"
    assert told.title == "指标体系复盘 2024年3月：32项"
    assert told.attachments[0].file == "reports/review/a/review.zh.html"


def test_it_goes_to_the_group_the_stewards_or_the_console(scene: Callable[..., Any], tmp_path: Path) -> None:
    one = scene(SALES)
    people = one.catalog.people
    pack = pack_of(one, "month")
    folder = tmp_path / "reports" / "review" / "x"
    assert group(people, None) == ["wei"]
    assert [(x.channel, x.address) for x in letters(pack, people, None, folder, tmp_path, "e")] == [("console", "wei")]
    (to_team,) = letters(pack, people, "sales", folder, tmp_path, "2024-03")
    assert (to_team.address, to_team.key) == ("U1", "review/2024-03/slack/U1")
    nobody = People(departments={}, people={}, teams={})
    assert [x.address for x in letters(pack, nobody, None, folder, tmp_path, "e")] == ["governance"]
