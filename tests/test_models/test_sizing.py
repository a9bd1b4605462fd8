"""Sizes against arithmetic that a reader can do, and the portfolio's ceiling against its right covariance."""

import math

import numpy as np
import pytest

from models.sizing import Edge, KellyRule, Method, PositionSizer, kelly_bet, kelly_leverage
from models.voltarget import PositionSize, VolatilityTarget, cap_portfolio_vol, portfolio_vol

SIZER = PositionSizer(price=50.0, atr=2.5, annual_vol=0.30, edge=Edge(0.55, 1.5, sharpe=1.2))


@pytest.mark.parametrize(("method", "risk", "stop", "units"), [
    ("fixed_fractional", 0.01, 2.0, 500.0),  # 1,000 lost at 2 a unit
    ("fixed_fractional", 0.0, 2.0, 0.0),
    ("kelly", 0.20, 4.0, 3125.0),  # f* = (0.55 * 1.5 - 0.45) / 1.5 = 0.25, half of it 0.125: 12,500 at 4 a unit
    ("kelly", 0.02, 4.0, 500.0),  # the desk's 2 % binds
    ("atr", 0.01, 0.0, 400.0),  # 1,000 / 2.5
    ("atr", 0.01, 5.0, 200.0),  # the stop is further than an ATR
    ("volatility", 1.0, 0.0, 1000.0),  # 0.15 / 0.30 of 100,000 is 50,000
    ("volatility", 0.5, 0.0, 500.0),
    ("fixed_fractional", 0.05, 0.01, 4000.0),  # 500,000 units asked: leverage 2 binds
])
def test_sizes_of_a_hundred_thousand(method, risk, stop, units):
    assert SIZER.calculate_size(100_000.0, risk, stop, method) == pytest.approx(units)


def test_twice_the_volatility_is_half_the_size():
    for wilder in (PositionSizer(50.0, atr=5.0, annual_vol=0.60),):
        for method in (Method.ATR, Method.VOLATILITY):
            assert wilder.calculate_size(1e5, 0.5, 0.0, method) == pytest.approx(
                PositionSizer(50.0, atr=2.5, annual_vol=0.30).calculate_size(1e5, 0.25, 0.0, method))


@pytest.mark.parametrize(("sizer", "capital", "risk", "stop", "method"), [
    (SIZER, 1e5, 0.01, 0.0, "fixed_fractional"), (SIZER, 1e5, 0.01, math.nan, "fixed_fractional"),
    (SIZER, -1.0, 0.01, 1.0, "fixed_fractional"), (SIZER, 1e5, 1.5, 1.0, "fixed_fractional"),
    (SIZER, 1e5, 0.01, 1.0, "martingale"), (PositionSizer(50.0), 1e5, 0.01, 1.0, "atr"),
    (PositionSizer(50.0), 1e5, 0.01, 1.0, "kelly"), (PositionSizer(50.0), 1e5, 0.01, 1.0, "volatility"),
    (PositionSizer(math.nan), 1e5, 0.01, 1.0, "fixed_fractional"),
    (PositionSizer(50.0, atr=1.0), 1e5, 0.01, math.nan, "atr"), (SIZER, math.inf, 0.01, 1.0, "atr"),
])
def test_what_has_no_size_is_refused(sizer, capital, risk, stop, method):
    with pytest.raises(ValueError):
        sizer.calculate_size(capital, risk, stop, method)


def test_kelly_by_hand_its_cap_and_its_condition():
    assert kelly_bet(0.6, 1.0) == pytest.approx(0.2)
    assert kelly_leverage(0.06, 0.04) == pytest.approx(1.5)
    rule = KellyRule(fraction=0.5, cap=0.25, sharpe_threshold=0.5)
    assert [rule.practical(*bet) for bet in ((0.2, 1.0), (1.5, 1.0), (-0.2, 1.0), (1.5, 0.5))] == [0.1, 0.25, 0.0, 0.0]


def test_kelly_is_where_the_logarithm_grows_fastest():
    stakes = np.linspace(0.0, 0.9, 9001)
    growth = 0.55 * np.log1p(1.5 * stakes) + 0.45 * np.log1p(-stakes)
    assert stakes[growth.argmax()] == pytest.approx(kelly_bet(0.55, 1.5), abs=1e-4)


def test_the_volatility_target_of_the_example():
    found = VolatilityTarget().size(1.0, 0.30, 100_000.0)
    assert found == PositionSize(0.5, 50_000.0, 0.5, 1.0, False)


@pytest.mark.parametrize(("signal", "vol", "share", "capped"), [
    (1.0, 0.01, 2.0, True),  # believed to be 5 %, so 3, held to 2
    (-1.0, 0.06, -2.0, True), (0.5, 0.01, 1.5, False),
    (1.0, 3.0, 0.15, False),  # believed to be 100 %
    (0.01, 0.30, 0.0, False),  # half a percent is not worth having
])
def test_bounds_of_the_volatility_target(signal, vol, share, capped):
    found = VolatilityTarget().size(signal, vol, 100.0)
    assert (found.percent_of_nav, found.capped) == (pytest.approx(share), capped)


def test_realized_volatility_weighs_the_newest_most_and_forgets_after_twenty_days():
    two = np.array([0.0, 0.01])
    assert VolatilityTarget().realized_vol(two) == pytest.approx(math.sqrt(1e-4 / 1.94 * 252))
    long = np.concatenate([np.full(50, 0.5), np.full(20, 0.01)])
    assert VolatilityTarget().realized_vol(long) == pytest.approx(0.01 * math.sqrt(252))
    assert VolatilityTarget().realized_vol(np.zeros(30)) == 0.05
    for nothing in (np.zeros(0), np.array([0.01, math.nan])):
        with pytest.raises(ValueError):
            VolatilityTarget().realized_vol(nothing)


@pytest.mark.parametrize(("vol", "together", "scale"), [(0.30, 0.30, 2 / 3), (0.05, 0.05, 1.0)])
def test_two_halves_of_one_thing_are_as_wild_as_the_thing(vol, together, scale):
    """A listing that takes target / volatility times the target for a volatility says 7.5 % and 45 % here."""
    ones = np.ones((2, 2))
    assert portfolio_vol(np.array([0.5, 0.5]), np.array([vol, vol]), ones) == pytest.approx(together)
    halves = {name: PositionSize(0.5, 50.0, 0.15 / vol, 1.0, False) for name in "ab"}
    capped = cap_portfolio_vol(halves, [vol, vol], ones)
    for one in capped.values():
        assert (one.percent_of_nav, one.dollar_amount) == pytest.approx((0.5 * scale, 50.0 * scale))


def test_a_hedge_counts_and_impossible_correlations_are_refused():
    weights, vols = np.array([1.0, -1.0]), np.array([0.3, 0.3])
    assert portfolio_vol(weights, vols, np.ones((2, 2))) == pytest.approx(0.0, abs=1e-9)
    for correlation in (np.array([[1.0, 2.0], [2.0, 1.0]]), np.full((2, 2), math.nan)):
        with pytest.raises(ValueError):
            portfolio_vol(weights, vols, correlation)
