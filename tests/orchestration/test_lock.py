from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from metrics_catalog.project import Project
from orchestration.lock import Busy, turn

HOLD = """
import sys, time
from pathlib import Path
from metrics_catalog.project import Project
from orchestration.lock import turn
with turn(Project.at(Path(sys.argv[1])), "`metrics run`"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_the_second_hears_who_runs(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with (
        pytest.raises(Busy, match=rf"`metrics run` \(process {holder.pid}, since .*try again"),
        turn(Project.at(tmp_path), "me"),
    ):
        pass


def test_a_killed_holder_gives_its_turn_back(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    with turn(Project.at(tmp_path), "me"):
        pass


def test_who_waits_gets_its_turn(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    heard: list[str] = []
    threading.Timer(0.5, holder.kill).start()
    start = time.monotonic()
    with turn(Project.at(tmp_path), "me", wait=True, log=heard.append):
        assert time.monotonic() - start > 0.4
    assert "waiting" in heard[0]


def test_a_turn_within_a_turn_is_the_same_turn(tmp_path: Path) -> None:
    project = Project.at(tmp_path)
    with turn(project, "outer"), turn(project, "inner"):
        pass
    assert not (project.state / "refresh.json").exists()


def test_two_projects_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with turn(Project.at(tmp_path / "a"), "one"), turn(Project.at(tmp_path / "b"), "two"):
        pass
