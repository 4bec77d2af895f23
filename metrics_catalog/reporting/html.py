"""A body's JSON -> one self-contained page: phone first, light and dark, printable. Nothing is loaded from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from metrics_catalog.reporting import drawing, words

if TYPE_CHECKING:
    from jinja2 import Environment, Template

TEMPLATES = Path(__file__).parent / "templates"
_HALVES = ("breakdown", "ranking", "contribution", "place")  # shown two beside each other where there is room


def page(body: Mapping[str, Any]) -> str:
    """The whole page. Everything a body says is escaped."""
    language = body["language"]
    return _template().render(
        body=body,
        groups=list(groups(body)),
        plot=partial(drawing.plot, language=language),
        lines=lambda drawn: Markup(drawing.lines(drawn)),  # noqa: S704 - drawn here, words in it escaped
        spark=lambda card: Markup(drawing.spark(card["spark"], card["tone"])),  # noqa: S704
        say=lambda key, **facts: words.say(key, language, **facts),
        made=words.named_day(datetime.fromisoformat(body["made"]).date(), language),
    )


def groups(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Blocks as they stand beside each other; what stands out comes after the first headline."""
    run: list[Any] = []
    told = not body["insights"]
    for block in body["blocks"]:
        if block["kind"] in _HALVES:
            run.append(block)
            continue
        yield from _run(run)
        run = []
        yield {"pair": False, "blocks": [block]}
        if not told and block["kind"] == "headline":
            yield _insights(body)
            told = True
    yield from _run(run)
    if not told:
        yield _insights(body)


def _run(blocks: Sequence[Any]) -> Iterator[dict[str, Any]]:
    if blocks:
        yield {"pair": len(blocks) > 1, "blocks": list(blocks)}


def _insights(body: Mapping[str, Any]) -> dict[str, Any]:
    title = words.say("insights", body["language"])
    block = {"kind": "insights", "title": title, "note": None, "insights": body["insights"], "paragraphs": ()}
    return {"pair": False, "blocks": [block]}


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(TEMPLATES)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _template() -> Template:
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return _environment().get_template("report.html", globals={"css": Markup(css)})  # noqa: S704 - ours
