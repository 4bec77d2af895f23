"""What became of every series, asked by name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from metrics_catalog.monitoring.detectors.base import Verdict
from metrics_catalog.monitoring.finding import RuleName, Series
from metrics_catalog.monitoring.judged import Fine, Judged, TooLittle
from metrics_catalog.monitoring.series import Names, Rows

TERMS: Any = SimpleNamespace(metric="sales")
NAMES = Names("day", (Rows(TERMS, (), 0, [()]), Rows(TERMS, ("store",), 1, [("北京",), (None,), ("上海",)])))
TOTAL = Series("sales", "day")


def store(name: str | None) -> Series:
    return Series("sales", "day", (("store", name),))


def verdict(rule: RuleName, rows: list[int], scores: list[list[float]], **more: Any) -> Verdict:
    score = np.array(scores)
    return Verdict(rule, np.array(rows), score, score, score, score, score > 2, **more)


def fine(*verdicts: Verdict) -> Fine:
    return Fine((Judged.by(NAMES, 4, verdicts),))


def test_every_row_has_its_name_and_is_found_by_it() -> None:
    assert [NAMES[row] for row in range(4)] == [TOTAL, store("北京"), store(None), store("上海")]
    assert [NAMES.row(NAMES[row]) for row in range(4)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "other",
    [store("广州"), Series("sales", "week"), Series("orders", "day"), Series("sales", "day", (("region", "北京"),))],
)
def test_what_has_no_row_is_neither_fine_nor_not(other: Series) -> None:
    assert NAMES.row(other) is None
    assert (other, "anomaly") not in fine(verdict("anomaly", [0, 1, 2, 3], [[0], [0], [0], [0]]))
    assert other not in TooLittle(())


def test_in_order_is_what_the_newest_period_was_judged_of_and_does_not_break() -> None:
    found = fine(verdict("anomaly", [1, 2, 3], [[9, 0.5], [0, 9], [0, np.nan]]))
    assert (store("北京"), "anomaly") in found
    assert (store(None), "anomaly") not in found
    assert (store("上海"), "anomaly") not in found
    assert (TOTAL, "anomaly") not in found
    assert (store("北京"), "shift") not in found


def test_what_is_missing_stays_so_when_the_next_period_is_there() -> None:
    found = fine(verdict("missing", [0, 1], [[2, 0], [0, 0]]))
    assert (TOTAL, "missing") not in found
    assert (store("北京"), "missing") in found


@pytest.mark.parametrize("scores", [(0, 2), (2, 0)])
def test_a_rule_that_is_broken_in_one_way_is_not_in_order(scores: tuple[float, float]) -> None:
    assert (TOTAL, "drift") not in fine(*(verdict("drift", [0], [[score]]) for score in scores))


def test_why_nothing_can_be_said_of_a_series() -> None:
    said = {"few": np.array([2]), "wild": np.array([1, 3])}
    found = TooLittle((Judged.by(NAMES, 4, [verdict("anomaly", [1], [[0]], too_little=said)]),))
    assert len(found) == 3
    assert dict(found) == {store(None): "few", store("北京"): "wild", store("上海"): "wild"}
    assert TOTAL not in found
