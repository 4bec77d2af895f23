"""Message -> a markdown message of a DingTalk (钉钉) group robot; at most 20,000 bytes."""

from __future__ import annotations

from typing import Any

from metrics_catalog.message import Message
from orchestration.notify.formats.markdown import blocks, fitting
from orchestration.notify.formats.text import cut, title

MOST_BYTES = 18_000


def payload(message: Message) -> dict[str, Any]:
    """``title`` is what notifications show."""
    text = fitting(blocks(message), MOST_BYTES, message.language)
    # A single line end is no line end to it, unless two spaces come before.
    text = "\n\n".join(block.replace("\n", "  \n") for block in text.split("\n\n"))
    return {"msgtype": "markdown", "markdown": {"title": cut(title(message), 100), "text": text}}
