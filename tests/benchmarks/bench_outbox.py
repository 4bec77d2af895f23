"""500 alerts, two drains that die at every step and a Slack in a bad mood: each must arrive, once, as last written.

``python -P tests/benchmarks/bench_outbox.py [alerts] [ops url]``; by default 500 on SQLite. Deaths are SIGKILL before or
after every claim, post, edit, look into the channel, note and mark; Slack answers some calls with 429, 500, or not at all
though it did what was asked. A third of the alerts is rewritten while they are sent.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from metrics_catalog.message import Button, Buttons, Facts, Grid, Letter, Message, Paragraph
from metrics_catalog.ops.letters import letters
from metrics_catalog.ops.outbox import put
from metrics_catalog.ops.store import open_store, writing

TESTS = Path(__file__).parents[1]
LEASE_SECONDS, CHANCE, LIVES = 8.0, 0.03, 60


def fake_slack() -> Any:
    """The module of the tests."""
    spec = spec_from_file_location("fake_slack", TESTS / "fake_slack.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules["fake_slack"] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def alert(number: int, words: str) -> Letter:
    """An alert as large as they usually are; every tenth is an update in the thread of the one before."""
    rows = tuple((f"store {n}", f"{n * 100}", f"{n * 90}") for n in range(8))
    parts = (
        Paragraph("Real move: store 367 explains 82 %", "bad", strong=True),
        Facts((("Metric", "net_sales"), ("Period", "2017-05-03"))),
        Grid(("store", "before", "now"), rows, (1, 2)),
        Buttons((Button("Acknowledge", "acknowledge", f"INC-{number}", primary=True),)),
    )
    parent = f"INC-{number - 1:04}" if number % 10 == 9 else None
    return Letter(f"INC-{number:04}", "slack", "C0ALERTS", Message(f"{words} {number}", parts, severity=2), parent)


def moods(count: int, luck: random.Random) -> list[str]:
    """What befalls the calls, one after another."""
    kinds = ["ok"] * 88 + ["lost"] * 5 + ["429:0.3"] * 4 + ["500"] * 3
    return [luck.choice(kinds) for _ in range(count)]


def main(count: int, ops: str | None) -> None:
    """Print what arrived, and what was survived."""
    luck = random.Random(20171231)  # noqa: S311 the same moods again
    with tempfile.TemporaryDirectory() as folder, fake_slack().slack_server() as slack:
        ops = ops or f"sqlite:///{folder}/ops.db"
        engine = open_store(ops)
        with writing(engine, None) as con:
            put(con, [alert(n, "dip") for n in range(count)], datetime.now(UTC))

        def rewrite(posted: int) -> None:
            if posted == count // 2:
                with writing(engine, None) as con:
                    put(con, [alert(n, "newer") for n in range(0, count, 3)], datetime.now(UTC))

        slack.moods, slack.after_post = moods(count * 4, luck), rewrite
        begun = time.monotonic()
        command = [sys.executable, "-P", str(TESTS / "outbox_drainer.py"), ops, slack.url, str(LEASE_SECONDS)]
        command += [str(CHANCE), str(LIVES)]
        drains = [subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, text=True) for seed in (1, 2)]
        told = Counter(
            line for one in drains for line in one.communicate()[0].splitlines() if line.startswith(("b", "a"))
        )
        seconds = time.monotonic() - begun
        arrived = Counter(one["metadata"]["event_payload"]["key"] for one in slack.posts)
        old = [
            one["text"] for one in slack.posts if int(one["text"].split()[-1]) % 3 == 0 and "newer" not in one["text"]
        ]
        states = Counter(one.state for one in letters(engine, everything=True))
        calls = Counter(slack.calls)
        engine.dispose()
    print(
        f"{count} alerts: {sum(arrived.values())} messages, {len(arrived)} different, {max(arrived.values())} at most"
    )
    print(f"states {dict(states)}, not as last written {len(old)}, exit codes {[one.returncode for one in drains]}")
    print(f"{sum(told.values())} deaths: {', '.join(f'{step} {n}' for step, n in sorted(told.items()))}")
    print(f"calls {dict(calls)}; {seconds:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500, sys.argv[2] if len(sys.argv) > 2 else None)
