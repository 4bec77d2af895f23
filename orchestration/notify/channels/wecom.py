"""Group robots of WeCom (企业微信): one POST; its address is the secret. Delivered at least once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestration.notify.channels.http import Call, Target, Webhook
from orchestration.notify.delivery import Busy, Delivery, Down, Refused
from orchestration.notify.formats.wecom import payload
from orchestration.settings import Settings


def open_channel(settings: Settings, _tell: Callable[[str], None]) -> Webhook:
    """Robots of any group."""
    return Webhook(settings, _call, _judged)


def _call(delivery: Delivery, target: Target, _now: float) -> Call:
    return Call(target.url, payload(delivery.message), {})


def _judged(name: str, answer: Mapping[str, Any]) -> None:
    code, said = answer.get("errcode", 0), str(answer.get("errmsg"))[:120]
    if code == 45009:
        raise Busy(f"{name} takes 20 messages a minute", 60.0)
    if code in (93000, 40001, 40014):
        raise Down(f"{name} refuses us: {code} {said}")
    if code == -1:
        raise Down(f"{name} is busy", maybe=True)
    if code:
        raise Refused(f"{name} refuses the message: {code} {said}")
