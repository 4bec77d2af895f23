"""The body of a copy, and what is made of it: pages, mails and chat messages one can review in a diff.

After a meant change: ``pytest --update-golden``, then look at the difference.
"""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from metrics_catalog.message import Message
from metrics_catalog.reporting import words
from metrics_catalog.reporting.compose import compose
from metrics_catalog.reporting.copy import Copy
from metrics_catalog.reporting.html import page
from metrics_catalog.reporting.letters import message, picture
from metrics_catalog.reporting.making import Source, make
from metrics_catalog.reporting.pdf import NotTypeset, document
from orchestration.report_formats import rendered

GOLDEN = Path(__file__).parents[2] / "golden" / "reports"


def body(source: Source, report: Any, room: Any, language: str = "en", *members: tuple[str, str]) -> dict[str, Any]:
    copy = Copy(make(source, report, room.NOW), "all" if not members else "one", language, members)
    return json.loads(json.dumps(compose(copy).as_json()))  # as it is read again


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["html", "slack", "mail", "json"])
def test_outputs(source: Source, weekly: Any, room: Any, language: str, kind: str, pytestconfig: pytest.Config) -> None:
    found = rendered(body(source, weekly, room, language), kind).decode()
    if kind == "html":
        found = found.replace("<path", "\n<path").replace("<rect", "\n<rect")  # so that a diff can be read
    golden = GOLDEN / f"weekly.{language}.{kind}{'.json' if kind == 'slack' else '.html' if kind == 'mail' else ''}"
    if pytestconfig.getoption("--update-golden"):
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8"), "look at it, then pytest --update-golden"


