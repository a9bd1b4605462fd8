"""Drift: known values of the index, silence where nothing moved, an alarm where something did."""

from dataclasses import replace

import numpy as np
import pytest

from models.validation.drift import out_of_range, population_stability, shares, stability_index
from pipelines.training.decided import Decided
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


def _decided(inputs, scores) -> Decided:
    count, names = scores.shape
    return Decided(inputs.panel.sessions[-count:], inputs.panel.names, ("k",), np.zeros((1, count, names)),
                   {"gbm": scores}, np.full((count, 2), 0.5), ("Bull", "Bear"))


def test_what_was_said_and_what_came_of_it_are_watched_too():
    inputs = small_inputs()
    rng = np.random.default_rng(4)
    scores = rng.standard_normal((200, len(inputs.panel.names)))
    returns = inputs.returns.copy()
    returns[-200:-2] = 0.01 * rng.standard_normal((198, len(inputs.panel.names))) + 0.004 * scores[:-2]
    calm = measure(replace(inputs, returns=returns), STRATEGY, window=20, decided=_decided(inputs, scores))
    assert not [name for name in calm["alarms"] if "gbm" in name]
    broken = returns.copy()
    broken[-22:-2] -= 0.012 * scores[-22:-2]  # the relation turns round
    told = measure(replace(inputs, returns=broken), STRATEGY, window=20, decided=_decided(inputs, scores))
    assert "gbm residuals, along the score" in told["alarms"] and "gbm scores" not in told["alarms"]
    loud = scores.copy()
    loud[-20:] = 3.0 + 2.0 * loud[-20:]
    told = measure(replace(inputs, returns=returns), STRATEGY, window=20, decided=_decided(inputs, loud))
    assert "gbm scores" in told["alarms"]


def test_too_short_a_past_raises_no_alarm():
    inputs = small_inputs(sessions=120)
    told = measure(inputs, STRATEGY, window=30)
    assert told["alarms"] == [] and all(one["p_value"] is None for one in told["features"].values())
