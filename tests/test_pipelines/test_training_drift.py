"""Drift: known values of the index, silence where nothing moved, an alarm where something did."""

from dataclasses import replace

import numpy as np
import pytest

from models.validation.drift import out_of_range, population_stability, shares, stability_index, unusual_level
from pipelines.training.drift import measure
from tests.test_pipelines.training_home import STRATEGY, small_inputs


def test_the_index_of_two_coins():
    assert stability_index(np.array([0.5, 0.5]), np.array([0.25, 0.75])) == pytest.approx(0.2746531, abs=1e-6)


def test_equal_samples_have_no_drift_and_a_shift_has():
    values = np.random.default_rng(0).standard_normal(4000)
    assert population_stability(values[:2000], values[2000:]) < 0.02
    assert population_stability(values[:2000], values[2000:] + 1.0) > 0.5
    assert np.isnan(population_stability(values, np.full(5, np.nan)))


def test_values_that_repeat_make_fewer_bins():
    assert shares(np.zeros(10), np.array([0.0])).sum() == pytest.approx(1.0)
    assert population_stability(np.zeros(100), np.zeros(50)) == pytest.approx(0.0, abs=0.05)


def test_calm_correlated_rows_stay_below_what_calm_reaches():
    rng = np.random.default_rng(1)
    shared = np.zeros((700, 1))
    for row in range(1, 700):
        shared[row] = 0.9 * shared[row - 1] + 0.4 * rng.standard_normal()
    values = shared + rng.standard_normal((700, 20))
    level = unusual_level(values[:637], 63)
    psi = population_stability(values[:637].ravel(), values[637:].ravel())
    assert 0.02 < psi < level  # twenty names that move together: the chi-square law would call this drift
    assert population_stability(values[:637].ravel(), (values[637:] + 3.0).ravel()) > level


def test_too_short_a_past_knows_no_level():
    assert np.isnan(unusual_level(np.zeros((100, 2)), 63))


def test_range_is_that_of_the_reference():
    assert out_of_range(np.array([0.0, 1.0]), np.array([-1.0, 0.5, np.nan, 2.0])) == pytest.approx(2 / 3)


def test_a_feature_that_moved_is_named():
    inputs = small_inputs()
    calm = measure(inputs, STRATEGY, window=30)
    assert set(calm["features"]) == set(STRATEGY.features) and "noise_a" not in calm["alarms"]
    values = inputs.panel.values.copy()
    values[-30:, :, inputs.panel.features.index("noise_a")] += 2.0
    values[-30:, :, inputs.panel.features.index("noise_b")] = np.nan
    moved = measure(replace(inputs, panel=replace(inputs.panel, values=values)), STRATEGY, window=30)
    assert "noise_a" in moved["alarms"]
    assert moved["features"]["noise_b"]["missing_share"] == 1.0 and moved["features"]["noise_b"]["psi"] is None
