"""Charts of a report as small SVG, drawn in a tenth of a millisecond: 457 copies have thousands of them.

One geometry, in percent of the drawing area, serves both: in a page the lines are stretched to whatever width there is
and the words stand beside them as text of the page; on paper, lines and words are one picture of a fixed size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

from metrics_catalog.palette import LIGHT, Palette
from metrics_catalog.scales import date_label, dates, span, tick_label, ticks
from metrics_catalog.wording import number, period

STYLED = Palette(*(f"var(--{name})" for name in Palette.__dataclass_fields__))  # of a page, by its style sheet
Place = tuple[float, float]


@dataclass(frozen=True)
class Plot:
    """A trend in percent: x from the left, y from the top. A line is drawn in pieces, broken where there is no data."""

    lines: tuple[tuple[Place, ...], ...]
    before: tuple[tuple[Place, ...], ...]
    target: float | None
    rows: tuple[tuple[float, str], ...]
    columns: tuple[tuple[float, str], ...]
    told: tuple[tuple[float, str], ...]
    last: Place | None


def plot(chart: Mapping[str, Any], language: str, about: int = 4) -> Plot:
    """The geometry of a body's chart; ``about`` as many days are named."""
    points = [(date.fromisoformat(at), value) for at, value in chart["points"]]
    before = [(date.fromisoformat(at), value) for at, value in chart["before"]]
    values = [value for _, value in (*points, *before) if value is not None]
    values += [] if chart["target"] is None else [chart["target"]]
    at = ticks(*span(values), 3)
    low, high = at[0], at[-1]
    days = [day for day, _ in points]
    first, width = (days[0].toordinal(), (days[-1] - days[0]).days or 1) if days else (0, 1)

    def x(day: date) -> float:
        return (day.toordinal() - first) / width * 100 if len(days) > 1 else 50.0

    def y(value: float) -> float:
        return (high - value) / (high - low) * 100

    unit, grain = chart["unit"], chart["grain"]
    names = period_names(chart)
    known = [(x(day), y(value)) for day, value in points if value is not None]
    return Plot(
        lines=_pieces([(x(day), None if value is None else y(value)) for day, value in points]),
        before=_pieces([(x(day), None if value is None else y(value)) for day, value in before]),
        target=None if chart["target"] is None else y(chart["target"]),
        rows=tuple((y(one), tick_label(one, unit, language)) for one in at),
        columns=tuple((x(day), names.get(day) or date_label(day, grain, language)) for day in dates(days, about)),
        told=tuple(
            (x(day), f"{names.get(day) or period(grain, day, language)}: {number(v, unit, language)}")
            for day, v in points
        ),
        last=known[-1] if known else None,
    )


def period_names(chart: Mapping[str, Any]) -> dict[date, str]:
    """The names of periods that have one of their own; the charts of older issues have none."""
    return {date.fromisoformat(at): name for at, name in chart.get("names", {}).items()}


def lines(plot: Plot, palette: Palette = STYLED) -> str:
    """The lines alone, to be stretched; each period says its number to whoever points at it."""
    parts = ['<svg class="plot" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">']
    parts += [_stroke([(0, y), (100, y)], palette.rule, 1) for y, _ in plot.rows]
    if plot.target is not None:
        parts.append(_stroke([(0, plot.target), (100, plot.target)], palette.quiet, 1, ' stroke-dasharray="4 3"'))
    parts += [_stroke(piece, palette.before, 1.5) for piece in plot.before]
    parts += [_stroke(piece, palette.accent, 2.25) for piece in plot.lines]
    if plot.last is not None:
        parts.append(_stroke([plot.last], palette.accent, 8))
    half = 50 / max(len(plot.told) - 1, 1)
    parts += [
        f'<rect x="{x - half:.1f}" y="0" width="{2 * half:.1f}" height="100" fill="transparent">'
        f"<title>{escape(text)}</title></rect>"
        for x, text in plot.told
    ]
    return "".join([*parts, "</svg>"])


