"""Empties an outbox in a child process that dies at random steps and is born again, until one lives to the end.

``python -P outbox_drainer.py <ops url> <slack url> <lease seconds> <chance> <lives> <seed>``: each of so many lives dies at
each step with that chance, the last one does not. Steps: before and after each claim, post, edit, look into the channel,
note and mark. Prints each death, the pid of each life, and what the last one sent. Forks, so that a life costs no imports.
"""

from __future__ import annotations

import functools
import os
import random
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from slack_sdk import WebClient

from metrics_catalog.ops import channel_health, claims
from metrics_catalog.ops.store import open_store
from orchestration.notify.channels.slack import Slack
from orchestration.notify.drain import Drain

STEPS: tuple[tuple[Any, str], ...] = (
    (claims, "claim"),
    (claims, "sent"),
    (claims, "failed"),
    (claims, "keep"),
    (channel_health, "failed"),
    (channel_health, "pause"),
    (WebClient, "chat_postMessage"),
    (WebClient, "chat_update"),
    (WebClient, "conversations_history"),
)


def mortal(work: Callable[..., Any], chance: float, luck: random.Random, name: str) -> Callable[..., Any]:
    """Dies before or after ``work``, with half the chance each; says where."""

    def perhaps(when: str) -> None:
        if luck.random() < chance / 2:
            os.write(1, f"{when} {name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(work)
    def tried(*args: Any, **given: Any) -> Any:
        perhaps("before")
        result = work(*args, **given)
        perhaps("after")
        return result

    return tried


def live(ops: str, slack: str, lease: float, chance: float, seed: int) -> int:
    """One life; returns the exit code."""
    luck = random.Random(seed)  # noqa: S311 the same deaths again
    for owner, name in STEPS if chance else ():
        setattr(owner, name, mortal(getattr(owner, name), chance, luck, name))
    channel_health._SHORTEST = timedelta(seconds=0.2)  # not ten seconds for each of Slack's moods
    channel = Slack(WebClient("xoxb-fake", f"{slack}api/", retry_handlers=[], timeout=20), Path("/nonexistent"))
    span = timedelta(seconds=lease)
    done = Drain(open_store(ops), lambda name, address: channel, lease=span, patience=lease + 1).run(600)
    os.write(1, f"done {done.sent}\n".encode())
    for error in done.errors.values():
        os.write(2, f"{error}\n".encode())
    return 0 if not done.errors else 3


def main(ops: str, slack: str, lease: float, chance: float, lives: int, seed: int) -> None:
    """Live again after each death."""
    for life in range(lives + 1):
        pid = os.fork()
        if pid == 0:
            os.write(1, f"pid {os.getpid()}\n".encode())
            os._exit(live(ops, slack, lease, chance if life < lives else 0, seed * 1000 + life))
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]), int(sys.argv[6]))
