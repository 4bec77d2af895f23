"""Slack by its Web API: one message per letter, edited in place; what belongs under another goes into its thread.

Exactly once: every message carries its letter's key as metadata, and a doubtful one is looked for before it is posted.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metrics_catalog.message import Message, Picture
from orchestration.notify.channels.slack_errors import answered
from orchestration.notify.delivery import Delivery, Receipt, Refused
from orchestration.notify.files import content, fingerprint
from orchestration.notify.formats.slack import payload
from orchestration.settings import InvalidSettings, Settings

if TYPE_CHECKING:
    from slack_sdk import WebClient

EVENT = "metric_center_letter"  # the type of our metadata
TIMEOUT_SECONDS = 15
_GONE = ("message_not_found", "cant_update_message", "edit_window_closed")
_PROCESSING_SECONDS = (0.0, 0.3, 0.7, 1.5, 3.0)  # Slack takes a moment before an uploaded picture can be shown
_PAGES = 50


class Slack:
    """A workspace, through its bot. ``state``: the folder pictures and attachments are in."""

    edits = True
    shared = True

    def __init__(self, client: WebClient, state: Path) -> None:
        self._client, self._state = client, state

    def send(self, delivery: Delivery) -> Receipt:
        """Post the message, or bring the one that is there up to this edition; then what is attached to it."""
        place, ts = _split(delivery.external)
        if ts is None and delivery.doubtful:
            place, ts = self._found(delivery)
        files = self._pictures(delivery)
        memory = {**delivery.memory, "files": files}
        content = {**payload(delivery.message, _shown(delivery.message, files, self._state)), **_metadata(delivery)}
        if ts is not None and not self._updated(place, ts, content):
            ts = None
        if ts is None:
            place, ts = self._posted(delivery, content)
        external = f"{place}/{ts}"
        if delivery.message.attachments:
            delivery.keep(external, memory)
            memory = self._attach(delivery, place, ts, memory)
        return Receipt(external, memory)

    def _posted(self, delivery: Delivery, content: Mapping[str, Any]) -> tuple[str, str]:
        _, thread = _split(delivery.parent)
        delivery.ours()
        where = {"channel": delivery.address, "unfurl_links": False, "unfurl_media": False}
        answer = answered(partial(self._client.chat_postMessage, **where, thread_ts=thread, **content), posts=True)
        return str(answer["channel"]), str(answer["ts"])

    def _updated(self, place: str, ts: str, content: Mapping[str, Any]) -> bool:
        """Edit a message; False when somebody took it away. Twice does no harm."""
        try:
            answered(partial(self._client.chat_update, channel=place, ts=ts, **content))
        except Refused as error:
            if error.code in _GONE:
                return False
            raise
        return True

    def _found(self, delivery: Delivery) -> tuple[str, str | None]:
        """The message of a letter that may have been posted: its channel, and its time if it is there."""
        place = self._place(delivery.address)
        _, thread = _split(delivery.parent)
        oldest = f"{delivery.since.timestamp() - 300:.6f}" if delivery.since else "0"
        asked: dict[str, Any] = {"channel": place, "oldest": oldest, "include_all_metadata": True, "limit": 200}
        read = self._client.conversations_history
        if thread is not None:
            read, asked["ts"] = self._client.conversations_replies, thread
        for _ in range(_PAGES):
            answer = answered(partial(read, **asked))
            for one in answer["messages"]:
                known = one.get("metadata") or {}
                if known.get("event_type") == EVENT and known.get("event_payload", {}).get("key") == delivery.key:
                    return place, str(one["ts"])
            asked["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor")
            if not asked["cursor"]:
                break
        return place, None

    def _place(self, address: str) -> str:
        """The id of a conversation: of a person's with the bot, of a channel by its name."""
        if address.startswith(("U", "W")):
            return str(answered(partial(self._client.conversations_open, users=address))["channel"]["id"])
        if not address.startswith("#"):
            return address
        asked: dict[str, Any] = {"limit": 1000, "exclude_archived": True, "types": "public_channel,private_channel"}
        for _ in range(_PAGES):
            answer = answered(partial(self._client.conversations_list, **asked))
            for one in answer["channels"]:
                if one["name"] == address[1:]:
                    return str(one["id"])
            asked["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor")
            if not asked["cursor"]:
                break
        raise Refused(f"Slack has no channel {address} that the bot can see")

    def _pictures(self, delivery: Delivery) -> dict[str, str]:
        """Slack's id of each picture by its content; one that an earlier edition showed is not uploaded again."""
        known: dict[str, str] = dict(delivery.memory.get("files", {}))
        files: dict[str, str] = {}
        for one in delivery.message.parts:
            if isinstance(one, Picture) and (data := content(self._state, one.file)) is not None:
                name = fingerprint(data)
                files[name] = known.get(name) or self._uploaded(Path(one.file).name, data)
        return files

    def _uploaded(self, name: str, data: bytes) -> str:
        answer = answered(partial(self._client.files_upload_v2, content=data, filename=name))
        identity = str(answer["file"]["id"])
        for seconds in _PROCESSING_SECONDS:
            time.sleep(seconds)
            if answered(partial(self._client.files_info, file=identity))["file"].get("mimetype"):
                break
        return identity

    def _attach(self, delivery: Delivery, place: str, ts: str, memory: dict[str, Any]) -> dict[str, Any]:
        """Files into the thread, each once: what is in it already is asked when in doubt."""
        done = dict(memory.get("attached", {}))
        if delivery.doubtful:
            thread = answered(partial(self._client.conversations_replies, channel=place, ts=ts, limit=200))
            titles = [file.get("title") for one in thread["messages"] for file in one.get("files", ())]
            done |= {name: name for name in titles if name}
        for one in delivery.message.attachments:
            data = content(self._state, one.file)
            title = one.name if delivery.edition == 1 else f"{one.name} ({delivery.edition})"
            if data is None or title in done or fingerprint(data) in done.values():
                continue
            delivery.ours()
            upload = partial(self._client.files_upload_v2, content=data, filename=one.name, title=title)
            answered(partial(upload, channel=place, thread_ts=ts), posts=True)
            done[title] = fingerprint(data)
            delivery.keep(f"{place}/{ts}", {**memory, "attached": done})
        return {**memory, "attached": done}


