"""Group robots of DingTalk (钉钉): one POST, signed in its address. Delivered at least once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from orchestration.notify.channels.http import Call, Target, Webhook, base64_signed
from orchestration.notify.delivery import Busy, Delivery, Down, Refused
from orchestration.notify.formats.dingtalk import payload
from orchestration.settings import Settings

_TOO_FAST = {130101, 410100}  # 20 messages a minute; then ten minutes of silence
_OURS = {310000, 300001, 300005, 400013, 40035}  # signature, token, robot


def open_channel(settings: Settings, _tell: Callable[[str], None]) -> Webhook:
    """Robots of any group."""
    return Webhook(settings, _call, _judged)


def _call(delivery: Delivery, target: Target, now: float) -> Call:
    url = target.url
    if target.secret:
        at = str(int(now * 1000))
        signature = base64_signed(target.secret, f"{at}\n{target.secret}")
        url += ("&" if "?" in url else "?") + urlencode({"timestamp": at, "sign": signature})
    return Call(url, payload(delivery.message), {})


def _judged(name: str, answer: Mapping[str, Any]) -> None:
    code = answer.get("errcode", 0)
    if code in _TOO_FAST:
        raise Busy(f"{name} takes 20 messages a minute", 600.0)
    if code in _OURS:
        raise Down(f"{name} refuses us: {code} {str(answer.get('errmsg'))[:120]}; see {name}_SECRET")
    if code == -1:
        raise Down(f"{name} is busy", maybe=True)
    if code:
        raise Refused(f"{name} refuses the message: {code} {str(answer.get('errmsg'))[:120]}")
