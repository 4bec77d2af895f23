"""Drains that die at any step, two at a time: every letter arrives, once, as it was last written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import psutil
import pytest

from metrics_catalog.message import Letter
from metrics_catalog.ops.letters import letters
from metrics_catalog.ops.outbox import put
from metrics_catalog.ops.store import open_store, writing

if TYPE_CHECKING:
    from .conftest import FakeSlack

DRAINER = Path(__file__).parents[2] / "outbox_drainer.py"
LEASE = 8.0  # seconds; longer than anything a drainer on this machine is held up by
Make = Callable[..., Letter]


def start(ops: str, slack: str, chance: float = 0, lives: int = 0, seed: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", str(DRAINER), ops, slack, str(LEASE), str(chance), str(lives), str(seed)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def child(of: subprocess.Popen[str]) -> int:
    (found,) = psutil.Process(of.pid).children()
    return found.pid


def arrived(slack: FakeSlack) -> Counter[str]:
    return Counter(one["metadata"]["event_payload"]["key"] for one in slack.posts)


def test_two_drainers_that_die_anywhere_send_everything_once(ops_url: str, slack: FakeSlack, letter: Make) -> None:
    engine = open_store(ops_url)
    keys = [f"INC-{n}" for n in range(40)]
    with writing(engine, None) as con:
        put(con, [letter(key) for key in keys], datetime.now(UTC))
    slack.per_second = 40

    def rewrite(count: int) -> None:
        if count == 20:  # while both are at it
            with writing(engine, None) as con:
                put(con, [letter(key, "newer") for key in keys[::4]], datetime.now(UTC))

    slack.after_post = rewrite
    pair = [start(ops_url, slack.url, chance=0.06, lives=6, seed=seed) for seed in (1, 2)]
    told = Counter(line.split(" ")[0] for one in pair for line in one.communicate(timeout=250)[0].splitlines())
    assert [one.returncode for one in pair] == [0, 0]
    assert told["before"] + told["after"] >= 6
    assert arrived(slack) == Counter(keys)
    assert {one["text"] for one in slack.posts if one["metadata"]["event_payload"]["key"] in keys[::4]} == {"🟠 newer"}
    engine.dispose()


@pytest.mark.parametrize("when", ["posted", "held"])
def test_a_drainer_that_dies_or_stands_still_after_posting_is_followed_by_one_that_finds_it(
    tmp_path: Path, slack: FakeSlack, letter: Make, when: str
) -> None:
    ops = f"sqlite:///{tmp_path}/.metrics/ops.db"
    engine = open_store(ops)
    with writing(engine, None) as con:
        put(con, [letter("INC-1")], datetime.now(UTC))
    what = signal.SIGKILL if when == "posted" else signal.SIGSTOP
    posted = Event()
    slack.after_post = lambda count: (posted.set(), os.kill(child(first), what)) if count == 1 else None
    first = start(ops, slack.url)
    assert posted.wait(60)
    second = start(ops, slack.url)
    assert second.communicate(timeout=100)[0].endswith("done 1\n")
    if when == "held":  # it comes back late, and changes nothing
        os.kill(child(first), signal.SIGCONT)
    first.wait(100)
    assert arrived(slack) == {"INC-1": 1}
    (kept,) = letters(engine, everything=True)
    assert (kept.state, kept.sent_edition) == ("sent", 1)
    engine.dispose()
