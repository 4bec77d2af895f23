"""What a channel gets to send and what it may answer. Plain data and exceptions; sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from metrics_catalog.message import Message


@dataclass(frozen=True)
class Delivery:
    """One edition of a letter for a channel.

    ``external``: its name at the channel, once it was sent; ``parent``: that of the message it belongs under.
    ``doubtful``: an earlier attempt may have arrived. ``keep(external, memory)`` notes what is reached before the rest
    is done; ``ours()`` raises `Overtaken` when another may have taken it over: asked right before anything visible.
    """

    key: str
    address: str
    message: Message
    edition: int = 1
    sent_edition: int = 0
    since: datetime | None = None
    doubtful: bool = False
    external: str | None = None
    parent: str | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    keep: Callable[[str, Mapping[str, Any]], None] = lambda external, memory: None
    ours: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Receipt:
    """What the channel calls the message, and what it wants to remember of it."""

    external: str | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)


class Channel(Protocol):
    """A way to people. ``edits``: a new edition replaces the old in place; else it is one more message.

    ``shared``: all addresses go through one server, so that one failing means all do.
    """

    edits: bool
    shared: bool

    def send(self, delivery: Delivery) -> Receipt:
        """Deliver; raises `NotSent`."""
        ...


class NotSent(Exception):
    """It was not delivered; the message says why, without secrets. ``maybe``: it may have arrived all the same."""

    def __init__(self, message: str, maybe: bool = False) -> None:
        super().__init__(message)
        self.maybe = maybe


class Refused(NotSent):
    """This letter will never be delivered as it is: an address that does not exist, a text that is refused.

    ``code``: the channel's own word for why.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Later(NotSent):
    """This letter cannot be delivered now; others may."""


class Down(NotSent):
    """The channel does not work at all: no connection, a revoked token, an error of its server."""


class Busy(NotSent):
    """The channel wants to be left alone for ``seconds``."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Overtaken(Exception):
    """Sending took so long that another may have taken the letter over; nothing more is done about it."""


def worth_another(delivery: Delivery) -> bool:
    """Whether an edition is worth one more message where it cannot replace the old.

    Of an alert only that it is over, is back or got worse; of anything else every edition.
    """
    now, before = delivery.message, delivery.memory
    if delivery.sent_edition == 0 or now.severity is None:
        return True
    worse = before.get("severity") is None or now.severity < before["severity"]
    return worse or now.closed != before.get("closed")


def said(message: Message) -> dict[str, Any]:
    """What `worth_another` must know of the last edition that was sent."""
    return {"severity": message.severity, "closed": message.closed}