def open_channel(settings: Settings, _tell: Callable[[str], None]) -> Slack:
    """Raises `InvalidSettings` without a token."""
    return Slack(web_client(settings), settings.locate().state)


def web_client(settings: Settings) -> WebClient:
    """Slack's own client, without its retries: one after a lost connection would post twice."""
    from slack_sdk import WebClient

    if settings.slack_token is None:
        raise InvalidSettings("METRICS_SLACK_TOKEN is not set; set it to the bot's token")
    quiet = logging.getLogger("metrics.slack")
    quiet.setLevel(logging.CRITICAL)  # what fails is said once, by us
    token = settings.slack_token.get_secret_value()
    return WebClient(token, settings.slack_api, timeout=TIMEOUT_SECONDS, retry_handlers=[], logger=quiet)


def _metadata(delivery: Delivery) -> dict[str, Any]:
    names = {"key": delivery.key, "edition": delivery.edition}
    return {"metadata": {"event_type": EVENT, "event_payload": names}}


def _shown(message: Message, files: Mapping[str, str], state: Path) -> dict[str, str]:
    """Slack's id of each picture by the file's name in the message."""
    found = {}
    for one in message.parts:
        if isinstance(one, Picture) and (data := content(state, one.file)) is not None:
            found[one.file] = files[fingerprint(data)]
    return found


def _split(external: str | None) -> tuple[str, str | None]:
    """Channel and time of a message; what was shown elsewhere, as on the console, has neither."""
    place, slash, ts = (external or "").partition("/")
    return (place, ts) if slash else ("", None)
