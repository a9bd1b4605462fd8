"""The statistics against the literature's and the libraries' own numbers."""

import math

import numpy as np
import pytest

from models.backtest import figures
from models.validation import beside, overfitting, statistics, superior
from models.validation.gate import best
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


@pytest.mark.parametrize("every", [0.001, 0.1, 3.3e-5, -0.02, 1e-20])
def test_a_record_that_rounding_alone_moves_has_no_sharpe(every):
    """A mean of equal numbers is seldom that number: what is left of each is no spread."""
    same = np.full(300, every)
    assert math.isnan(statistics.dsr(statistics.moments(same), 10)) and math.isnan(statistics.annual_sharpe(same))
    assert figures.sharpe_annual(same) == 0.0
    calm = np.random.default_rng(3).normal(0.001, 0.01, 300)
    assert best(np.column_stack([calm, same])) == 0
    assert math.isfinite(statistics.moments(same + 1e-6 * calm).sharpe)


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


@pytest.mark.slow
def test_the_spread_of_pbo_on_noise():
    """Trust's figures for noise of 1,200 rows and 50 trials: mean 0.499, deviation 0.19, below 0.2 in 4.3 %."""
    found = [overfitting.cscv(np.random.default_rng(seed).normal(0.0, 0.01, (1200, 50)), 8).pbo for seed in range(300)]
    assert np.mean(found) == pytest.approx(0.499, abs=0.03) and np.std(found) == pytest.approx(0.19, abs=0.03)
    assert np.mean(np.array(found) < 0.2) == pytest.approx(0.043, abs=0.025)


def test_what_needs_no_deflating_and_how_long_a_sharpe_of_one_must_be_seen():
    assert statistics.expected_maximum(1, 0.002) == statistics.expected_maximum(50, 0.0) == 0.0
    assert statistics.min_track_record(normal(1 / math.sqrt(252), 100)) == pytest.approx(684, abs=1)


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_spa_and_the_reality_check_keep_their_size(correlation):
    """400 searches of 20 without skill, 504 sessions as the gate judges: one in twenty, and no more than luck above."""
    rejected = np.zeros(2)
    for seed in range(400):
        rng = np.random.default_rng([seed, 9])
        noise = 0.01 * (math.sqrt(1 - correlation) * rng.standard_normal((504, 20))
                        + math.sqrt(correlation) * rng.standard_normal((504, 1)))
        rejected += [ask(noise, np.zeros(504), seed=seed, resamples=400) < 0.05
                     for ask in (superior.spa_p_value, superior.reality_check_p_value)]
    assert (rejected / 400 < 0.085).all() and (rejected / 400 > 0.02).all()  # three standard errors about 5 %


@pytest.mark.slow
def test_the_bootstrap_interval_covers_the_mean_of_returns_that_cling_together():
    covered = np.zeros(2)
    for seed in range(300):
        shocks = np.random.default_rng([seed, 5]).normal(0.0, 0.01, 504)
        for row in range(1, 504):
            shocks[row] += 0.3 * shocks[row - 1]
        for at, block in enumerate((1, 10)):
            low, high = superior.mean_interval(shocks, seed=seed, block=block, resamples=400)
            covered[at] += low <= 0.0 <= high
    assert covered[0] / 300 < 0.88 < 0.9 < covered[1] / 300 < 0.98  # single draws forget what neighbours share


def test_the_bootstrap_interval_is_seeded_and_about_the_mean():
    returns = np.random.default_rng(3).normal(0.001, 0.01, 504)
    low, high = superior.mean_interval(returns, seed=1, resamples=200)
    assert (low, high) == superior.mean_interval(returns, seed=1, resamples=200) and low < returns.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * returns.std() / math.sqrt(504), rel=0.25)
    assert math.isnan(superior.mean_interval(np.zeros(9), seed=1)[0])


@pytest.mark.parametrize("every", [0.0, 1e-5, 3.3e-4, -1e-4])
def test_a_candidate_that_never_moves_is_neither_the_best_nor_the_worst_of_a_search(every):
    noise = np.random.default_rng(0).normal(0.0002, 0.01, (504, 6))
    alone, beside_it = overfitting.cscv(noise), overfitting.cscv(np.column_stack([noise, np.full(504, every)]))
    assert beside_it.loss_probability == pytest.approx(alone.loss_probability, abs=0.01) and alone.pbo > 0.1
    assert beside_it.pbo > 0.1 and abs(beside_it.slope - alone.slope) < 0.05
    assert beside.effective_candidates(np.column_stack([noise, np.full(504, every)])) == pytest.approx(
        beside.effective_candidates(noise))


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
