"""Message -> an interactive card of a Feishu (飞书) group robot; at most 30,000 bytes.

Its markdown is escaped by character references, as its own documentation says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from metrics_catalog.message import Facts, Grid, Link, Message, Paragraph, Part, Picture
from orchestration.notify.formats.text import clean, cut, line, title
from orchestration.notify.words import word

MOST_BYTES = 28_000
_TEMPLATES = {1: "red", 2: "orange", 3: "yellow", 4: "blue", 5: "grey"}
_ESCAPED = {ord(one): f"&#{ord(one)};" for one in "&<>*_~`[]()#\\!|-+"}
Element = dict[str, Any]


def payload(message: Message) -> dict[str, Any]:
    """A card whose colour says how bad it is."""
    elements = [element for part in message.parts for element in _part(part)]
    elements += [_note(word("file", message.language, clean(one.name))) for one in message.attachments]
    made = _card(message, elements)
    for left_out in range(1, len(elements) + 1):
        if len(json.dumps(made, ensure_ascii=False).encode()) <= MOST_BYTES:
            break
        rest = _note(word("more", message.language, left_out))
        made = _card(message, [*elements[: len(elements) - left_out], rest])
    return made


def _card(message: Message, elements: list[Element]) -> dict[str, Any]:
    color = "green" if message.closed else _TEMPLATES.get(message.severity or 0, "blue")
    header = {"title": {"tag": "plain_text", "content": cut(title(message), 200)}, "template": color}
    card = {"config": {"wide_screen_mode": True}, "header": header, "elements": elements}
    return {"msg_type": "interactive", "card": card}


def _part(part: Part) -> Iterator[Element]:
    match part:
        case Paragraph() if part.tone == "muted":
            yield _note(clean(part.text))
        case Paragraph():
            yield _div(f"**{_safe(part.text)}**" if part.strong else _safe(part.text))
        case Facts():
            pairs = [_text(f"{_safe(line(label))}\n**{_safe(line(value))}**") for label, value in part.pairs]
            yield {"tag": "div", "fields": [{"is_short": True, "text": one} for one in pairs]}
        case Grid():
            yield _grid(part)
        case Picture():
            yield _note(f"[{line(part.alt)}]")
        case Link() if part.url.startswith(("https://", "http://")):
            button = {"tag": "button", "text": {"tag": "plain_text", "content": line(part.label)}, "type": "default"}
            yield {"tag": "action", "actions": [{**button, "url": part.url}]}
        case Link():
            yield _div(f"{_safe(line(part.label))}: {_safe(line(part.url))}")
        case _:
            return


def _grid(part: Grid) -> Element:
    """Columns side by side; the first is twice as wide."""
    columns = []
    for place, heading in enumerate(part.headings):
        cells = [row[place] if place < len(row) else "" for row in part.rows]
        shown = "\n".join([f"**{_safe(line(heading))}**", *(_safe(line(cell)) or "–" for cell in cells)])
        text = {"tag": "markdown", "content": shown, "text_align": "right" if place in part.numbers else "left"}
        columns.append({"tag": "column", "width": "weighted", "weight": 1 if place else 2, "elements": [text]})
    return {"tag": "column_set", "flex_mode": "none", "columns": columns}


def _div(text: str) -> Element:
    return {"tag": "div", "text": _text(text)}


def _note(text: str) -> Element:
    return {"tag": "note", "elements": [{"tag": "plain_text", "content": text}]}


def _text(text: str) -> Element:
    return {"tag": "lark_md", "content": text}


def _safe(given: str) -> str:
    return clean(given).translate(_ESCAPED)
