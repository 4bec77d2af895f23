"""Any webhook that takes JSON.

``Idempotency-Key`` is the same whenever the same edition is sent, so that the receiver can drop what it has; without
that it is delivered at least once. ``X-Metrics-Signature`` signs time and body.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256

from orchestration.notify.channels.http import Call, Target, Webhook, signed
from orchestration.notify.delivery import Delivery
from orchestration.notify.formats.webhook import payload
from orchestration.settings import Settings


def open_channel(settings: Settings, _tell: Callable[[str], None]) -> Webhook:
    """Webhooks of any kind."""
    return Webhook(settings, _call)


def _call(delivery: Delivery, target: Target, now: float) -> Call:
    body = payload(delivery.message, delivery.key, delivery.edition)
    headers = {"Idempotency-Key": sha256(f"{delivery.key}\n{delivery.edition}".encode()).hexdigest()[:40]}
    if target.secret:
        at, text = str(int(now)), json.dumps(body, ensure_ascii=False)
        headers["X-Metrics-Timestamp"] = at
        headers["X-Metrics-Signature"] = f"sha256={signed(target.secret, f'{at}.{text}'.encode()).hex()}"
    return Call(target.url, body, headers)
