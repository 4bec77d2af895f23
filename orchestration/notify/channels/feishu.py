"""Group robots of Feishu (飞书): one POST, signed in its body. Delivered at least once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestration.notify.channels.http import Call, Target, Webhook, base64_signed
from orchestration.notify.delivery import Busy, Delivery, Down, Refused
from orchestration.notify.formats.feishu import payload
from orchestration.settings import Settings

_OURS = {19001, 19021, 19022, 19024}  # token, signature, address, key word


def open_channel(settings: Settings, _tell: Callable[[str], None]) -> Webhook:
    """Robots of any group."""
    return Webhook(settings, _call, _judged)


def _call(delivery: Delivery, target: Target, now: float) -> Call:
    body = payload(delivery.message)
    if target.secret:
        at = str(int(now))
        # Its key is the time and the secret; what is signed is nothing.
        body = {"timestamp": at, "sign": base64_signed(f"{at}\n{target.secret}", ""), **body}
    return Call(target.url, body, {})


def _judged(name: str, answer: Mapping[str, Any]) -> None:
    code, said = answer.get("code", answer.get("StatusCode", 0)), str(answer.get("msg"))[:120]
    if code in (9499, 11232):
        raise Busy(f"{name} takes 100 messages a minute", 60.0)
    if code in _OURS:
        raise Down(f"{name} refuses us: {code} {said}; see {name}_SECRET")
    if code:
        raise Refused(f"{name} refuses the message: {code} {said}")
