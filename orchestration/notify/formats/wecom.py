"""Message -> a markdown message of a WeCom (企业微信) group robot; at most 4,096 bytes."""

from __future__ import annotations

from typing import Any

from metrics_catalog.message import Message
from orchestration.notify.formats.markdown import blocks, fitting

MOST_BYTES = 4096


def payload(message: Message) -> dict[str, Any]:
    """What does not fit is left out and said."""
    return {
        "msgtype": "markdown",
        "markdown": {"content": fitting(blocks(message), MOST_BYTES, message.language, "\n")},
    }
