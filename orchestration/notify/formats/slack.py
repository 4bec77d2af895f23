"""Message -> Slack's Block Kit. Text goes into elements Slack never parses, so nothing needs escaping.

Limits: https://docs.slack.dev/reference/block-kit/blocks; what is beyond them is cut and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from metrics_catalog.message import Button, Buttons, Facts, Grid, Link, Message, Paragraph, Part, Picture
from orchestration.notify.formats.text import clean, columns, cut, line, title
from orchestration.notify.words import word

Block = dict[str, Any]
BLOCKS, _HEADER, _TEXT, _ALT, _BUTTON, _VALUE = 50, 150, 3000, 2000, 75, 2000
_ROWS, _COLUMNS = 100, 20
_EMPTY = "–"


def payload(message: Message, files: Mapping[str, str]) -> dict[str, Any]:
    """``blocks`` and the ``text`` of notifications. ``files``: Slack's id of each picture that was uploaded."""
    blocks = [_header(message), *_parts(message, files)]
    if len(blocks) > BLOCKS:
        left_out = word("more", message.language, len(blocks) - BLOCKS + 1)
        blocks = [*blocks[: BLOCKS - 1], _muted(left_out)]
    return {"text": cut(title(message), _TEXT), "blocks": blocks}


def _header(message: Message) -> Block:
    text = {"type": "plain_text", "text": cut(title(message), _HEADER), "emoji": False}
    return {"type": "header", "text": text}


def _parts(message: Message, files: Mapping[str, str]) -> Iterator[Block]:
    if len(title(message)) > _HEADER:
        yield _rich([_text(title(message), bold=True)])
    tables = 0
    for part in message.parts:
        if isinstance(part, Grid) and part.rows:
            # Slack takes one table per message; the others are set in fixed width.
            yield from _table(part, message.language) if tables == 0 else _fixed(part, message.language)
            tables += 1
        else:
            yield from _part(part, files)


def _part(part: Part, files: Mapping[str, str]) -> Iterator[Block]:
    match part:
        case Paragraph() if part.text.strip():
            yield _muted(part.text) if part.tone == "muted" else _paragraph(part)
        case Facts() if part.pairs:
            yield _rich(list(_facts(part)))
        case Picture():
            yield _picture(part, files)
        case Link():
            yield _rich([_link(part)])
        case Buttons() if part.buttons:
            yield {"type": "actions", "elements": [_button(n, one) for n, one in enumerate(part.buttons[:25])]}
        case _:
            return


def _paragraph(part: Paragraph) -> Block:
    mark = {"good": "▲ ", "bad": "▼ "}.get(part.tone, "") if part.strong else ""
    return _rich([_text(mark + clean(part.text), bold=part.strong)])


def _facts(part: Facts) -> Iterator[Block]:
    for number, (label, value) in enumerate(part.pairs):
        end = "\n" if number < len(part.pairs) - 1 else ""
        yield _text(f"{line(label)}  ", bold=True)
        yield _text(f"{line(value) or _EMPTY}{end}")


def _picture(part: Picture, files: Mapping[str, str]) -> Block:
    if part.file not in files:
        return _muted(f"[{line(part.alt)}]")
    alt = cut(line(part.alt) or _EMPTY, _ALT)
    return {"type": "image", "slack_file": {"id": files[part.file]}, "alt_text": alt}


def _link(part: Link) -> Block:
    label = line(part.label) or part.url
    if not part.url.startswith(("http://", "https://")):
        return _text(f"{label}: {line(part.url)}")
    return {"type": "link", "url": part.url, "text": cut(label, _TEXT)}


def _button(number: int, one: Button) -> Block:
    label = {"type": "plain_text", "text": cut(line(one.label), _BUTTON), "emoji": False}
    made: Block = {"type": "button", "text": label, "action_id": f"{one.action}:{number}", "value": one.value[:_VALUE]}
    return {**made, "style": "primary"} if one.primary else made


def _table(part: Grid, language: str) -> Iterator[Block]:
    rows = [part.headings, *part.rows][:_ROWS]
    settings = [{"align": "right" if n in part.numbers else "left", "is_wrapped": True} for n in _columns(part)]
    cells = [[_cell(cell) for cell in row[:_COLUMNS]] for row in rows]
    yield {"type": "table", "rows": cells, "column_settings": settings}
    if (missing := len(part.rows) + 1 - _ROWS) > 0:
        yield _muted(word("more", language, missing))


def _columns(part: Grid) -> range:
    return range(min(len(part.headings), _COLUMNS))


def _cell(shown: str) -> Block:
    return {"type": "raw_text", "text": line(shown) or _EMPTY}


def _fixed(part: Grid, language: str) -> Iterator[Block]:
    shown, missing = _fitting(list(columns([part.headings, *part.rows], part.numbers)))
    yield {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [_text(shown)]}]}
    if missing:
        yield _muted(word("more", language, missing))


def _fitting(rows: Sequence[str]) -> tuple[str, int]:
    """As many whole lines as a text may have, and how many are left out."""
    kept = list(rows)
    while len("\n".join(kept)) > _TEXT and len(kept) > 1:
        kept.pop()
    return "\n".join(kept), len(rows) - len(kept)


def _muted(shown: str) -> Block:
    text = {"type": "plain_text", "text": cut(clean(shown), _TEXT), "emoji": False}
    return {"type": "context", "elements": [text]}


def _rich(elements: list[Block]) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _text(shown: str, bold: bool = False) -> Block:
    made: Block = {"type": "text", "text": cut(shown, _TEXT) or _EMPTY}
    return {**made, "style": {"bold": True}} if bold else made
