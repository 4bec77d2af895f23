"""Message -> the little markdown that chat robots show. Shared by their formats.

They agree on no way to escape: what could be markup is written with its full-width twin, which looks nearly the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from metrics_catalog.message import Facts, Grid, Link, Message, Paragraph, Part, Picture
from orchestration.notify.formats.text import clean, line, title
from orchestration.notify.words import word

_OUTER = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # an underscore that is not between two letters or digits
_TWINS = str.maketrans("*`[]<>#~|\\!", "＊｀［］＜＞＃～｜＼！")


def blocks(message: Message) -> list[str]:
    """The title and each part, in order, without buttons."""
    files = [f"> {word('file', message.language, safe(one.name))}" for one in message.attachments]
    return [f"### {safe(title(message))}", *filter(None, map(_part, message.parts)), *files]


def fitting(given: list[str], most: int, language: str, join: str = "\n\n") -> str:
    """As many blocks as fit into so many bytes of UTF-8, and how many are left out."""
    kept = list(given)
    while len(kept) > 1 and _size(text := _with_rest(kept, len(given), language, join)) > most:
        kept.pop()
    text = _with_rest(kept, len(given), language, join)
    return text if _size(text) <= most else text.encode()[: most - 3].decode(errors="ignore") + "…"


def safe(given: str) -> str:
    """On one line, and no markup. Underscores within words stay: names have them and nobody reads them as markup."""
    return _OUTER.sub("＿", line(given).translate(_TWINS))


def _part(part: Part) -> str:
    match part:
        case Paragraph():
            return _paragraph(part)
        case Facts():
            return "\n".join(f"- {safe(label)}：**{safe(value)}**" for label, value in part.pairs)
        case Grid():
            return "\n".join(_rows(part))
        case Picture():
            return f"> {safe(part.alt)}"
        case Link() if part.url.startswith(("https://", "http://")):
            return f"[{safe(part.label)}]({_url(part.url)})"
        case Link():
            return f"{safe(part.label)}: {safe(part.url)}"
        case _:
            return ""


def _paragraph(part: Paragraph) -> str:
    lines = [safe(one) for one in clean(part.text).split("\n") if one.strip()]
    if part.strong:
        return "\n".join(f"**{one}**" for one in lines)
    return "\n".join(f"> {one}" if part.tone == "muted" else one for one in lines)


def _rows(part: Grid) -> Iterator[str]:
    """A table nobody can show: each row as a line, its headings as labels."""
    for row in part.rows:
        first, *others = [safe(cell) for cell in row]
        labels = [safe(one) for one in part.headings[1:]]
        told = "，".join(f"{label} {cell}" for label, cell in zip(labels, others, strict=False))
        yield f"- {first}：{told}" if told else f"- {first}"


def _with_rest(kept: list[str], count: int, language: str, join: str) -> str:
    rest = [f"> {word('more', language, count - len(kept))}"] if len(kept) < count else []
    return join.join([*kept, *rest])


def _size(text: str) -> int:
    return len(text.encode())


def _url(given: str) -> str:
    return given.replace(" ", "%20").replace("(", "%28").replace(")", "%29").replace("<", "%3C").replace(">", "%3E")
