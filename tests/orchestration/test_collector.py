"""The collector's thresholds inside and after a refresh."""

import gc

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
