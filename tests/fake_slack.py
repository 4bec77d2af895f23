"""A small Slack on loopback: what our client calls, with Slack's checks, its rate limit and its moods.

Also a program of its own neighbours: the tests load it as a fixture, the benchmark imports it.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

TOKEN = "xoxb-fake"
JSON_FIELDS = ("blocks", "metadata", "files", "view", "attachments")
CHANNELS = {"C0ALERTS": "alerts", "C0OTHER": "other"}


@dataclass
class FakeSlack:
    """``posts``: messages as they are now, in order. ``moods``: what befalls the next calls, first one first.

    A mood is an error word, ``429:<seconds>``, ``500``, ``lost`` (done, but the answer never arrives) or ``ok``.
    ``per_second``: messages a channel takes, 0 for any number. ``after_post`` runs when a message is in and not answered.
    """

    posts: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    views: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    moods: list[str] = field(default_factory=list)
    down: bool = False
    per_second: float = 0
    limited: int = 0
    after_post: Callable[[int], None] = lambda count: None
    url: str = ""
    page: int = 200
    socket_url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def call(self, method: str, token: str, given: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any] | None]:
        """Status, headers and body; no body: the connection is cut."""
        with self._lock:
            self.calls.append(method)
            mood = self.moods.pop(0) if self.moods else "ok"
        if self.down or mood == "500":
            return 500, {}, {}
        if mood.startswith("429"):
            return 429, {"Retry-After": mood.partition(":")[2] or "1"}, {"ok": False, "error": "ratelimited"}
        if token != TOKEN and not (method == "apps.connections.open" and token == "xapp-fake"):
            return 200, {}, {"ok": False, "error": "invalid_auth"}
        if mood not in ("ok", "lost"):
            return 200, {}, {"ok": False, "error": mood}
        if method == "chat.postMessage" and (wait := self._too_fast(given["channel"])):
            self.limited += 1
            return 429, {"Retry-After": f"{wait:.3f}"}, {"ok": False, "error": "ratelimited"}
        answer = getattr(self, method.replace(".", "_"))(given)
        if method == "chat.postMessage" and answer.get("ok", True):
            self.after_post(len(self.posts))
        return 200, {}, None if mood == "lost" else {"ok": "error" not in answer, **answer}

    def _too_fast(self, channel: str) -> float:
        with self._lock:
            now = time.monotonic()
            wait = self._last[channel] + 1 / self.per_second - now if self.per_second else 0
            if wait <= 0:
                self._last[channel] = now
            return max(wait, 0)

    def chat_postMessage(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 Slack's name
        if bad := self._invalid(given):
            return bad
        channel = self._channel(given["channel"])
        if channel is None:
            return {"error": "channel_not_found"}
        with self._lock:
            ts = f"{1_800_000_000 + len(self.posts) * 0.001 + time.time() % 1 / 1e4:.6f}"
            self.posts.append({**given, "channel": channel, "ts": ts})
        return {"channel": channel, "ts": ts}

    def chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        if bad := self._invalid(given):
            return bad
        for one in self.posts:
            if (one["channel"], one["ts"]) == (given["channel"], given["ts"]):
                one.update(given)
                self.updates.append(given)
                return {"channel": given["channel"], "ts": given["ts"]}
        return {"error": "message_not_found"}

    def conversations_history(self, given: dict[str, Any]) -> dict[str, Any]:
        found = [one for one in self.posts if one["channel"] == given["channel"] and not one.get("thread_ts")]
        return self._pages([one for one in found if float(one["ts"]) >= float(given.get("oldest", 0))], given)

    def conversations_replies(self, given: dict[str, Any]) -> dict[str, Any]:
        found = [one for one in self.posts if given["ts"] in (one["ts"], one.get("thread_ts"))]
        return self._pages([one for one in found if one["channel"] == given["channel"]], given)

    def _pages(self, found: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
        first = int(given.get("cursor") or 0)
        more = first + self.page < len(found)
        shown = [dict(one) for one in reversed(found)][first : first + self.page]
        if given.get("include_all_metadata") not in ("1", "true", True):
            for one in shown:
                one.pop("metadata", None)
        return {"messages": shown, "response_metadata": {"next_cursor": str(first + self.page) if more else ""}}

    def conversations_open(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"channel": {"id": f"D{given['users'][1:]}"}}

    def conversations_list(self, _given: dict[str, Any]) -> dict[str, Any]:
        return {"channels": [{"id": key, "name": name} for key, name in CHANNELS.items()]}

    def files_getUploadURLExternal(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 Slack's name
        identity = f"F{len(self.files):08d}X"
        self.files[identity] = {"id": identity, "name": given["filename"], "length": int(given["length"]), "asked": 0}
        return {"file_id": identity, "upload_url": f"{self.url}upload/{identity}"}

    def files_completeUploadExternal(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 Slack's name
        done = []
        for one in given["files"]:
            kept = self.files[one["id"]]
            if len(kept.get("data", b"")) != kept["length"]:
                return {"error": "file_upload_size_restricted"}
            kept |= {"title": one["title"], "complete": True}
            done.append({"id": one["id"], "title": one["title"]})
        if given.get("channel_id"):
            ts = f"{1_900_000_000 + len(self.posts):.6f}"
            shared = {"channel": given["channel_id"], "thread_ts": given.get("thread_ts"), "files": done, "ts": ts}
            self.posts.append(shared)
        return {"files": done}

    def files_info(self, given: dict[str, Any]) -> dict[str, Any]:
        kept = self.files[given["file"]]
        kept["asked"] += 1
        ready = kept["asked"] > 1  # Slack needs a moment
        kept["ready"] = ready
        return {"file": {"id": given["file"], "mimetype": "image/png" if ready else ""}}

    def views_open(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("trigger_id") != "trigger":
            return {"error": "expired_trigger_id"}
        self.views.append(given["view"])
        return {"view": {"id": "V1"}}

    def apps_connections_open(self, _given: dict[str, Any]) -> dict[str, Any]:
        return {"url": self.socket_url}

    def _channel(self, given: str) -> str | None:
        if given.startswith(("U", "W")):
            return f"D{given[1:]}"
        if given.startswith("#"):
            return next((key for key, name in CHANNELS.items() if name == given[1:]), None)
        return given if given[0] in "CDG" else None

    def _invalid(self, given: dict[str, Any]) -> dict[str, Any] | None:
        wrong = list(faults(given.get("blocks", []), self.files))
        return {"error": "invalid_blocks", "response_metadata": {"messages": wrong}} if wrong else None


def faults(blocks: list[dict[str, Any]], files: dict[str, Any]) -> Iterator[str]:
    """What Slack would refuse."""
    if not 0 < len(blocks) <= 50:
        yield f"{len(blocks)} blocks"
    if sum(one["type"] == "table" for one in blocks) > 1:
        yield "only_one_table_allowed"
    for number, one in enumerate(blocks):
        for wrong in _block_faults(one, files):
            yield f"{wrong} [json-pointer:/blocks/{number}]"


def _block_faults(one: dict[str, Any], files: dict[str, Any]) -> Iterator[str]:
    check = _CHECKS.get(one["type"])
    if check is None:
        yield f"unsupported type {one['type']}"
    elif not check(one, files):
        yield f"invalid {one['type']}"


def _actions(one: dict[str, Any], _files: dict[str, Any]) -> bool:
    buttons = one["elements"]
    short = all(len(leaf["text"]["text"]) <= 75 and len(leaf["value"]) <= 2000 for leaf in buttons)
    return short and 1 <= len(buttons) <= 25 and len({leaf["action_id"] for leaf in buttons}) == len(buttons)


def _image(one: dict[str, Any], files: dict[str, Any]) -> bool:
    return bool(files.get(one["slack_file"]["id"], {}).get("ready")) and 1 <= len(one["alt_text"]) <= 2000


def _table(one: dict[str, Any], _files: dict[str, Any]) -> bool:
    rows = one["rows"]
    return 1 <= len(rows) <= 100 and all(len(row) <= 20 and all(cell["text"] for cell in row) for row in rows)


def _rich(one: dict[str, Any], _files: dict[str, Any]) -> bool:
    leaves = [leaf for element in one["elements"] for leaf in element["elements"]]
    return all(leaf["text"] and leaf["type"] in ("text", "link") for leaf in leaves)


_CHECKS: dict[str, Callable[[dict[str, Any], dict[str, Any]], bool]] = {
    "header": lambda one, _: 1 <= len(one["text"]["text"]) <= 150,
    "context": lambda one, _: all(1 <= len(leaf["text"]) <= 3000 for leaf in one["elements"]),
    "rich_text": _rich,
    "image": _image,
    "actions": _actions,
    "table": _table,
}


@contextmanager
def slack_server() -> Iterator[FakeSlack]:
    """A running one."""
    slack = FakeSlack()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path.startswith("/upload/"):
                slack.files[self.path.rpartition("/")[2]]["data"] = body
                self._answer(200, {}, b"OK")
                return
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, headers, answer = slack.call(self.path.rpartition("/")[2], token, self._given(body))
            if answer is None:
                self.close_connection = True
                return
            self._answer(status, headers, json.dumps(answer).encode())

        def _given(self, body: bytes) -> dict[str, Any]:
            if self.headers.get("Content-Type", "").startswith("application/json"):
                return json.loads(body or b"{}")
            given: dict[str, Any] = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            return {name: json.loads(text) if name in JSON_FIELDS else text for name, text in given.items()}

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json", "Content-Length": len(body)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    slack.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield slack
    finally:
        server.shutdown()
        server.server_close()
