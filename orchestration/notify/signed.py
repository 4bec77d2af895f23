"""Whether a request over HTTP comes from Slack, is of now, and was not seen before."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from threading import Lock

WINDOW_SECONDS = 300  # Slack's own advice
_VERSION = "v0"


class Gate:
    """Lets in what is signed with the app's signing secret. ``clock``: seconds since 1970."""

    def __init__(self, secret: str, clock: Callable[[], float]) -> None:
        self._secret, self._clock = secret.encode(), clock
        self._seen: dict[str, float] = {}
        self._lock = Lock()

    def admits(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether to listen to it; the same request a second time is refused."""
        given = {name.lower(): value for name, value in headers.items()}
        at, signature = given.get("x-slack-request-timestamp", ""), given.get("x-slack-signature", "")
        now = self._clock()
        if not (at.isascii() and at.isdigit()) or abs(now - int(at)) > WINDOW_SECONDS:
            return False
        expected = hmac.new(self._secret, f"{_VERSION}:{at}:".encode() + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(f"{_VERSION}={expected}".encode(), signature.encode()):
            return False
        return self._first(signature, now)

    def _first(self, signature: str, now: float) -> bool:
        with self._lock:
            self._seen = {one: at for one, at in self._seen.items() if now - at <= 2 * WINDOW_SECONDS}
            if signature in self._seen:
                return False
            self._seen[signature] = now
            return True
