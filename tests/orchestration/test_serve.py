from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    with serving(shop.project.root, tmp_path) as started:
        yield started


@contextmanager
def serving(root: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`metrics up` of a project, and its port."""
    port = free_port()
    command = [sys.executable, "-c", "from orchestration.cli import main; main()", "--project", str(root)]
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


def runs(port: int, cause: str) -> list[dict]:
    wanted = f'{{tags: [{{key: "cause", value: "{cause}"}}]}}'
    said = "status tags { key value } assetSelection { path }"
    return ask(port, f"{{ runsOrError(filter: {wanted}) {{ ... on Runs {{ results {{ {said} }} }} }} }}")[
        "runsOrError"
    ]["results"]


def statuses(port: int, cause: str) -> list[str]:
    return [run["status"] for run in runs(port, cause)]


def until(told: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(1)


def test_an_approved_change_is_published_by_itself_and_a_draft_stops_nothing(new_chain, tmp_path: Path) -> None:
    chain = new_chain
    units = "metrics_catalog/metrics/sales/units.yml"

    def command(*arguments: str, user: str = "wei") -> str:
        done = chain.run(*arguments, METRICS_USER=user)
        assert done.code == 0, done.err
        return done.out

    def sold() -> list[float]:
        rows = json.loads(command("query", "units", "--grain", "day", "--json"))["rows"]
        return [float(row["units"]) for row in rows]

    command("run")
    chain.certify()
    before = sold()
    with serving(chain.project.root, tmp_path) as (process, port):
        wait_until_up(process)
        until(lambda: statuses(port, "new files") == ["SUCCESS"])
        chain.replace(units, "expr: quantity", "expr: quantity * 2")
        command("propose", "units", "--reason", "packs of two", "--restate", user="ana")
        command("approve", "CR-1")
        command("approve", "CR-1", user="fang")
        assert sold() == before
        until(lambda: statuses(port, "approved change") == ["SUCCESS"])
        assert sold() == [2 * one for one in before]
        [run] = runs(port, "approved change")
        assert {"key": "requests", "value": "CR-1"} in run["tags"]
        selected = {"/".join(key["path"]) for key in run["assetSelection"]}
        assert selected == {"metric/sales/units", "metrics/sales_by_store_daily"}
        tags = "{ assetNodes { assetKey { path } tags { key value } } }"
        [node] = [one for one in ask(port, tags)["assetNodes"] if one["assetKey"]["path"][-1] == "units"]
        assert {"key": "certified_version", "value": "2"} in node["tags"]
        chain.replace(units, "agg: sum", "agg: summ")
        assert "certified v2; edited" in command("list")
        command("run")
        assert sold() == [2 * one for one in before]


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


def test_children_get_the_settings_however_they_were_given(tmp_path: Path) -> None:
    from orchestration.serve import _variables
    from orchestration.settings import read_settings

    (tmp_path / ".env").write_text("METRICS_OPS_URL=postgresql://metrics@db/ops\nMETRICS_USER=wei\n", encoding="utf-8")
    passed = _variables(read_settings({}, project=tmp_path))
    assert (passed["METRICS_OPS_URL"], passed["METRICS_USER"]) == ("postgresql://metrics@db/ops", "wei")
    assert "METRICS_USER" not in _variables(read_settings({}, project=tmp_path / "other"))
