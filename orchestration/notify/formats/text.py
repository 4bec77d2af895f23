"""Message -> plain text: for the console, the text half of a mail, and whatever shows nothing else."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from metrics_catalog.message import Buttons, Facts, Grid, Link, Message, Paragraph, Part, Picture
from orchestration.notify.words import mark, word


def text(message: Message) -> str:
    """The whole message; buttons are left out, what they do is said in words."""
    blocks = [title(message), *(filter(None, map(part_text, message.parts)))]
    files = [word("file", message.language, clean(one.name)) for one in message.attachments]
    return "\n\n".join([*blocks, *(["\n".join(files)] if files else [])])


def title(message: Message) -> str:
    """The first line, with the sign of its severity."""
    return mark(message.severity, message.closed) + line(message.title)


def part_text(part: Part) -> str:
    """One part; empty for buttons."""
    match part:
        case Paragraph():
            return clean(part.text)
        case Facts():
            return "\n".join(f"{line(label)}: {line(value)}" for label, value in part.pairs)
        case Grid():
            return "\n".join(columns([part.headings, *part.rows], part.numbers))
        case Picture():
            return f"[{line(part.alt)}]"
        case Link():
            return f"{line(part.label)}: {line(part.url)}"
        case Buttons():
            return ""


def columns(rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> Iterator[str]:
    """Rows as aligned columns, those of ``numbers`` to the right; Chinese characters are two wide."""
    cells = [[line(cell) for cell in row] for row in rows]
    widths = [max(width(row[place]) for row in cells if place < len(row)) for place in range(max(map(len, cells)))]
    for row in cells:
        padded = []
        for place, cell in enumerate(row):
            space = " " * (widths[place] - width(cell))
            padded.append(space + cell if place in numbers else cell + space)
        yield "  ".join(padded).rstrip()


def width(shown: str) -> int:
    """How many columns of a terminal it takes."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in shown)


def clean(given: str) -> str:
    """Text without what steers a terminal or turns the direction of writing; line ends stay."""
    return "".join(one for one in given if one == "\n" or unicodedata.category(one) not in _STEERING)


def line(given: str) -> str:
    """The same on one line."""
    return " ".join(clean(given).split())


def cut(given: str, most: int) -> str:
    """At most so many characters; what is missing is shown by dots."""
    return given if len(given) <= most else given[: most - 1].rstrip() + "…"


_STEERING = ("Cc", "Cf", "Cs", "Co", "Cn")
