from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from metrics_catalog.derived import Unchanging


@dataclass(frozen=True)
class Numbers(Unchanging):
    every: tuple[int, ...]


def test_what_follows_is_worked_out_once_for_each_thing() -> None:
    asked: list[str] = []

    def total() -> int:
        asked.append("total")
        return sum(one.every)

    one = Numbers((1, 2))
    assert (one.once("total", total), one.once("total", total), asked) == (3, 3, ["total"])
    other = replace(one, every=(5,))
    assert other.once("total", lambda: sum(other.every)) == 5
    assert one == Numbers((1, 2)), "what was worked out is no part of it"


def test_a_failure_is_not_kept() -> None:
    one = Numbers(())
    with pytest.raises(ValueError, match="empty"):
        one.once("largest", lambda: max(one.every))
    assert one.once("largest", lambda: 0) == 0
