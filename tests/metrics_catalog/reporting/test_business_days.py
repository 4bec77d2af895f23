"""Which days of a period count as closed, and how a comparison says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from metrics_catalog.monitoring.calendar import known_days
from metrics_catalog.reporting.business_days import Days, business_days
from metrics_catalog.reporting.compose import compose
from metrics_catalog.reporting.copy import Copy
from metrics_catalog.reporting.day_words import open_days
from metrics_catalog.reporting.making import Source, make
from metrics_catalog.reporting.numbers import Numbers
from metrics_catalog.spec.policy import Policy

WEDNESDAY = date(2024, 6, 26)
EVENT = {"label": {"en": "Stocktaking", "zh": "盘点"}, "day": WEDNESDAY}
Closing = Callable[..., Source]


@pytest.fixture
def closing(source: Source) -> Closing:
    """The shop with a policy, and without sales on some days."""

    def made(idle: tuple[date, ...] = (), **policy: Any) -> Source:
        snapshot: Any = source.published.at()
        rows = snapshot.rows["net_sales", "day", ()]
        rows[:] = [one for one in rows if one[0] not in idle]
        given = Policy.model_validate({"business_date": "2024-06-30", **policy})
        official = replace(source.definitions.official, policy=given)
        return replace(source, definitions=replace(source.definitions, official=official))

    return made


def days(source: Source, week: date, members: Any = ()) -> Days:
    catalog = source.definitions.official
    numbers = Numbers(source.published.at(), catalog, week - timedelta(days=20), week + timedelta(days=7))
    known = known_days(catalog.policy, week, week + timedelta(days=7))
    return business_days(numbers, known, ["net_sales", "discount_rate"], numbers.calendar.span("week", week), members)


def names(found: Days) -> list[tuple[date, str | None]]:
    return [(day, None if name is None else name["en"]) for day, name in found.closed]


def test_a_day_the_policy_closes_is_closed_unless_something_was_sold(closing: Closing, room: Any) -> None:
    assert days(closing(closed_days=[WEDNESDAY]), room.LAST) == Days(7, ())
    found = days(closing((WEDNESDAY,), closed_days=[WEDNESDAY]), room.LAST)
    assert (found.open, names(found)) == (6, [(WEDNESDAY, None)])


def test_a_holiday_or_event_without_sales_is_closed_under_its_name(closing: Closing, room: Any) -> None:
    juneteenth = date(2024, 6, 19)
    found = days(closing((juneteenth,), monitoring={"country": "US"}), juneteenth)
    assert names(found) == [(juneteenth, "Juneteenth National Independence Day")]
    event = {"monitoring": {"country": "US", "events": [EVENT]}}
    assert days(closing(**event), room.LAST) == Days(7, ())
    assert names(days(closing((WEDNESDAY,), **event), room.LAST)) == [(WEDNESDAY, "Stocktaking")]


def test_a_day_without_sales_that_nobody_knows_of_is_open(closing: Closing, room: Any) -> None:
    assert days(closing((WEDNESDAY,)), room.LAST) == Days(7, ())
    other = {**EVENT, "metrics": ["discount_rate"]}
    assert days(closing((WEDNESDAY,), monitoring={"events": [other]}), room.LAST) == Days(7, ())


def test_a_day_whose_data_is_owed_or_a_week_before_the_first_data_is_open(closing: Closing, room: Any) -> None:
    source = closing(
        (WEDNESDAY,), monitoring={"events": [{**EVENT, "day": None, "start": "2024-01-01", "end": "2024-06-30"}]}
    )
    assert days(source, date(2024, 1, 1)) == Days(7, ())
    assert days(source, room.LAST).open == 6
    snapshot: Any = source.published.at()
    snapshot.info = room.info(coverages={"tills": {"start": "2023-01-01", "missing": ["2024-06-26"]}})
    assert days(source, room.LAST) == Days(7, ())


def test_an_event_of_one_store_closes_that_store_only(closing: Closing, room: Any) -> None:
    source = closing(monitoring={"events": [{**EVENT, "members": {"store": ["静安"]}}]})
    snapshot: Any = source.published.at()
    week = [room.LAST + timedelta(days=number) for number in range(7)]
    snapshot.rows["net_sales", "day", ("store",)] = [
        (day, (store,), 0 if (day, store) == (WEDNESDAY, "静安") else 100, None, None)
        for day in week
        for store in ("静安", "徐汇")
    ]
    assert names(days(source, room.LAST, (("store", "静安"),))) == [(WEDNESDAY, "Stocktaking")]
    assert days(source, room.LAST, (("store", "徐汇"),)) == Days(7, ())
    assert days(source, room.LAST) == Days(7, ())


@pytest.mark.parametrize(
    ("language", "note", "mark", "insight"),
    [
        (
            "en",
            "Compared with the week of 17 Jun 2024. This week had 6 business days (closed 26 Jun 2024, Stocktaking), the one compared with had 7.",
            "-22.6% per business day, 6 against 7",
            "Net sales fell 33.7% on the week before (-22.6% per business day, 6 against 7), to $42.8K",
        ),
        (
            "zh",
            "与2024年6月17日至6月23日相比。本周有6个营业日（2024年6月26日盘点停业），对比期有7个。",
            "按营业日平均-22.6%，6天对7天",
            "净销售额环比下降33.7%（按营业日平均-22.6%，6天对7天），为$4.28万",
        ),
    ],
)
def test_a_comparison_says_it(
    closing: Closing, weekly: Any, room: Any, language: str, note: str, mark: str, insight: str
) -> None:
    source = closing((WEDNESDAY,), monitoring={"events": [EVENT]})
    body = compose(Copy(make(source, weekly, room.NOW), "all", language))
    assert body.blocks[0].note == note
    assert [card.mark for card in body.blocks[0].cards] == [mark, None], "a rate does not add up over days"
    assert any(one.text.startswith(insight) for one in body.insights)
    rest = [block.note or "" for block in body.blocks[1:]]
    assert not [note for note in rest if "business day" in note or "营业日" in note], "said once"


def test_without_a_headline_each_section_says_it(closing: Closing, room: Any) -> None:
    sections = [
        {"type": "contribution", "metric": "net_sales", "by": "store"},
        {"type": "breakdown", "metric": "net_sales", "by": "store"},
    ]
    report = room.report_file(room.REPORT, sections=sections)
    source = closing((WEDNESDAY,), monitoring={"events": [EVENT]})
    notes = [block.note for block in compose(Copy(make(source, report, room.NOW), "all", "en")).blocks]
    assert notes[0] == "-$21,741 in all, from $64,560 to $42,819. " + str(notes[1])
    assert str(notes[1]).startswith("This week had 6 business days")


def test_many_closed_days_are_said_as_runs() -> None:
    def closed(*which: tuple[int, int], name: str | None = None) -> Days:
        named = {"en": name, "zh": "春节"} if name else None
        found = [(date(2024, 2, day), named) for first, last in which for day in range(first, last + 1)]
        return Days(29 - len(found), tuple(found))

    now, before = closed((10, 16), name="Spring Festival"), Days(31, ())
    assert open_days("month", now, before, "en") == (
        "This month had 22 business days (closed 10 Feb 2024 to 16 Feb 2024, Spring Festival), the one compared with had 31."
    )
    assert (
        open_days("month", now, before, "zh")
        == "本月有22个营业日（2024年2月10日至2024年2月16日春节停业），对比期有31个。"
    )
    many = open_days("month", closed((1, 1), (3, 3), (5, 5), (7, 7), (9, 9)), before, "en")
    assert "5 Feb 2024; 2 more)" in many