class Tags(HTMLParser):
    """Elements that a page has, and where it would load something from."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        given = {name: value or "" for name, value in attrs}
        self.loads += [given[name] for name in ("src", "srcset", "data") if name in given]
        self.ids.add(given.get("id", ""))
        if tag == "a":
            self.links.add(given["href"])


def test_a_page_loads_nothing_runs_nothing_and_escapes_names(source: Source, weekly: Any, room: Any) -> None:
    text = page(body(source, weekly, room))
    tags = Tags(text)
    assert "script" not in tags.seen
    assert tags.loads == []
    assert "&lt;script&gt;" in text
    assert "http" not in text.replace("http-equiv", "")
    assert {link.removeprefix("#") for link in tags.links} <= tags.ids, "every number leads to its metric"
    assert "#m-net_sales" in tags.links


def test_a_copy_for_one_member_has_its_own_numbers_and_no_other_names(
    source: Source, per_store: Any, room: Any
) -> None:
    found = body(source, per_store, room, "zh", ("store", "静安"))
    text = json.dumps(found, ensure_ascii=False)
    assert found["subject"] == "门店静安"
    assert "徐汇" not in text
    place = found["blocks"][-1]
    assert (place["kind"], place["note"]) == ("place", "在3个中排第1；中位数为$14,406。")
    other = body(source, per_store, room, "en", ("store", room.HOSTILE))
    assert found["blocks"][0]["cards"][0]["value"] != other["blocks"][0]["cards"][0]["value"]
    assert "<script>" not in page(other)


def test_a_change_is_good_by_the_direction_and_never_by_the_sign(source: Source, weekly: Any, room: Any) -> None:
    cards = {card["metric"]: card for card in body(source, weekly, room)["blocks"][0]["cards"]}
    assert cards["net_sales"]["change"].startswith("-")
    assert cards["net_sales"]["tone"] == "bad"
    assert cards["discount_rate"]["change"].startswith("+")
    assert cards["discount_rate"]["tone"] == "bad"


def test_contributions_say_the_whole_and_unlike_parts_are_not_split(source: Source, weekly: Any, room: Any) -> None:
    blocks = [one for one in body(source, weekly, room)["blocks"] if one["kind"] == "contribution"]
    assert blocks[0]["note"] == "-$21,741 in all, from $64,560 to $42,819"
    assert {row["member"] for row in blocks[1]["rows"]} == {"生鲜", "日用品"}
    source.published.snapshot.rows["net_sales", "week", ("store",)].pop()  # type: ignore[attr-defined]
    again = [one for one in body(source, weekly, room)["blocks"] if one["kind"] == "contribution"]
    assert again[0]["rows"] == []
    assert "cannot be split" in again[0]["note"]


def test_no_data_and_a_metric_that_is_gone_are_said(source: Source, weekly: Any, room: Any) -> None:
    snapshot: Any = source.published.at()
    for rows in snapshot.rows.values():
        rows[:] = [one for one in rows if one[0] != room.LAST]
    catalog = replace(
        source.definitions.official, metrics={"net_sales": source.definitions.official.metrics["net_sales"]}
    )
    gone = replace(source, definitions=replace(source.definitions, official=catalog))
    found = body(gone, weekly, room)
    card = found["blocks"][0]["cards"][0]
    assert (card["value"], card["change"], card["mark"]) == ("–", "–", "no data for this period")
    late: Any = room.info(coverages={"tills": {"start": "2023-01-01", "missing": ["2024-06-30"]}})
    waited = body(replace(gone, published=room.InMemory(replace(snapshot, info=late))), weekly, room)
    assert waited["blocks"][0]["cards"][0]["mark"] == "not published yet"
    assert "discount_rate is no longer an official metric and not shown" in [
        one["text"] for one in found["banner"]["lines"]
    ]
    assert "none of the numbers has data for this period" in [one["text"] for one in found["banner"]["lines"]]
    assert found["banner"]["title"].endswith("Read with care: 2 things are not as they should be")
    for block in found["blocks"]:
        assert block["kind"] in ("headline", "trend", "text") or block["note"] == "No data for this period."
    assert page(found)
    assert document(found).startswith(b"%PDF")


def test_nothing_published_of_a_metric_at_all(source: Source, weekly: Any, room: Any) -> None:
    source.published.at().rows.clear()  # type: ignore[attr-defined]
    found = body(source, weekly, room, "zh")
    assert [card["mark"] for card in found["blocks"][0]["cards"]] == ["尚未发布", "尚未发布"]
    assert "本期所有指标均无数据" in [one["text"] for one in found["banner"]["lines"]]
    assert page(found)
    assert document(found).startswith(b"%PDF")
    assert picture(found) is None


def test_a_copy_for_a_member_without_any_row_is_made_and_says_so(source: Source, per_store: Any, room: Any) -> None:
    found = body(source, per_store, room, "en", ("store", "nobody's"))
    assert [card["value"] for card in found["blocks"][0]["cards"]] == ["–"]
    assert found["blocks"][-1]["note"] == "No data for this period."
    assert page(found)
    assert document(found).startswith(b"%PDF")


def test_a_name_in_markup_is_text_in_every_form(source: Source, weekly: Any, room: Any) -> None:
    made = body(source, weekly, room)
    for kind in ("html", "mail"):
        assert "<script>" not in rendered(made, kind).decode()
    slack = json.loads(rendered(made, "slack"))
    assert "mrkdwn" not in json.dumps(slack), "Slack parses nothing of it"


def test_a_dimension_of_an_entity_is_said_by_both() -> None:
    assert words.dimension("customer__city", "en") == "customer city"
    assert words.dimension("customer__city", "zh") == "客户城市"
    assert words.dimension("order__size", "zh") == "订单 size"


def test_pdf_has_chinese_hostile_names_as_text_and_is_small(source: Source, weekly: Any, room: Any) -> None:
    made = document(body(source, weekly, room, "zh"))
    assert made.startswith(b"%PDF-")
    assert 20_000 < len(made) < 400_000  # the font's glyphs are a part of it, the whole font is not
    assert b"NotoSansCJK" in made
    with pytest.raises(NotTypeset, match="typeset"):
        document({**body(source, weekly, room), "banner": None})


def test_messages_carry_numbers_insights_picture_and_files(source: Source, weekly: Any, room: Any) -> None:
    made = message(body(source, weekly, room), {"html": "a/report.html", "pdf": "a/report.pdf", "png": "a/report.png"})
    assert Message.read(json.loads(json.dumps(made.as_json()))) == made
    assert made.title == "Weekly report · week of 24 Jun 2024"
    assert [one.name for one in made.attachments] == ["weekly-2024-06-24.pdf", "weekly-2024-06-24.html"]
    kinds = [type(part).__name__ for part in made.parts]
    assert kinds[:2] == ["Paragraph", "Grid"]
    assert kinds[-1] == "Picture"
    without = message(body(source, weekly, room), {}, {"pdf": "no room"})
    assert "The PDF could not be made: no room" in [getattr(part, "text", "") for part in without.parts]
