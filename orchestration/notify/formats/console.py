"""Message -> lines on a terminal."""

from __future__ import annotations

from metrics_catalog.message import Message
from orchestration.notify.formats.text import line, text

_RULE = "─" * 72


def shown(message: Message, to: str) -> str:
    """The message under a rule that says who would get it."""
    return f"{_RULE}\n→ {line(to)}\n{text(message)}"