def picture(plot: Plot, width: float, height: float, palette: Palette = LIGHT) -> str:
    """Lines and words as one SVG of ``width`` by ``height`` points, for paper."""
    left, top, right, bottom = 44.0, 6.0, 8.0, 18.0
    wide, tall = width - left - right, height - top - bottom

    def at(place: Place) -> Place:
        return left + place[0] / 100 * wide, top + place[1] / 100 * tall

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}">']
    for y, label in plot.rows:
        ends = [at((0, y)), at((100, y))]
        parts += [
            _stroke(ends, palette.rule, 0.6),
            _word(left - 6, ends[0][1] + 2.6, label, "end", palette.quiet),
        ]
    for number_, (x, label) in enumerate(plot.columns):
        anchor = "end" if number_ == len(plot.columns) - 1 and x > 95 else "start" if x < 5 else "middle"
        parts.append(_word(at((x, 0))[0], height - 4, label, anchor, palette.quiet))
    if plot.target is not None:
        ends = [at((0, plot.target)), at((100, plot.target))]
        parts.append(_stroke(ends, palette.quiet, 0.7, ' stroke-dasharray="3 2"'))
    parts += [_stroke([at(one) for one in piece], palette.before, 1.0) for piece in plot.before]
    parts += [_stroke([at(one) for one in piece], palette.accent, 1.5) for piece in plot.lines]
    if plot.last is not None:
        parts.append(_dot(at(plot.last), palette.accent, 2.5))
    return "".join([*parts, "</svg>"])


def spark(values: Sequence[float | None], tone: str, palette: Palette = STYLED, size: Place | None = None) -> str:
    """A small line without axes that ends in a dot; nothing of less than two values. ``size``: for paper, in points."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    wide, tall = size or (100.0, 100.0)
    low, high = min(known), max(known)
    scale, step = (high - low or 1.0) / 0.8, wide / (len(values) - 1)
    places = [(i * step, None if v is None else (0.9 - (v - low) / scale) * tall) for i, v in enumerate(values)]
    drawn = [_stroke(piece, palette.before, 1.5 if size is None else 0.9) for piece in _pieces(places)]
    x, y = places[-1]
    if y is not None:
        colour = palette.of(tone if tone in ("good", "bad") else "plain")  # pyright: ignore[reportArgumentType]
        drawn.append(_stroke([(x, y)], colour, 6) if size is None else _dot((x, y), colour, 1.75))
    if size is not None:
        box = f'xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 {wide + 4:g} {tall + 4:g}"'
        return f"<svg {box}>{''.join(drawn)}</svg>"
    box = 'viewBox="-2 0 104 100" preserveAspectRatio="none" aria-hidden="true"'
    return f'<svg class="spark" {box}>{"".join(drawn)}</svg>'


def _pieces(places: Sequence[tuple[float, float | None]]) -> tuple[tuple[Place, ...], ...]:
    pieces: list[list[Place]] = [[]]
    for x, y in places:
        if y is None:
            pieces.append([])
        else:
            pieces[-1].append((x, y))
    return tuple(tuple(piece) for piece in pieces if piece)


def _stroke(places: Sequence[Place], colour: str, width: float, more: str = "") -> str:
    """A line; a single place is a round dot, which stretching leaves round."""
    x, y = places[0]
    rest = "".join(f"L{x:.1f} {y:.1f}" for x, y in places[1:]) or "h0"
    style = f'fill="none" stroke-width="{width:g}" stroke-linecap="round" stroke-linejoin="round"'
    return (
        f'<path d="M{x:.1f} {y:.1f}{rest}" {style} vector-effect="non-scaling-stroke" style="stroke:{colour}"{more}/>'
    )


def _dot(place: Place, colour: str, radius: float) -> str:
    """A dot on paper, where nothing is stretched; a line without length is not drawn by every renderer."""
    return f'<circle cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="{radius:g}" fill="{colour}"/>'


def _word(x: float, y: float, text: str, anchor: str, colour: str) -> str:
    font = 'font-family="Noto Sans CJK TC" font-size="7.5"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {font} text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
