from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_catalog.monitoring.contributions import adds_up, of_ratio, of_sum

amounts = st.lists(st.floats(0, 1e6, allow_nan=False), min_size=2, max_size=12)


@given(before=amounts, after=amounts)
def test_what_sums_contribute_adds_up_to_the_move(before: list[float], after: list[float]) -> None:
    size = min(len(before), len(after))
    old, new = np.array(before[:size]), np.array(after[:size])
    move = float(new.sum() - old.sum()) or 1.0
    parts = of_sum(old, new, move)
    assert parts.contribution.sum() == pytest.approx(new.sum() - old.sum(), abs=1e-6)
    assert (parts.score >= 0).all()


rows = st.lists(
    st.tuples(*[st.floats(0, 1e4, allow_nan=False)] * 2, *[st.floats(0.1, 1e5, allow_nan=False)] * 2),
    min_size=2,
    max_size=12,
)


@given(given_rows=rows)
def test_rate_and_mix_of_a_ratio_add_up_to_the_move_exactly(given_rows: list[tuple[float, ...]]) -> None:
    num0, num1, den0, den1 = (np.array(column) for column in zip(*given_rows, strict=True))
    move = num1.sum() / den1.sum() - num0.sum() / den0.sum()
    parts = of_ratio((num0, num1), (den0, den1), move or 1.0)
    assert parts.contribution.sum() == pytest.approx(
        move, abs=1e-9 * (1 + abs(num1 / den1).max() + abs(num0 / den0).max())
    )
    np.testing.assert_allclose(parts.rate + parts.mix, parts.contribution)


def test_a_member_that_was_not_there_moves_only_the_mix() -> None:
    parts = of_ratio(
        (np.array([20.0, 0.0]), np.array([20.0, 30.0])), (np.array([100.0, 0.0]), np.array([100.0, 50.0])), 0.3 - 0.2
    )
    assert parts.rate[1] == 0
    assert parts.mix[1] > 0


def test_a_small_slice_that_fell_to_nothing_stands_before_a_large_one_that_fell_a_little() -> None:
    parts = of_sum(np.array([1000.0, 60.0]), np.array([940.0, 0.0]), -120.0)
    assert parts.score[1] > parts.score[0]


def test_distinct_counts_do_not_add_up() -> None:
    assert adds_up(np.array([50.0, 50.5]), 100.0)
    assert not adds_up(np.array([60.0, 70.0]), 100.0)
