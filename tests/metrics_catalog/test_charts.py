"""Chart specifications: valid Vega-Lite, worded by us, gaps kept; and that pictures come out with Chinese glyphs."""

from __future__ import annotations

import json
import struct
from datetime import date, timedelta

import altair
import pytest

from metrics_catalog import charts
from metrics_catalog.charts import Mark

DAYS = [date(2017, 10, 2) + timedelta(days=i) for i in range(28)]
VALUES = [(day, None if i == 5 else 50_000.0 + 1_000 * (i % 7)) for i, day in enumerate(DAYS)]
HOSTILE = '<script>alert(1)</script>"\\'


@pytest.fixture
def trend() -> charts.Spec:
    band = [(day, 48_000.0, 58_000.0) for day in DAYS]
    marks = [Mark(DAYS[10], "骤降"), Mark(DAYS[12], HOSTILE, "good")]
    return charts.trend(
        VALUES,
        unit="usd",
        grain="day",
        language="zh",
        before=VALUES,
        target=55_000,
        band=band,
        marks=marks,
        title="销售额",
    )


def test_specifications_are_valid_vega_lite(trend: charts.Spec) -> None:
    bars = charts.bars([("A", 3), ("B", -1), (HOSTILE, None)], unit="cny", signed=True, tones={"B": "bad"})
    for spec in (trend, bars, charts.spark([1, None, 3])):
        altair.Chart.from_dict(spec)  # validates
        assert json.loads(json.dumps(spec)) == spec


def test_a_period_without_data_is_a_gap_and_marks_keep_their_words(trend: charts.Spec) -> None:
    text = json.dumps(trend, ensure_ascii=False)
    lines = [layer["data"]["values"] for layer in trend["layer"] if layer["mark"]["type"] == "line"]
    assert len(lines) == 2  # what it is compared with, and itself on top
    assert [row["value"] for row in lines[1]][4:7] == [54_000.0, None, 56_000.0]
    assert "骤降" in text
    assert "目标 $5.50万" in text
    assert '"10月29日"' in text.replace("\\", "")


def test_periods_that_have_names_are_called_by_them_at_the_axis_and_by_their_points() -> None:
    spec = charts.trend(VALUES[::7], unit="usd", grain="fiscal_month", names={DAYS[0]: "2017-09", DAYS[21]: "2017-12"})
    axis = spec["layer"][0]["encoding"]["x"]["axis"]["labelExpr"]
    rows = spec["layer"][0]["data"]["values"]
    assert [row["label"] for row in rows[::3]] == ["2017-09", "2017-12"]
    assert axis.startswith('["2017-09", "fiscal month of 9 Oct 2017", ')


def test_bars_say_their_numbers_with_the_sign_outside_of_the_bar() -> None:
    spec = charts.bars([("A", 120_000), ("B", -34_000)], unit="cny", language="zh", signed=True)
    assert [row["text"] for row in spec["data"]["values"]] == ["+¥12万", "-¥3.40万"]
    low, high = spec["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert low < -34_000
    assert high > 120_000


@pytest.mark.parametrize("points", [[], [(DAYS[0], None)], [(DAYS[0], 5)], [(day, 0) for day in DAYS]])
def test_little_or_no_data_still_makes_a_picture(points: list) -> None:
    spec = charts.trend(points, unit="number", grain="day")
    assert charts.svg(spec).startswith("<svg")


def test_pictures_show_chinese_and_escape_what_names_say(trend: charts.Spec) -> None:
    drawn = charts.svg(trend)
    assert "<script>" not in drawn
    picture = charts.png(trend, scale=1)
    width, height = struct.unpack(">II", picture[16:24])
    assert (width > 600, height > 200) == (True, True)
    other = charts.png({**trend, "title": "龘龘龘"}, scale=1)
    assert other != charts.png({**trend, "title": "囍囍囍"}, scale=1)  # without the font both are the same boxes
