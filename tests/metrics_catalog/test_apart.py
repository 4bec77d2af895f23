"""What one metric's data is at fault for stops no other; any other error stops all."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pytest

from metrics_catalog.apart import apart

METRICS = [f"m{number}" for number in range(9)]


def test_each_at_fault_is_told_and_the_others_are_computed_once() -> None:
    done: list[str] = []

    def compute(metrics: Sequence[str]) -> None:
        if {"m2", "m7"} & set(metrics):
            raise duckdb.OutOfRangeException("Out of Range Error: Overflow in multiplication\n\nLINE 1: ...")
        done.extend(metrics)

    found = apart(METRICS, compute)
    assert sorted(found) == ["m2", "m7"]
    assert found["m2"].startswith("a value cannot be: Out of Range Error: Overflow in multiplication; ")
    assert sorted(done) == [one for one in METRICS if one not in found]


def test_an_error_of_the_system_stops_all() -> None:
    def compute(metrics: Sequence[str]) -> None:
        raise duckdb.IOException("IO Error: no space left")

    with pytest.raises(duckdb.IOException):
        apart(METRICS, compute)
