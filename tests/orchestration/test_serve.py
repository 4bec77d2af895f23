from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from orchestration.event_log import KeptSqliteEventLogStorage


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def up(shop, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    command = [sys.executable, "-c", "from orchestration.cli import main; main()", "--project", str(shop.project.root)]
    process = subprocess.Popen(
        [*command, "up", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith(("METRICS_", "DAGSTER_"))},
    )
    try:
        yield process, port
    finally:
        for child in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else ():
            child.kill()
        process.kill()
        process.wait()


def wait_until_up(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if "Ctrl-C" in line:
            return
    raise AssertionError(f"did not start, code {process.wait()}")


def ask(port: int, query: str) -> dict:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 our own server
        return json.load(answer)["data"]


def gone(processes: list[psutil.Process], seconds: float = 30) -> bool:
    return not psutil.wait_procs(processes, timeout=seconds)[1]


def test_up_serves_the_graph_and_runs_and_stops_clean(shop, up) -> None:
    process, port = up
    wait_until_up(process)
    children = psutil.Process(process.pid).children(recursive=True)
    names = ask(port, "{ assetNodes { assetKey { path } } }")["assetNodes"]
    assert ["metric", "sales", "net_sales"] in [node["assetKey"]["path"] for node in names]
    # The new-files sensor finds what was delivered and the daemon runs it, in a process of its own.
    runs: list[dict] = []
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline and not (runs and runs[0]["status"] in ("SUCCESS", "FAILURE")):
        time.sleep(1)
        runs = ask(port, "{ runsOrError { ... on Runs { results { status tags { key value } } } } }")["runsOrError"][
            "results"
        ]
    assert [run["status"] for run in runs] == ["SUCCESS"], (shop.project.dagster_home / "daemon.log").read_text()[
        -3000:
    ]
    assert {"key": "cause", "value": "new files"} in runs[0]["tags"]
    memory = sum(child.memory_info().rss for child in children if child.is_running()) / 1e6
    assert memory < 700, f"{memory:.0f} MB"
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert gone(children)


def test_nothing_is_left_when_the_parent_is_killed(shop, up) -> None:
    process, _ = up
    wait_until_up(process)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 3
    process.kill()
    assert gone(children)


def test_a_port_in_use_is_said_at_once(shop, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code = "from orchestration.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, "--project", str(shop.project.root), "up", "--port", str(port)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert f"port {port} is in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_event_log_keeps_few_files_open(tmp_path: Path) -> None:
    storage = KeptSqliteEventLogStorage(str(tmp_path))
    for number in range(40):
        with storage.run_connection(f"run{number}"):
            pass
    opened = {Path(file.path).name for file in psutil.Process().open_files() if str(tmp_path) in file.path}
    assert len({name for name in opened if name.endswith(".db")}) <= 18
    storage.dispose()
    assert not [file for file in psutil.Process().open_files() if str(tmp_path) in file.path]
