"""Drawn charts: gaps, one point, nothing; words escaped; the same geometry for page and paper."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from metrics_catalog.reporting import drawing


def chart(values: list[float | None], **more: Any) -> dict[str, Any]:
    days = [date(2024, 1, 1) + timedelta(weeks=n) for n in range(len(values))]
    points = [(day.isoformat(), value) for day, value in zip(days, values, strict=True)]
    return {"points": points, "before": [], "target": None, "unit": "usd", "grain": "week", **more}


def test_a_gap_breaks_the_line() -> None:
    plot = drawing.plot(chart([1, 2, None, 4, 5]), "en")
    assert [len(piece) for piece in plot.lines] == [2, 2]
    assert [x for piece in plot.lines for x, _ in piece] == [0, 25, 75, 100]
    assert plot.last == plot.lines[-1][-1]
    assert plot.told[2] == (50, "week of 15 Jan 2024: –")


@pytest.mark.parametrize("values", [[], [None], [5.0], [0.0, 0.0], [None, 3.0, None], [-5.0, 5.0]])
def test_little_data_is_drawn_as_well(values: list[float | None]) -> None:
    plot = drawing.plot(chart(values, target=2.0), "zh")
    for drawn in (drawing.lines(plot), drawing.picture(plot, 300, 100)):
        ElementTree.fromstring(drawn)  # noqa: S314 - drawn here
    assert all(-0.01 <= y <= 100.01 for piece in plot.lines for _, y in piece)


def test_axis_words_are_few_and_in_the_language() -> None:
    plot = drawing.plot(chart([90_000.0, 110_000.0] * 13), "zh")
    assert [label for _, label in plot.columns] == ["1月29日", "3月18日", "5月6日", "6月24日"]
    assert plot.rows[0][1] == "$9万"
    assert "6月24日" in drawing.picture(plot, 300, 100)


def test_sparks_end_in_a_dot_and_need_two_values() -> None:
    assert drawing.spark([1.0], "good") == ""
    assert drawing.spark([1.0, None, 3.0], "bad").count("<path") == 3
    assert "var(--bad)" in drawing.spark([1.0, 3.0], "bad")
    ElementTree.fromstring(drawing.spark([1.0, 2.0], "good", drawing.LIGHT, (100, 20)))  # noqa: S314


def test_on_paper_the_last_dot_is_a_circle_since_not_every_renderer_draws_a_line_without_length() -> None:
    assert drawing.picture(drawing.plot(chart([1.0, 3.0]), "en"), 300, 100).count("<circle") == 1
    assert drawing.spark([1.0, 3.0], "bad", drawing.LIGHT, (100, 20)).count("<circle") == 1
