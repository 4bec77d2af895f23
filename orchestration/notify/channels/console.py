"""The console: where letters go while no channel is set up."""

from __future__ import annotations

from collections.abc import Callable

from orchestration.notify.delivery import Delivery, Receipt
from orchestration.notify.formats.console import shown
from orchestration.settings import Settings


class Console:
    """Shows a letter. It may show it twice when the process dies right after."""

    edits = True
    shared = True

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def send(self, delivery: Delivery) -> Receipt:
        """Show it."""
        self._tell(shown(delivery.message, delivery.address))
        return Receipt()


def open_channel(_settings: Settings, tell: Callable[[str], None]) -> Console:
    """Needs no settings."""
    return Console(tell)
