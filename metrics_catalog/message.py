"""A message to people, as data. What it says is decided by those who make it, how it looks by each channel's format.

Every text is plain: a format escapes it for its channel, so that names from data never become markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Tone = Literal["plain", "good", "bad", "muted"]


@dataclass(frozen=True)
class Paragraph:
    """A few sentences; ``strong`` for the one that must be read."""

    text: str
    tone: Tone = "plain"
    strong: bool = False


@dataclass(frozen=True)
class Facts:
    """Short pairs of label and value."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Grid:
    """A small table: headings and rows of text; ``numbers``: indices of columns that are set to the right."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A PNG; ``file`` is relative to the project's state folder. ``alt`` says what it shows."""

    file: str
    alt: str


@dataclass(frozen=True)
class Link:
    """A place to read on."""

    label: str
    url: str


@dataclass(frozen=True)
class Button:
    """Something the reader may do: ``action`` on ``value``, as ``acknowledge`` on ``INC-12``."""

    label: str
    action: str
    value: str
    primary: bool = False


@dataclass(frozen=True)
class Buttons:
    """Buttons side by side. Channels without them leave them out, so the text says the command too."""

    buttons: tuple[Button, ...]


@dataclass(frozen=True)
class Attachment:
    """A file that comes with it, relative to the project's state folder."""

    file: str
    name: str
    mime: str


Part = Paragraph | Facts | Grid | Picture | Link | Buttons
_PARTS: dict[str, type] = {one.__name__: one for one in (Paragraph, Facts, Grid, Picture, Link, Buttons)}


@dataclass(frozen=True)
class Message:
    """``title`` is the first line everywhere, also in notifications; ``severity`` 1 (worst) to 5, None: no alert."""

    title: str
    parts: tuple[Part, ...] = ()
    language: Literal["en", "zh"] = "en"
    severity: int | None = None
    closed: bool = False
    attachments: tuple[Attachment, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Plain data, from which `read` makes it again."""
        parts = [{"part": type(one).__name__, **asdict(one)} for one in self.parts]
        return {**asdict(self), "parts": parts}

    @classmethod
    def read(cls, data: dict[str, Any]) -> Message:
        """Back from `as_json`."""
        parts = tuple(_part(one) for one in data["parts"])
        attachments = tuple(Attachment(**one) for one in data["attachments"])
        return cls(**{**data, "parts": parts, "attachments": attachments})


@dataclass(frozen=True)
class Letter:
    """A message to one address. ``key`` names it for ever: a second letter with the same key is its new edition.

    ``parent``: key of the letter it belongs under, as an update in a thread.
    """

    key: str
    channel: str
    address: str
    message: Message
    parent: str | None = None


def _part(data: dict[str, Any]) -> Part:
    kind = _PARTS[data["part"]]
    given = {name: _frozen(value) for name, value in data.items() if name != "part"}
    if kind is Buttons:
        given["buttons"] = tuple(Button(**one) for one in data["buttons"])
    return kind(**given)


def _frozen(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_frozen(one) for one in value)
    return value
