"""A body's JSON -> PDF on A4, typeset by Typst: no browser, no library of the system, Chinese from the packaged font.

One compiled wheel, so a page is the same on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from metrics_catalog.palette import LIGHT, font_file
from metrics_catalog.reporting import drawing, words
from metrics_catalog.reporting.html import TEMPLATES, groups

_WIDTHS = {1: (510.0, 150.0), 2: (247.0, 95.0)}  # points, of one chart or two in a row

_SPARK = (150.0, 18.0)


class NotTypeset(Exception):
    """The report could not be made into a PDF; the message is Typst's."""


def document(body: Mapping[str, Any]) -> bytes:
    """The whole document. Raises `NotTypeset`."""
    import typst

    language = body["language"]
    made = words.named_day(datetime.fromisoformat(body["made"]).date(), language)
    said = {
        "definitions": words.say("definitions", language),
        "made": words.say("made", language, day=made),
        "read_from": words.say("read_from", language, version=body["version"]),
    }
    blocks = [{**group, "blocks": [_whole(block) for block in group["blocks"]]} for group in groups(body)]
    given = {"body": body, "words": said, "pictures": _pictures(body), "groups": blocks}
    inputs = {name: json.dumps(value, ensure_ascii=False) for name, value in given.items()}
    try:
        return _compiler().compile(format="pdf", sys_inputs=inputs)
    except (typst.TypstError, RuntimeError) as error:
        raise NotTypeset(f"the PDF could not be typeset: {error}") from error


def _whole(block: Mapping[str, Any]) -> dict[str, Any]:
    """With every key the template asks for."""
    return {"note": None, "rows": (), "cards": (), "charts": (), "paragraphs": (), **block}


def _pictures(body: Mapping[str, Any]) -> dict[str, str]:
    """The charts by the name the template knows them by."""
    found: dict[str, str] = {}
    for block in body["blocks"]:
        width, height = _WIDTHS[min(max(len(block["charts"]), 1), 2)]
        for chart in block["charts"]:
            plot = drawing.plot(chart, body["language"])
            found[f"chart{chart['metric']}"] = drawing.picture(plot, width, height, LIGHT)
        for card in block["cards"]:
            if drawn := drawing.spark(card["spark"], card["tone"], LIGHT, _SPARK):
                found[f"spark{card['metric']}"] = drawn
    return found


@cache
def _compiler() -> Any:
    """One for the process: fonts are looked up once."""
    import typst

    fonts = [str(Path(font_file(weight)).parent) for weight in ("Regular", "Bold")]
    return typst.Compiler(str(TEMPLATES / "report.typ"), root=str(TEMPLATES), font_paths=fonts)
