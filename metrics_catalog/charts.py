"""Charts as Vega-Lite specifications, and their pictures. Specifications are pure data; only `svg` and `png` render.

One specification serves web, mail and chat. What is written on it is worded here, in the reader's language,
not by Vega.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any

from metrics_catalog.palette import FONT, LIGHT, Palette, Tone, font_file
from metrics_catalog.scales import date_label, dates, span, tick_label, ticks
from metrics_catalog.spec.base import Grain
from metrics_catalog.wording import Number, number, period

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


@dataclass(frozen=True)
class Mark:
    """A point of a trend that is pointed at, and why."""

    at: date
    label: str = ""
    tone: Tone = "bad"


def trend(
    points: Sequence[tuple[date, Number | None]],
    *,
    unit: str,
    grain: Grain,
    language: str = "en",
    before: Sequence[tuple[date, Number | None]] = (),
    target: Number | None = None,
    band: Sequence[tuple[date, float, float]] = (),
    marks: Sequence[Mark] = (),
    names: Mapping[date, str] = MappingProxyType({}),
    title: str | None = None,
    width: int = 640,
    height: int = 220,
    palette: Palette = LIGHT,
) -> Spec:
    """A value over time.

    ``before``: what it is compared with, each value at the period it stands beside. ``band``: low and high of what was
    expected. A period without data is a gap, never zero. All three may begin and end elsewhere. ``names``: of periods
    that have one of their own.
    """

    def row(at: date, value: Number | None) -> Spec:
        return _row(at, value, unit, names.get(at) or period(grain, at, language), language)

    def label(at: date) -> str:
        return names.get(at) or date_label(at, grain, language)

    rows = [row(at, value) for at, value in points]
    inside = [float(value) for _, value in (*points, *before) if value is not None]
    inside += [float(target)] if target is not None else []
    inside += [edge for _, low, high in band for edge in (low, high)]
    y = {"field": "value", "type": "quantitative", **_value_axis(inside, unit, language, palette)}
    x = {"field": "day", "type": "quantitative", **_time_axis([at for at, _ in points], label, palette)}
    layers: list[Spec] = []
    if band:
        edges = [{"day": at.toordinal(), "low": low, "high": high} for at, low, high in band]
        area = {"type": "area", "color": palette.soft, "opacity": 0.7}
        layers.append(_layer(edges, area, {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}))
    if before:
        earlier = [row(at, value) for at, value in before]
        layers.append(_layer(earlier, _line(palette.before, 1.5), {"x": x, "y": y}))
    if target is not None:
        layers += _target(target, unit, language, y, palette)
    layers.append(_layer(rows, _line(palette.accent, 2.25), {"x": x, "y": y, "tooltip": _tooltip()}))
    layers += _pointed(rows, marks, x, y, palette)
    return _chart({"layer": layers}, title, width, height, palette)


def bars(
    rows: Sequence[tuple[str, Number | None]],
    *,
    unit: str,
    language: str = "en",
    tones: Mapping[str, Tone] | None = None,
    signed: bool = False,
    title: str | None = None,
    width: int = 640,
    palette: Palette = LIGHT,
) -> Spec:
    """Values by member, first on top, each with its number. ``signed``: contributions, written ``+`` or ``-``."""
    drawn = [
        {
            "member": name,
            "value": None if value is None else float(value),
            "text": _signed(value, unit, language) if signed else number(value, unit, language, short=True),
            "colour": palette.of((tones or {}).get(name, "plain")),
        }
        for name, value in rows
    ]
    values = [row["value"] for row in drawn if row["value"] is not None]
    low, high = min([*values, 0.0]), max([*values, 0.0])
    room = (high - low or 1.0) * 0.22  # for the numbers beside the bars
    domain = [low - (room if low < 0 else 0), high + (room if high > 0 or low == 0 else 0)]
    axis = {"labelLimit": 200, "ticks": False, "domain": False, "title": None, "labelPadding": 8}
    y = {"field": "member", "type": "nominal", "sort": None, "axis": axis}
    x = {"field": "value", "type": "quantitative", "scale": {"domain": domain, "nice": False}, "axis": None}
    colour = {"field": "colour", "type": "nominal", "scale": None}
    bar = {"type": "bar", "cornerRadiusEnd": 2, "height": {"band": 0.62}}
    encoding = {"x": x, "y": y}
    right = {"type": "text", "align": "left", "dx": 6, "color": palette.text}
    left = {"type": "text", "align": "right", "dx": -6, "color": palette.text}
    text = {"field": "text", "type": "nominal"}
    layers = [
        {"mark": bar, "encoding": {**encoding, "color": colour, "tooltip": [{"field": "text", "type": "nominal"}]}},
        {"mark": right, "transform": [{"filter": "datum.value >= 0"}], "encoding": {**encoding, "text": text}},
        {"mark": left, "transform": [{"filter": "datum.value < 0"}], "encoding": {**encoding, "text": text}},
    ]
    chart = {"data": {"values": drawn}, "layer": layers}
    return _chart(chart, title, width, max(len(rows), 1) * 30, palette)


def spark(
    values: Sequence[Number | None],
    *,
    tone: Tone = "plain",
    width: int = 120,
    height: int = 32,
    palette: Palette = LIGHT,
) -> Spec:
    """A small line without axes that ends in a dot."""
    rows = [{"i": i, "value": None if value is None else float(value)} for i, value in enumerate(values)]
    x = {"field": "i", "type": "quantitative", "axis": None}
    y = {"field": "value", "type": "quantitative", "axis": None, "scale": {"zero": False}}
    known = [row for row in rows if row["value"] is not None]
    layers = [
        _layer(rows, _line(palette.before, 1.5), {"x": x, "y": y}),
        _layer(known[-1:], {"type": "point", "filled": True, "size": 28, "color": palette.of(tone)}, {"x": x, "y": y}),
    ]
    return _chart({"layer": layers}, None, width, height, palette)


def svg(spec: Spec) -> str:
    """The chart as one SVG element; 0.1 s of CPU."""
    return _converter().vegalite_to_svg(spec)


def png(spec: Spec, scale: float = 2) -> bytes:
    """The chart as a picture, ``scale`` pixels to a unit; 0.1 s of CPU."""
    return _converter().vegalite_to_png(spec, scale=scale)


@cache
def _converter() -> Any:
    from pathlib import Path

    import vl_convert

    for weight in ("Regular", "Bold"):
        vl_convert.register_font_directory(str(Path(font_file(weight)).parent))
    return vl_convert


def _row(at: date, value: Number | None, unit: str, label: str, language: str) -> Spec:
    shown = {"label": label, "text": number(value, unit, language)}
    return {"day": at.toordinal(), "value": None if value is None else float(value), **shown}


def _layer(rows: Sequence[Spec], mark: Spec, encoding: Spec) -> Spec:
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}


def _line(colour: str, width: float) -> Spec:
    return {"type": "line", "color": colour, "strokeWidth": width, "strokeCap": "round", "strokeJoin": "round"}


def _target(target: Number, unit: str, language: str, y: Spec, palette: Palette) -> list[Spec]:
    word = "目标" if language == "zh" else "target"
    row = [{"value": float(target), "text": f"{word} {number(target, unit, language, short=True)}"}]
    rule = {"type": "rule", "color": palette.quiet, "strokeDash": [4, 3]}
    text = {"type": "text", "align": "left", "baseline": "bottom", "dy": -3, "x": 2, "color": palette.quiet}
    named = {"field": "text", "type": "nominal"}
    return [_layer(row, rule, {"y": y}), _layer(row, text, {"y": y, "text": named})]


def _pointed(rows: Sequence[Spec], marks: Sequence[Mark], x: Spec, y: Spec, palette: Palette) -> list[Spec]:
    """The last value and the marked ones, as dots with what they say."""
    known = [row for row in rows if row["value"] is not None]
    if not known:
        return []
    said = {mark.at.toordinal(): mark for mark in marks}
    last = known[-1]["day"]
    dots = []
    for row in known:
        if row["day"] in said:
            mark = said[row["day"]]
            dots.append({**row, "said": mark.label, "colour": palette.of(mark.tone)})
        elif row["day"] == last:
            dots.append({**row, "said": "", "colour": palette.accent})
    colour = {"field": "colour", "type": "nominal", "scale": None}
    dot = {"type": "point", "filled": True, "size": 55, "opacity": 1, "stroke": palette.ground, "strokeWidth": 1.5}
    text = {"type": "text", "align": "right", "dx": -7, "dy": -8, "fontWeight": 600}
    said_text = {"field": "said", "type": "nominal"}
    return [
        _layer(dots, dot, {"x": x, "y": y, "color": colour, "tooltip": _tooltip()}),
        _layer(dots, text, {"x": x, "y": y, "color": colour, "text": said_text}),
    ]


def _tooltip() -> list[Spec]:
    return [{"field": "label", "type": "nominal", "title": " "}, {"field": "text", "type": "nominal", "title": " "}]


def _value_axis(values: Sequence[float], unit: str, language: str, palette: Palette) -> Spec:
    low, high = span(values)
    at = ticks(low, high)
    axis = {"values": at, "labelExpr": _labels([tick_label(one, unit, language) for one in at])}
    quiet = {"domain": False, "ticks": False, "title": None, "labelPadding": 6, "gridColor": palette.rule}
    return {"scale": {"domain": [at[0], at[-1]], "nice": False, "zero": False}, "axis": {**axis, **quiet}}


def _time_axis(days: Sequence[date], label: Callable[[date], str], palette: Palette) -> Spec:
    shown = dates(days)
    axis = {
        "values": [one.toordinal() for one in shown],
        "labelExpr": _labels([label(one) for one in shown]),
    }
    quiet = {"grid": False, "ticks": False, "title": None, "labelPadding": 6, "domainColor": palette.rule}
    ends = [days[0].toordinal(), days[-1].toordinal()] if len(days) > 1 else []
    scale = {"domain": ends, "nice": False, "zero": False} if ends else {"nice": False, "zero": False}
    return {"scale": scale, "axis": {**axis, **quiet}}


def _labels(texts: Sequence[str]) -> str:
    """A Vega expression that gives each tick its text by its place."""
    import json

    return f"{json.dumps(list(texts), ensure_ascii=False)}[round(datum.index * {max(len(texts) - 1, 1)})]"


def _signed(value: Number | None, unit: str, language: str) -> str:
    text = number(value, unit, language, short=True)
    return f"+{text}" if value is not None and value > 0 else text


def _chart(body: Spec, title: str | None, width: int, height: int, palette: Palette) -> Spec:
    words = {"labelColor": palette.quiet, "labelFontSize": 12, "labelFont": FONT}
    head = {"anchor": "start", "color": palette.text, "font": FONT, "fontSize": 15, "fontWeight": 600, "offset": 10}
    config = {"view": {"stroke": None}, "font": FONT, "axis": words, "title": head, "text": {"fontSize": 12}}
    frame = {"width": width, "height": height, "background": palette.ground, "padding": 12, "config": config}
    return {"$schema": SCHEMA, **({"title": title} if title else {}), **frame, **body}
