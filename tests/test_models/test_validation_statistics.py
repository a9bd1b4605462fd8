"""The statistics against the literature's and the libraries' own numbers."""

import math

import numpy as np
import pytest

from models.validation import overfitting, statistics, superior
from models.validation.statistics import Moments

PAPER = Moments(2.5 / math.sqrt(250), -3.0, 10.0, 1250)


def normal(sharpe, length):
    return Moments(sharpe, 0.0, 3.0, length)


@pytest.mark.parametrize(("found", "expected"), [
    (statistics.expected_maximum(100, 0.5 / 250), 0.113172),
    (statistics.dsr(PAPER, 100, 0.5 / 250), 0.9004),
    (statistics.dsr(PAPER, 46, 0.5 / 250), 0.9505),
    (statistics.dsr(normal(PAPER.sharpe, 1250), 88, 0.5 / 250), 0.9505),
    (statistics.psr(normal(0.458, 24)), 0.98167),
    (statistics.psr(normal(0.036 / 0.079, 24)), 0.98124),
    (statistics.psr(Moments(0.458, -2.448, 10.164, 24)), 0.91336),
    (statistics.psr(normal(1.14, 250), 1.0), 0.95727),
    (statistics.min_track_record(normal(1.14, 250), 1.0), 228.73498),
    (statistics.dsr(normal(1.14, 250), 3, np.var([3.5, 1.01, 1.02])), 0.95836),
    (statistics.dsr(normal(1.14, 250), 3, np.var([3.5, 1.01, 1.02], ddof=1)), 0.15238),
])
def test_published_values(found, expected):
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("periods", "years"), [(250, 2.731), (52, 2.829), (12, 3.240)])
def test_years_to_tell_a_sharpe_of_two_from_one(periods, years):
    record = normal(2 / math.sqrt(periods), 100)
    assert statistics.min_track_record(record, 1 / math.sqrt(periods)) / periods == pytest.approx(years, abs=1e-3)


def test_more_published_lengths():
    skewed = Moments(2 / math.sqrt(12), -0.72, 5.78, 100)
    assert statistics.min_track_record(skewed, 1 / math.sqrt(12)) / 12 == pytest.approx(4.991, abs=1e-3)
    assert statistics.min_backtest_years(45) == pytest.approx(4.998, abs=1e-3)
    assert statistics.min_backtest_years(100) == pytest.approx(6.40, abs=5e-3)


def test_kurtosis_is_raw_not_excess():
    """With excess kurtosis, as a known engine has it, this gives 0.257146."""
    from scipy import stats

    returns = np.array([-0.009025132, 0.003653969, 0.0, 0.0])
    record = Moments(statistics.moments(returns).sharpe, float(stats.skew(returns, bias=False)),
                     float(stats.kurtosis(returns, bias=False, fisher=False)), 4)
    assert statistics.psr(record, 1 / math.sqrt(252)) == pytest.approx(0.263967, abs=1e-6)


def test_moments_are_those_of_scipy():
    from scipy import stats

    returns = np.random.default_rng(5).standard_t(5, 800) * 0.01
    record = statistics.moments(returns)
    assert record.skew == pytest.approx(stats.skew(returns)) and record.length == 800
    assert record.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False))


def test_a_record_without_spread_has_no_answer():
    assert math.isnan(statistics.psr(statistics.moments(np.zeros(50))))
    assert math.isnan(statistics.dsr(statistics.moments(np.ones(2)), 10, 0.01))


@pytest.mark.parametrize(("years", "trials", "half", "most"), [
    (2, 30, 2.6, 3.5), (2, 360, 3.3, 4.2), (4, 30, 1.9, 2.5), (4, 360, 2.3, 2.9)])
def test_what_the_gate_can_see(years, trials, half, most):
    seen = [statistics.smallest_visible_sharpe(252 * years, trials, min_dsr=0.95, power=p) for p in (0.5, 0.9)]
    assert seen == pytest.approx([half, most], abs=0.07)


def test_cscv_of_noise_with_equal_means_is_always_overfit():
    noise = np.random.default_rng(765).normal(0.0, 0.01, (2400, 100))
    found = overfitting.cscv(noise - noise.mean(axis=0), 8)
    assert found.pbo == 1.0 and found.loss_probability == 1.0 and found.splits == 70


def test_cscv_of_noise_is_a_coin_toss_and_skill_is_seen():
    null = [overfitting.cscv(np.random.default_rng(seed).normal(0.0, 0.01, (1200, 50)), 8).pbo for seed in range(100)]
    assert np.mean(null) == pytest.approx(0.5, abs=0.06)
    for sharpe, expected in ((2.0, 0.017), (1.0, 0.51)):
        noise = np.random.default_rng(765).normal(0.0, 0.01, (2400, 100))
        noise[:, 0] += sharpe * 0.01 / math.sqrt(252)
        assert overfitting.cscv(noise, 16).pbo == pytest.approx(expected, abs=0.01)


def test_cscv_agrees_with_splitting_row_by_row():
    from itertools import combinations

    returns = np.random.default_rng(9).normal(0.0005, 0.01, (63, 7))
    blocks = np.split(returns[3:], 6)
    losses, below = [], []
    for members in combinations(range(6), 3):
        inside = np.vstack([blocks[i] for i in members])
        outside = np.vstack([blocks[i] for i in range(6) if i not in members])
        pick = np.argmax(inside.mean(0) / inside.std(0, ddof=1))
        sharpe = outside.mean(0) / outside.std(0, ddof=1)
        losses.append(sharpe[pick] <= 0)
        below.append((sharpe <= sharpe[pick]).sum() / 8 <= 0.5)
    found = overfitting.cscv(returns, 6)
    assert found.loss_probability == pytest.approx(np.mean(losses)) and found.pbo == pytest.approx(np.mean(below))


def test_spa_is_seeded_and_knows_skill_from_noise():
    rng = np.random.default_rng(4)
    noise, zero = rng.normal(0.0, 0.01, (504, 6)), np.zeros(504)
    first = superior.spa_p_value(noise, zero, seed=7)
    assert first == superior.spa_p_value(noise, zero, seed=7) > 0.05
    assert superior.spa_p_value(noise + 0.002, zero, seed=7) < 0.01
    assert superior.spa_p_value(np.zeros((504, 2)), zero, seed=7) == 1.0
