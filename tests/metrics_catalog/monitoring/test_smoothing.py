from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics_catalog.monitoring import smoothing
from metrics_catalog.monitoring.smoothing import SHAPES, Smoothing, run

DAY = SHAPES["day"]


def series(seed: int, count: int, length: int, missing: float = 0.1) -> np.ndarray:
    random = np.random.default_rng(seed)
    values = random.lognormal(5, 0.3, (count, length)) * (1 + 0.3 * np.sin(np.arange(length) * 2 * np.pi / 7))
    return np.where(random.uniform(size=values.shape) < missing, np.nan, values)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), cut=st.integers(1, 79))
def test_a_day_later_it_knows_the_same_as_if_it_had_seen_all_at_once(seed: int, cut: int) -> None:
    values, periods, weights = series(seed, 5, 80), np.arange(80) + 17, np.ones(80)
    whole, parts = Smoothing(5, DAY), Smoothing(5, DAY)
    expected, scale, number = run(whole, values, periods, weights)
    run(parts, values[:, :cut], periods[:cut], weights[:cut])
    later = run(parts, values[:, cut:], periods[cut:], weights[cut:])
    np.testing.assert_allclose(later[0], expected[:, cut:])
    np.testing.assert_allclose(later[1], scale[:, cut:])
    np.testing.assert_array_equal(later[2], number[:, cut:])


def test_in_pieces_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    values, periods = series(1, 23, 60), np.arange(60)
    whole = run(Smoothing(23, DAY), values, periods, np.ones(60))
    monkeypatch.setattr(smoothing, "AT_ONCE", 4)
    pieces = run(Smoothing(23, DAY), values, periods, np.ones(60))
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999))
def test_the_scale_is_the_rms_of_the_residuals_it_kept(seed: int) -> None:
    state = Smoothing(3, DAY)
    run(state, series(seed, 3, 150), np.arange(150), np.ones(150))
    kept = state.residuals.astype(np.float64)
    np.testing.assert_allclose(state.scale, np.sqrt(np.nanmean(kept**2, axis=0)), rtol=1e-6)
    np.testing.assert_array_equal(state.number, (~np.isnan(kept)).sum(axis=0))


def test_weekdays_are_learnt() -> None:
    week = np.array([100.0, 110, 90, 100, 150, 300, 20])
    expected, scale, _ = run(Smoothing(1, DAY), np.tile(week, 12)[None, :], np.arange(84), np.ones(84))
    np.testing.assert_allclose(expected[0, -7:], week, rtol=0.05, atol=2)
    assert scale[0, -1] < 20


def test_one_spike_does_not_become_the_expectation() -> None:
    random = np.random.default_rng(2)
    calm = 100 + random.normal(0, 3, (1, 100))
    spiked = calm.copy()
    spiked[0, 80] = 5000
    periods = np.arange(100)
    plain, _, _ = run(Smoothing(1, DAY), calm, periods, np.ones(100))
    after, _, _ = run(Smoothing(1, DAY), spiked, periods, np.ones(100))
    assert abs(after[0, 81] - plain[0, 81]) < 5


def test_days_without_data_and_holidays_say_nothing_of_the_scale() -> None:
    values = series(3, 1, 60, missing=0)
    values[0, 30] = np.nan
    weights = np.ones(60)
    weights[40] = 0.3
    _, _, number = run(Smoothing(1, DAY), values, np.arange(60), weights)
    assert number[0, 31] == number[0, 30] == 16  # two weeks pass before residuals mean anything
    assert number[0, 40] == 25
    assert number[0, 41] == 25
