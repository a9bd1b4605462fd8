"""Portfolio constructions against arithmetic, optimality conditions, and another library's weights.

`recorded/portfolios.json` was written by skfolio 1.12.2 with Clarabel (gaps and feasibility 1e-14), in a virtual
environment of its own because it does not fit beside the night's plotly (`pip install skfolio==1.12.2 numpy==2.4.6`).
On the returns that `history` makes, fitted as they are: `MeanRisk` with MINIMIZE_RISK of VARIANCE (min_variance); with
MAXIMIZE_UTILITY, risk_aversion = ours / 2, max_weights 0.3 (capped); with MAXIMIZE_RATIO of STANDARD_DEVIATION, weights
within ±10 (tangency); `RiskBudgeting` of VARIANCE, equal and 1, 2, 3 …; `HierarchicalRiskParity`, Ward and single. Its
quadratic solver stops some 1e-6 away from the optimum, which is all that the two differ by.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from models.portfolio.covariance import checked, volatility
from models.portfolio.hrp import hierarchical_risk_parity
from models.portfolio.mean_variance import mean_variance, min_variance
from models.portfolio.risk_parity import risk_parity, risk_shares
from models.portfolio.tangency import kelly_allocation, volatility_targeted_tangency
from models.sizing import kelly_leverage

RECORDED = json.loads((Path(__file__).parent / "recorded" / "portfolios.json").read_text())["portfolios"]
AVERSION = (4.0, 20.0, 100.0, 8.0, 50.0)
APART = np.diag([0.01, 0.04])  # two assets of 10 % and 20 % with nothing in common


def history(seed):
    """(260 sessions, 4 to 16 assets) returns with three common factors."""
    rng = np.random.default_rng(seed)
    size = 4 + 3 * seed
    common = rng.random((260, 3)) - 0.5
    loaded = common @ rng.random((3, size))
    return 0.02 * (loaded + (rng.random((260, size)) - 0.5) * (0.5 + rng.random(size))) + 0.0006 * rng.random(size)


def estimates(seed):
    returns = history(seed)
    return returns.mean(axis=0), np.cov(returns.T)


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_those_of_skfolio(seed):
    mu, sigma = estimates(seed)
    tangency = volatility_targeted_tangency(mu, sigma, 0.01)
    ours = {
        "min_variance": min_variance(sigma), "capped": mean_variance(mu, sigma, AVERSION[seed], highest=0.3),
        "tangency": tangency / tangency.sum(), "risk_parity": risk_parity(sigma),
        "risk_budget": risk_parity(sigma, np.arange(1.0, len(mu) + 1.0)),
    }
    for name, weights in ours.items():
        assert weights == pytest.approx(RECORDED[seed][name], abs=3e-6), name
    for linkage in ("ward", "single"):  # no solver in between
        assert hierarchical_risk_parity(sigma, linkage) == pytest.approx(RECORDED[seed]["hrp_" + linkage], abs=1e-11)


def test_two_assets_by_hand():
    assert min_variance(APART) == pytest.approx([0.8, 0.2])
    assert risk_parity(APART) == pytest.approx([2 / 3, 1 / 3])
    assert hierarchical_risk_parity(APART) == pytest.approx([0.8, 0.2])
    mu = np.array([0.02, 0.04])
    free = mean_variance(mu, APART, 2.0, lowest=-9.0, highest=9.0)
    assert free == pytest.approx([0.6, 0.4])  # 0.02 - 2 * 0.01 * 0.6 = 0.04 - 2 * 0.04 * 0.4
    assert kelly_allocation(mu, APART, fraction=1.0) == pytest.approx([2.0, 1.0])
    assert volatility_targeted_tangency(mu, APART, 0.10) == pytest.approx(np.array([2.0, 1.0]) * 0.1 / np.sqrt(0.08))


@pytest.mark.parametrize("seed", range(60))
def test_no_small_change_within_the_bounds_does_better(seed):
    rng = np.random.default_rng(100 + seed)
    size = int(rng.integers(2, 25))
    factor = rng.normal(size=(size, size + 5))
    sigma, mu = factor @ factor.T / 1000.0, np.round(rng.normal(0.0, 0.02, size), 2)  # rounded: some are alike
    highest, lowest = float(rng.choice([1.0, 1.0 / size, 1.5 / size, 0.6])), float(rng.choice([0.0, -0.2]))
    aversion = float(10.0 ** rng.uniform(-3.0, 4.0))
    weights = mean_variance(mu, sigma, aversion, lowest=lowest, highest=highest)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert weights.min() >= lowest - 1e-12 and weights.max() <= highest + 1e-12
    slope = mu - aversion * sigma @ weights
    can_fall, can_rise = weights > lowest + 1e-9, weights < highest - 1e-9
    if can_fall.any() and can_rise.any():  # no pair to shift between
        assert slope[can_rise].max() <= slope[can_fall].min() + 1e-10 * np.abs(slope).max()


@pytest.mark.parametrize("seed", range(6))
def test_risk_comes_in_the_shares_that_were_granted(seed):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(20, 30)) * np.exp(rng.normal(0.0, 2.0, (20, 1)))  # volatilities orders apart
    budget = rng.random(20) + 0.01
    weights = risk_parity(factor @ factor.T, budget)
    assert weights.min() > 0.0 and weights.sum() == pytest.approx(1.0)
    assert risk_shares(weights, factor @ factor.T) == pytest.approx(budget / budget.sum(), abs=1e-10)


def test_bad_prospects_are_sold_and_not_bought():
    """Normalised by its sum first, as the formula is often written, this portfolio would be long what loses."""
    mu = np.array([-0.02, -0.04])
    weights = volatility_targeted_tangency(mu, APART, 0.10)
    assert (weights < 0.0).all() and volatility(weights, APART) == pytest.approx(0.10)
    assert not volatility_targeted_tangency(np.zeros(2), APART, 0.10).any()


def test_tangency_earns_most_for_its_volatility():
    mu, sigma = estimates(2)
    best = volatility_targeted_tangency(mu, sigma, 0.01)
    rng = np.random.default_rng(1)
    for _ in range(200):
        other = best + rng.normal(0.0, 0.1, len(mu))
        assert mu @ other / volatility(other, sigma) <= mu @ best / 0.01 + 1e-12
    held = volatility_targeted_tangency(mu, sigma, 0.01, max_gross=0.5)
    assert np.abs(held).sum() == pytest.approx(0.5) and held == pytest.approx(best * held[0] / best[0])


def test_kelly_of_one_is_the_sizers_and_the_fraction_and_limit_hold():
    assert kelly_allocation(np.array([0.06]), np.array([[0.04]]), 1.0)[0] == pytest.approx(kelly_leverage(0.06, 0.04))
    half = kelly_allocation(np.array([0.02, 0.04]), APART)
    assert half == pytest.approx([1.0, 0.5])
    assert kelly_allocation(np.array([0.02, 0.04]), APART, max_gross=0.6) == pytest.approx([0.4, 0.2])


def test_names_in_another_order_get_the_same_weights():
    _, sigma = estimates(3)
    turned = np.random.default_rng(0).permutation(len(sigma))
    for construct in (min_variance, risk_parity, hierarchical_risk_parity):
        assert construct(sigma[np.ix_(turned, turned)]) == pytest.approx(construct(sigma)[turned], abs=1e-9)


def test_only_the_tree_does_without_an_inverse():
    twins = np.array([[0.04, 0.04, 0.0], [0.04, 0.04, 0.0], [0.0, 0.0, 0.04]])
    assert hierarchical_risk_parity(twins).sum() == pytest.approx(1.0)
    for construct in (min_variance, risk_parity):
        with pytest.raises(ValueError, match="no inverse"):
            construct(twins)


@pytest.mark.parametrize(("sigma", "reason"), [
    (np.array([[1.0, 0.2], [0.3, 1.0]]), "symmetric"), (np.full((2, 2), np.nan), "finite"),
    (np.diag([1.0, 0.0]), "positive"), (np.ones((2, 3)), "square"), (np.array([[1.0, 2.0], [2.0, 1.0]]), "inverse")])
def test_what_is_no_covariance_is_refused(sigma, reason):
    with pytest.raises(ValueError, match=reason):
        checked(sigma)


def test_bounds_that_cannot_be_met_are_refused():
    with pytest.raises(ValueError, match="cannot sum to one"):
        mean_variance(np.zeros(2), APART, 1.0, highest=0.4)
    with pytest.raises(ValueError, match="share of the risk"):
        risk_parity(APART, np.array([1.0, 0.0]))
