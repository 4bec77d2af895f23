"""The collector's thresholds inside and after a refresh."""

import gc
import subprocess
import sys

import pytest

from orchestration.collector import seldom


def test_the_collector_looks_seldom_and_still_looks() -> None:
    before = gc.get_threshold()
    with seldom():
        assert gc.get_threshold()[0] > before[0]
        assert gc.isenabled()


def _fail() -> None:
    with seldom():
        raise KeyError


def test_thresholds_come_back_after_an_error() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError):
        _fail()
    assert gc.get_threshold() == before


def test_a_process_ends_without_a_walk_through_what_is_left_but_does_what_was_to_be_done() -> None:
    text = """
import atexit, gc
from orchestration.collector import leave_all

class Cycle:
    def __init__(self): self.me = self
    def __del__(self): print("collected")

left = Cycle()
atexit.register(print, "done")
leave_all()
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "done\n"
