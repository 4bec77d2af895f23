"""A report by an own grain: the numbers of the same periods, called as the time spine calls them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from metrics_catalog.governance.begun import Definitions
from metrics_catalog.own_grains import OutsideSpine, OwnGrain, Spine
from metrics_catalog.reporting import drawing
from metrics_catalog.reporting.compose import compose
from metrics_catalog.reporting.copy import Copy
from metrics_catalog.reporting.issues import deliver
from metrics_catalog.reporting.making import Source, make
from metrics_catalog.spec.base import Label


def retail(source: Source, room: Any, weeks_after: int = 2) -> Source:
    """The same chain, whose weeks are weeks of a time spine."""
    starts = tuple(room.LAST + timedelta(weeks=number) for number in range(-60, weeks_after + 1))
    texts = tuple(f"2024-W{number:02}" for number in range(-34, weeks_after + 27))
    spine = Spine("model.shop.days", "marts", "days", "day", "models/days.yml")
    label = Label(en="retail week", zh="零售周")
    until = starts[-1] + timedelta(days=7)
    own = {"retail_week": OwnGrain("retail_week", "retail_week", spine, label, starts, texts, until)}
    catalog = source.definitions.official
    metrics = {
        name: replace(one, spec=one.spec.model_copy(update={"grains": ("day", "retail_week")}))
        for name, one in catalog.metrics.items()
    }
    known = replace(catalog, metrics=metrics, semantics=replace(catalog.semantics, own_grains=own))
    published: Any = source.published
    rows = published.snapshot.rows
    rows |= {(metric, "retail_week", cut): some for (metric, grain, cut), some in rows.items() if grain == "week"}
    return Source(source.project, Definitions(known, known), published)


def body(source: Source, report: Any, room: Any, language: str) -> Any:
    return json.loads(json.dumps(compose(Copy(make(source, report, room.NOW), "all", language)).as_json()))


@pytest.mark.parametrize(
    ("language", "called", "before"),
    [("en", "retail week 2024-W26", "retail week 2024-W25"), ("zh", "零售周 2024-W26", "零售周 2024-W25")],
)
def test_its_numbers_and_names(source: Source, weekly: Any, room: Any, language: str, called: str, before: str) -> None:
    usual = body(source, weekly, room, language)
    own = body(retail(source, room), room.report_file(room.REPORT, grain="retail_week"), room, language)
    assert own["period_label"] == called
    assert own["period"] == usual["period"]
    assert before in own["blocks"][0]["note"]
    for mine, theirs in zip(own["blocks"], usual["blocks"], strict=True):
        assert [card["value"] for card in mine["cards"]] == [card["value"] for card in theirs["cards"]]
        assert [card["change"] for card in mine["cards"]] == [card["change"] for card in theirs["cards"]]
        assert [chart["points"] for chart in mine["charts"]] == [chart["points"] for chart in theirs["charts"]]
    insights = json.dumps(own["insights"], ensure_ascii=False)
    assert called.removesuffix(" 2024-W26") in insights
    assert "retail_week" not in insights
    plots = [drawing.plot(chart, language) for block in own["blocks"] for chart in block["charts"]]
    assert plots
    for plot in plots:
        assert plot.columns[-1][1] == "2024-W26"
        assert plot.told[-1][1].startswith("2024-W26: ")


def test_a_spine_that_has_ended_makes_it_wait(source: Source, room: Any) -> None:
    report, ended = room.report_file(room.REPORT, grain="retail_week"), retail(source, room, -1)
    with pytest.raises(OutsideSpine, match="retail_week is known until 2024-06-23 only"):
        make(ended, report, room.NOW)
    outcome = deliver(ended, sa.create_engine("sqlite://"), report, room.NOW)
    assert outcome.waiting is not None
    assert "retail_week is known until 2024-06-23 only" in outcome.waiting
