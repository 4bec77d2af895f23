"""`metrics up` listens to Slack: signed HTTP, Socket Mode, or both. Answers at once; what is asked is done behind it.

A process of its own, ``python -m orchestration.notify.listen``; it reads the settings of the environment it is given.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from orchestration.notify.actions import Action, actions
from orchestration.notify.channels.http import Call, posted
from orchestration.notify.channels.slack import web_client
from orchestration.notify.channels.slack_errors import answered
from orchestration.notify.interactions import Ask, Pressed, Say, read, respond
from orchestration.notify.people import people_of
from orchestration.notify.signed import Gate
from orchestration.settings import Settings, read_settings

if TYPE_CHECKING:
    from slack_sdk.socket_mode import SocketModeClient
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

HOST, PATH = "127.0.0.1", "/slack"
_MOST_BYTES = 1_000_000
_DRAIN_SECONDS = 10.0
_AGAIN_SECONDS = 15
log = logging.getLogger("metrics.slack")


class Listener:
    """Does what is pressed, a few at a time. Every payload it is given has been verified."""

    def __init__(self, settings: Settings, known: Mapping[str, Action] | None = None) -> None:
        self._settings, self._actions = settings, actions() if known is None else known
        self._workers = ThreadPoolExecutor(4, "slack")

    def hear(self, payload: dict[str, Any]) -> None:
        """Take a payload; returns at once. Raises `ValueError` for what is none."""
        for pressed in read(payload):
            self._workers.submit(self._handle, pressed)

    def close(self) -> None:
        """Finish what was begun."""
        self._workers.shutdown()

    def _handle(self, pressed: Pressed) -> None:
        try:
            project = self._settings.locate()
            answer = respond(pressed, self._actions, people_of(project), project)
            if isinstance(answer, Ask):
                client = web_client(self._settings)
                answered(lambda: client.views_open(trigger_id=answer.trigger, view=answer.view))
            elif answer is not None:
                self._say(answer)
                self._drain()
        except Exception:
            log.exception("%s on %s by %s failed", pressed.action, pressed.value, pressed.user)

    def _say(self, answer: Say) -> None:
        if not answer.answer_url:
            return
        body = {"response_type": "ephemeral", "replace_original": False, "text": _literal(answer.text)}
        posted("Slack", Call(answer.answer_url, body, {}))

    def _drain(self) -> None:
        """What changed is shown at once, not at the next look into the outbox."""
        from orchestration.notify.outbox import ask, drain

        ask(self._settings.locate())
        drain(self._settings, _DRAIN_SECONDS, log.info)


def http_server(settings: Settings, listener: Listener) -> ThreadingHTTPServer:
    """A server for ``POST /slack``. Raises `OSError` when the port is taken."""
    assert settings.slack_signing_secret is not None
    gate = Gate(settings.slack_signing_secret.get_secret_value(), time.time)

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if self.path != PATH or not length.isdigit() or int(length) > _MOST_BYTES:
                self._answer(404)
                return
            body = self.rfile.read(int(length))
            if not gate.admits(dict(self.headers.items()), body):
                self._answer(401)
                return
            try:
                listener.hear(json.loads(parse_qs(body.decode())["payload"][0]))
            except (ValueError, KeyError):
                self._answer(400)
                return
            self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
            log.debug(format, *args)

    server = ThreadingHTTPServer((HOST, settings.slack_port), Handler)
    server.daemon_threads = True
    return server


def socket_client(settings: Settings, listener: Listener) -> SocketModeClient:
    """A client for Socket Mode; not connected yet."""
    from slack_sdk.socket_mode import SocketModeClient
    from slack_sdk.socket_mode.response import SocketModeResponse

    assert settings.slack_app_token is not None
    client = SocketModeClient(settings.slack_app_token.get_secret_value(), log, web_client(settings))

    def heard(socket: BaseSocketModeClient, request: SocketModeRequest) -> None:
        socket.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        if request.type == "interactive":
            listener.hear(dict(request.payload))

    client.socket_mode_request_listeners.append(heard)
    return client


def connect(client: SocketModeClient, stop: Event) -> None:
    """Connect, again and again until it works; from then on the client keeps itself connected."""
    while not stop.is_set():
        try:
            client.connect()
            return
        except Exception as error:
            log.warning("Slack's Socket Mode cannot be reached: %s", type(error).__name__)
            stop.wait(_AGAIN_SECONDS)


def main() -> None:
    """Listen until the process is ended."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = read_settings()
    listener = Listener(settings)
    if settings.slack_app_token is not None:
        connect(socket_client(settings, listener), Event())
    if settings.slack_signing_secret is None:
        Event().wait()
    else:
        http_server(settings, listener).serve_forever()


def _literal(text: str) -> str:
    """Slack's text is markup; what comes from data is not."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


if __name__ == "__main__":
    main()
