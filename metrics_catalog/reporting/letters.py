"""A body's JSON -> the message of a report, for chat and mail: the numbers, what stands out, a picture, the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from metrics_catalog import charts
from metrics_catalog.message import Attachment, Facts, Grid, Message, Paragraph, Part, Picture
from metrics_catalog.reporting import words
from metrics_catalog.reporting.drawing import period_names

MIME = {"html": "text/html", "pdf": "application/pdf", "png": "image/png"}
SHOWN = 3  # reasons of the banner; the page has them all


def message(body: Mapping[str, Any], files: Mapping[str, str], missing: Mapping[str, str] | None = None) -> Message:
    """The message of one copy.

    ``files``: of each kind (html, pdf, png) its path in the project's state. ``missing``: kinds that could not be made,
    and why.
    """
    parts = [*_banner(body["banner"]), *_numbers(body), *_insights(body), *_picture(body, files)]
    for kind, why in (missing or {}).items():
        parts.append(Paragraph(words.say("not_made", body["language"], kind=kind.upper(), why=why), "bad"))
    name = f"{body['report']}-{body['period']}" + ("" if body["audience"] == "all" else f"-{body['audience']}")
    attached = [Attachment(files[kind], f"{name}.{kind}", MIME[kind]) for kind in ("pdf", "html") if kind in files]
    return Message(title(body), tuple(parts), body["language"], attachments=tuple(attached))


def title(body: Mapping[str, Any]) -> str:
    """``Weekly board report · week of 25 Dec 2017``."""
    return " · ".join(filter(None, (body["title"], body["subject"], body["period_label"])))


def picture(body: Mapping[str, Any]) -> bytes | None:
    """The first chart as PNG; None where there is none."""
    chart = _first(body)
    if chart is None:
        return None
    points = [(date.fromisoformat(at), value) for at, value in chart["points"]]
    before = [(date.fromisoformat(at), value) for at, value in chart["before"]]
    title = f"{chart['label']}  {chart['value']}"
    drawn = charts.trend(
        points,
        unit=chart["unit"],
        grain=chart["grain"],
        language=body["language"],
        before=before,
        target=chart["target"],
        names=period_names(chart),
        title=title,
    )
    return charts.png(drawn)


def _first(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = (chart for block in body["blocks"] for chart in block["charts"] if len(chart["points"]) > 1)
    return next(found, None)


def _banner(banner: Mapping[str, Any]) -> Iterator[Part]:
    is_bad = banner["level"] == "warn"
    yield Paragraph(banner["title"], "bad" if is_bad else "muted", strong=is_bad)
    told = [line for line in banner["lines"] if line["level"] != "ok"]
    yield from (Paragraph(line["text"], "muted") for line in told[:SHOWN])


def _numbers(body: Mapping[str, Any]) -> Iterator[Part]:
    language = body["language"]
    for block in body["blocks"]:
        if not block["cards"]:
            continue
        keys = ("metric", "value", "change", "target_word")
        rows = [
            (card["label"], card["value"], card["change"], " · ".join(filter(None, (card["target"], card["mark"]))))
            for card in block["cards"]
        ]
        width = 4 if any(row[3] for row in rows) else 3
        headings = tuple(words.say(key, language) for key in keys[:width])
        yield Grid(headings, tuple(tuple(cell or "–" for cell in row[:width]) for row in rows), numbers=(1, 2))
        if block["note"]:
            yield Paragraph(block["note"], "muted")


def _insights(body: Mapping[str, Any]) -> Iterator[Part]:
    if body["insights"]:
        yield Paragraph("\n".join(f"• {one['text']}" for one in body["insights"]))
    for block in body["blocks"]:
        if block["kind"] == "place" and block["rows"]:
            yield Facts(((block["title"], block["note"] or ""),))


def _picture(body: Mapping[str, Any], files: Mapping[str, str]) -> Iterator[Part]:
    chart = _first(body)
    if chart is not None and "png" in files:
        yield Picture(files["png"], f"{chart['label']} {chart['value']} ({chart['change']})")
