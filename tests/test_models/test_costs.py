"""One cost function for judge and live: its parts by hand, and the same bits for one trade and for many."""

from dataclasses import replace

import numpy as np
import pytest

from models.market import costs, liquidity
from models.market.costs import CostModel

MODEL = CostModel.default()


def test_parts_by_hand():
    # 1,000 shares at 100: half-spread 3 bp = 0.03; fee 0.0035; impact 0.5 * 2 % * sqrt(1e5 / 1e7)
    expected = 1000 * 0.03 + 1e5 * 0.5 * 0.02 * np.sqrt(0.01) + 1000 * 0.0035
    assert costs.trade_cost(MODEL, 1000, 100.0, 1e7, 0.02) == pytest.approx(expected)
    assert costs.trade_cost(MODEL, -1000, 100.0, 1e7, 0.02) == pytest.approx(expected)
    assert costs.half_spread_usd(MODEL, 5.0) == 0.005  # half a tick is the floor


@pytest.mark.parametrize(("name", "value"), [
    ("capital_usd", 0.0), ("capital_usd", np.nan), ("sessions_a_year", 0), ("half_spread_bp", -1.0),
    ("borrow_rate_annual", np.inf)])
def test_a_model_without_returns_is_refused_where_it_is_written(name, value):
    with pytest.raises(ValueError, match=f"{name} of a cost model is"):
        replace(MODEL, **{name: value})
    assert replace(MODEL, cash_rate_annual=-0.005).cash_rate_session < 0.0  # that has happened


def test_scalar_and_array_agree_in_bits():
    rng = np.random.default_rng(1)
    shares = rng.integers(-20_000, 20_000, 500).astype(float)
    price, adv, vol = rng.uniform(5, 900, 500), rng.uniform(1e7, 1e9, 500), rng.uniform(0.005, 0.06, 500)
    many = costs.trade_cost(MODEL, shares, price, adv, vol)
    one = [float(costs.trade_cost(MODEL, *row)) for row in zip(shares, price, adv, vol, strict=True)]
    assert many.tolist() == one
    square = costs.trade_cost(MODEL, *(x.reshape(20, 25).T for x in (shares, price, adv, vol)))
    assert np.array_equal(square, many.reshape(20, 25).T)


def test_nothing_traded_costs_nothing_even_where_nothing_is_known():
    assert costs.trade_cost(MODEL, 0.0, 10.0, np.nan, np.nan) == 0.0
    assert costs.capped_shares(MODEL, 500.0, 10.0, np.nan) == 0.0


def test_weights_become_whole_shares_towards_zero():
    shares = costs.target_shares([0.1, -0.1, np.nan, 0.1], 1_000_000.0, [333.0, 333.0, 10.0, np.nan])
    assert shares.tolist() == [300.0, -300.0, 0.0, 0.0]


def test_liquidity_is_known_before_the_session_and_the_tail_has_the_same_bits():
    rng = np.random.default_rng(2)
    close, volume = rng.uniform(10, 20, (60, 7)), rng.integers(1e5, 1e6, (60, 7)).astype(float)
    close[30, 3] = np.nan
    factor = np.ones_like(close)
    adv, vol = liquidity.known_before(close, volume, factor)
    tail_adv = liquidity.adv20_usd(np.ascontiguousarray((close * volume)[39:59].T))
    tail_vol = liquidity.vol20_daily(np.ascontiguousarray(close[38:59].T))
    assert np.array_equal(adv[59], tail_adv) and np.array_equal(vol[59], tail_vol)
    changed = close.copy()
    changed[40] = 99.0
    again, _ = liquidity.known_before(changed, volume, factor)
    assert np.array_equal(adv[:41], again[:41], equal_nan=True) and not np.array_equal(adv[41], again[41])


def test_one_bill_is_the_array_s_cost_to_the_bit() -> None:
    rng = np.random.default_rng(3)
    model = CostModel.default().stressed(1.7)
    for shares, price, adv, vol in zip(rng.integers(-90_000, 90_000, 500).tolist(), rng.uniform(0.5, 900, 500).tolist(),
                                       rng.uniform(1e5, 1e9, 500).tolist(), rng.uniform(0, 0.2, 500).tolist(),
                                       strict=True):
        told = costs.bill(model, shares, price, adv, vol)
        assert told.cost == float(costs.trade_cost(model, shares, price, adv, vol))
        assert told.spread == abs(shares) * float(costs.half_spread_usd(model, price)) * model.stress
        assert told.spread + told.fee + told.impact == pytest.approx(told.cost)
