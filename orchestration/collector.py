"""Python's garbage collector during a command or a refresh: seldom. Knows nothing of what is done."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Importing Dagster, dbt and Great Expectations makes a million objects that all stay. At Python's own thresholds they
# are walked through again and again: 4.1 CPU s of imports instead of 3.5, and at 50,000 objects still 0.5 to 1 CPU s of
# a first refresh (tests/benchmarks/README.md). Cycles are still collected, so memory stays bounded.
_THRESHOLDS = (500_000, 20, 100)


@contextmanager
def seldom() -> Iterator[None]:
    """Inside the block objects are made far more freely before the collector looks for cycles."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def leave_all() -> None:
    """Let the process end without the collector walking through all that is left, which the system takes back anyway.

    What is to be done at the end of the process is still done; only objects in cycles are not looked for.
    """
    gc.freeze()
