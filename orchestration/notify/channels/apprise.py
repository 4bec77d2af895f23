"""Whatever else the optional package `apprise` reaches, as text; the variable holds one of its URLs.

It says only whether it worked, so every failure is one of the channel, and delivery is at least once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from orchestration.notify.delivery import Delivery, Down, Receipt
from orchestration.notify.formats.text import text, title
from orchestration.settings import InvalidSettings, Settings


class AppriseChannel:
    """Services by their URL."""

    edits = False
    shared = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, delivery: Delivery) -> Receipt:
        """Hand it to the service."""
        from apprise import Apprise

        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would print the URL
        try:
            url = self._settings.secret(delivery.address)
        except InvalidSettings as error:
            raise Down(str(error)) from None
        service = Apprise()
        if not service.add(url):
            raise Down(f"{delivery.address} is not a URL that apprise knows")
        delivery.ours()
        if not service.notify(body=text(delivery.message), title=title(delivery.message)):
            raise Down(f"{delivery.address} did not take it", maybe=True)
        return Receipt(delivery.external, delivery.memory)


def open_channel(settings: Settings, _tell: Callable[[str], None]) -> AppriseChannel:
    """Raises `InvalidSettings` when the package is not installed."""
    from importlib.util import find_spec

    if find_spec("apprise") is None:
        raise InvalidSettings("the channel apprise needs its package: pip install 'metric-center[apprise]'")
    return AppriseChannel(settings)
