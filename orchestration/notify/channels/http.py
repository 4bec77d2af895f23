"""One JSON POST to a webhook, and what its answer means. The address is a secret: no error shows it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from orchestration.notify.delivery import Busy, Delivery, Down, NotSent, Receipt, Refused
from orchestration.settings import InvalidSettings, Settings

TIMEOUT_SECONDS = 10
_DEFAULT_SECONDS = 30.0
_MOST_BYTES = 100_000  # of an answer


@dataclass(frozen=True)
class Target:
    """A webhook: the ``name`` of the variable that holds its address, and the secret that signs, if there is one."""

    name: str
    url: str
    secret: str = ""


@dataclass(frozen=True)
class Call:
    """One request to a webhook."""

    url: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]


Make = Callable[[Delivery, Target, float], Call]
Judge = Callable[[str, Mapping[str, Any]], None]


class Webhook:
    """A kind of webhook: ``make`` says what is posted (at a time, seconds since 1970), ``judge`` reads the answer.

    The judge raises `NotSent`; many answer 200 to everything and say in the body what went wrong.
    """

    edits = False
    shared = False  # each address is a server, or at least a robot, of its own

    def __init__(self, settings: Settings, make: Make, judge: Judge = lambda name, answer: None) -> None:
        self._settings, self._make, self._judge = settings, make, judge

    def send(self, delivery: Delivery) -> Receipt:
        """Post it."""
        target = target_of(self._settings, delivery.address)
        call = self._make(delivery, target, time.time())
        delivery.ours()
        self._judge(target.name, posted(target.name, call))
        return Receipt(delivery.external, delivery.memory)


def target_of(settings: Settings, name: str) -> Target:
    """The webhook a variable names. Raises `Down`: it is the set-up that is wrong, not the letter."""
    try:
        url = settings.secret(name)
    except InvalidSettings as error:
        raise Down(str(error)) from None
    if not url.startswith(("https://", "http://")):
        raise Down(f"{name} is not the address of a webhook (https://…)")
    secret = f"{name}_SECRET"
    return Target(name, url, settings.secret(secret) if settings.has(secret) else "")


def posted(name: str, call: Call) -> dict[str, Any]:
    """The answer's JSON, empty when it is none. Raises `NotSent`."""
    data = json.dumps(call.body, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "metric-center", **call.headers}
    request = urllib.request.Request(call.url, data, headers)  # noqa: S310 http or https, looked at by `target_of`
    try:
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return _read(answer.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        raise _meaning(name, error) from None
    except (OSError, HTTPException) as error:
        why = getattr(error, "reason", None) or type(error).__name__
        raise Down(f"{name} cannot be reached: {why}", maybe=True) from None


def signed(secret: str, text: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.new(secret.encode(), text, hashlib.sha256).digest()


def base64_signed(key: str, text: str) -> str:
    """The same as base64."""
    return base64.b64encode(signed(key, text.encode())).decode()


def _meaning(name: str, error: urllib.error.HTTPError) -> NotSent:
    if error.code == 429:
        return Busy(f"{name} asks to wait", _seconds(error.headers.get("Retry-After")))
    if error.code >= 500 or error.code in (401, 403, 404, 408, 410):
        return Down(f"{name} answered {error.code}", maybe=error.code >= 500)
    if 300 <= error.code < 400:
        return Down(f"{name} has moved ({error.code}); set its new address")
    return Refused(f"{name} refuses the message ({error.code})")


def _seconds(given: str | None) -> float:
    try:
        return min(max(float(given or _DEFAULT_SECONDS), 0.05), 3600.0)
    except ValueError:  # a date: rare, and then the default is as good
        return _DEFAULT_SECONDS


def _read(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a message must not go where nobody meant it to."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)
