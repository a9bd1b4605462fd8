"""Divergence, fractional differences, many tests at once, and the order of trades."""

import math
from itertools import permutations

import numpy as np
import pytest

from models.fractional import difference_weights, differenced
from models.validation.divergence import kullback_leibler, kullback_leibler_normal
from models.validation.montecarlo import monte_carlo
from models.validation.multiple import benjamini_yekutieli, holm, second_opinion
from models.validation.statistics import Moments, moments, standard_error


def test_published_divergences():
    even, tilted = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    assert kullback_leibler(tilted, even) == pytest.approx(0.1308120, abs=1e-7)
    assert kullback_leibler(even, tilted) == pytest.approx(0.1438410, abs=1e-7)
    assert kullback_leibler_normal(0.0, 1.0, 1.0, 4.0) == pytest.approx(0.4431472, abs=1e-7)


def test_divergence_at_the_edges():
    assert kullback_leibler(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(math.log(2.0))
    assert kullback_leibler(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == math.inf
    with pytest.raises(ValueError, match="sum to one"):
        kullback_leibler(np.array([3.0, 4.0]), np.array([0.5, 0.5]))


@pytest.mark.parametrize(("order", "expected"), [
    (0.4, [1, -0.4, -0.12, -0.064, -0.0416, -0.029952]), (0.5, [1, -0.5, -0.125, -0.0625, -0.0390625])])
def test_published_difference_weights(order, expected):
    assert difference_weights(order)[: len(expected)] == pytest.approx(expected, abs=1e-12)


def test_the_width_of_a_fractional_difference():
    assert len(difference_weights(0.4, 1e-5)) == 1458
    assert difference_weights(1.0).tolist() == [1.0, -1.0]
    with pytest.raises(ValueError, match="above zero"):
        difference_weights(0.4, 0.0)


def test_differences_of_whole_order_are_plain_ones_and_nothing_looks_ahead():
    values = np.cumsum(np.random.default_rng(2).normal(size=300))
    assert differenced(values, 1.0)[1:] == pytest.approx(np.diff(values))
    half = differenced(values, 0.5, 1e-3)
    width = len(difference_weights(0.5, 1e-3))
    assert np.isnan(half[: width - 1]).all() and np.isfinite(half[width - 1 :]).all()
    assert half[200] == pytest.approx(sum(w * values[200 - lag] for lag, w in enumerate(difference_weights(0.5, 1e-3))))


def test_t_beside_the_deflated_sharpe():
    assert second_opinion(Moments(0.1, 0.0, 3.0, 900)).t == pytest.approx(3.0)
    assert not second_opinion(Moments(0.1, 0.0, 3.0, 900)).passed  # strictly above
    assert second_opinion(Moments(-0.1, 0.0, 3.0, 961)).passed
    assert not second_opinion(moments(np.zeros(50))).passed


def test_adjusted_p_values():
    """Holm by hand; both also as statsmodels 0.15.0 has them (`multipletests`, methods holm and fdr_by)."""
    raw = np.array([0.01, 0.04, 0.03, 0.005, 0.5, 0.2])
    assert holm(raw) == pytest.approx([0.05, 0.12, 0.12, 0.03, 0.5, 0.4])
    assert benjamini_yekutieli(raw) == pytest.approx([0.0735, 0.147, 0.147, 0.0735, 1.0, 0.588])


def drawdown(trades):
    account = np.cumprod(np.concatenate([[1.0], 1.0 + np.array(trades)]))
    return (1.0 - account / np.maximum.accumulate(account)).max()


def test_shuffled_orders_are_all_orders_alike():
    trades = np.array([0.10, -0.10, -0.20, 0.05])
    found = monte_carlo(trades, 20_000, seed=1)
    every = [drawdown(order) for order in permutations(trades)]
    assert found.max_drawdown.observed == pytest.approx(1.0 - 0.9 * 0.8)
    assert found.unluckier == 0.0  # the two losses stood together already
    assert (found.max_drawdown.low, found.max_drawdown.high) == pytest.approx((min(every), max(every)))
    better = monte_carlo(np.array([-0.10, 0.10, 0.05, -0.20]), 20_000, seed=1)
    assert better.max_drawdown.observed == pytest.approx(0.2)
    assert better.unluckier == pytest.approx(np.mean([one > 0.2 + 1e-12 for one in every]), abs=0.015)


def test_a_shuffle_moves_only_what_depends_on_order():
    trades = np.random.default_rng(6).normal(0.001, 0.02, 300)
    found = monte_carlo(trades, 500, seed=3)
    total = float(np.prod(1.0 + trades) - 1.0)
    for interval, expected in ((found.total_return, total), (found.sharpe, trades.mean() / trades.std(ddof=1))):
        assert (interval.observed, interval.low, interval.high) == pytest.approx((expected,) * 3)
    assert found.max_drawdown.low < found.max_drawdown.median < found.max_drawdown.high
    assert found.losing_run.low < found.losing_run.high
    assert found == monte_carlo(trades, 500, seed=3) != monte_carlo(trades, 500, seed=4)


def test_losing_runs_are_counted():
    trades = np.array([-0.01, -0.01, 0.02, -0.01, -0.01, -0.01, 0.0])
    assert monte_carlo(trades, 10, seed=0).losing_run.observed == 3.0


def test_blocks_give_the_sharpe_its_textbook_error():
    trades = np.random.default_rng(8).normal(0.002, 0.02, 400)
    found = monte_carlo(trades, 4000, seed=2, order="block", block=1)
    width = 2 * 1.959964 * standard_error(moments(trades))
    assert found.sharpe.high - found.sharpe.low == pytest.approx(width, rel=0.06)
    assert 0.0 < found.loss_probability < 0.5


def test_blocks_keep_clusters_that_single_draws_would_break():
    streaks = np.repeat(np.random.default_rng(4).choice([-0.01, 0.012], 60), 10)
    runs = monte_carlo(streaks, 300, seed=1, order="block", block=40).losing_run.median
    assert runs > 2 * monte_carlo(streaks, 300, seed=1, order="block", block=1).losing_run.median


@pytest.mark.parametrize(("trades", "more", "reason"), [
    ([0.1], {}, "two trades"), ([0.1, math.nan], {}, "finite"), ([0.1, -1.0], {}, "above -1"),
    ([0.1, 0.1], {"order": "block", "block": 3}, "blocks of 3")])
def test_trades_that_tell_nothing_are_refused(trades, more, reason):
    with pytest.raises(ValueError, match=reason):
        monte_carlo(np.array(trades), 10, seed=0, **more)
