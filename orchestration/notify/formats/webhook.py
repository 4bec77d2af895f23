"""Message -> JSON for whoever reads it by a program, with a text for whoever just shows it."""

from __future__ import annotations

from typing import Any

from metrics_catalog.message import Message
from orchestration.notify.formats.text import text


def payload(message: Message, key: str, edition: int) -> dict[str, Any]:
    """``key`` and ``edition`` name what is told: who gets both a second time has it already."""
    return {"key": key, "edition": edition, "text": text(message), "message": message.as_json()}
