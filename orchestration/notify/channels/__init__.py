"""Ways to people, one module per channel: ``open_channel(settings, project, tell)`` gives its `Channel`.

Adding a channel means adding a module here and its format, and its name to `spec.people.Channel`. Senders are thin: the
format decides what is shown, `delivery` what went wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING

from orchestration.notify.delivery import Channel, Down, Refused
from orchestration.settings import InvalidSettings, Settings

if TYPE_CHECKING:
    from orchestration.notify.drain import Open

_OF_SETTINGS = {"slack": "slack_token", "email": "smtp_url"}
_BY_VARIABLE = ("dingtalk", "feishu", "wecom", "webhook", "apprise")


def reached(settings: Settings, tell: Callable[[str], None]) -> Open:
    """Opens each channel once. A project for which none is set up shows its letters on the console."""
    opened: dict[str, Channel] = {}
    lock = Lock()

    def reach(name: str, address: str) -> Channel:
        kind = name if name == "console" or _set_up(settings, name, address) else "console"
        with lock:
            if kind not in opened:
                opened[kind] = _opened(kind, settings, tell)
            return opened[kind]

    return reach


def _set_up(settings: Settings, name: str, address: str) -> bool:
    """Whether letters for it are to leave the house. Once any channel is set up, one that is not is a fault."""
    if any(getattr(settings, field) for field in _OF_SETTINGS.values()):
        return True
    return name in _BY_VARIABLE and settings.has(address)


def _opened(kind: str, settings: Settings, tell: Callable[[str], None]) -> Channel:
    if kind not in (*_OF_SETTINGS, *_BY_VARIABLE, "console"):
        raise Refused(f'there is no channel "{kind}"')
    try:
        return import_module(f"{__name__}.{kind}").open_channel(settings, tell)
    except InvalidSettings as error:
        raise Down(str(error)) from None
