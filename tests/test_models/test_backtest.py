"""Judged returns against hand-made markets whose answer is known."""

import numpy as np
import pytest

from models.backtest import Prices, active_returns, buy_and_hold, judge
from models.market import costs as costs_module
from models.market.costs import CostModel

FREE = CostModel(1_000_000.0, 0.0, 252, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def market(open_raw, close_raw=None, split=None, total=None, tradable=None):
    open_raw = np.asarray(open_raw, float)
    close_raw = open_raw if close_raw is None else np.asarray(close_raw, float)
    ones = np.ones_like(open_raw)
    split = ones if split is None else np.asarray(split, float)
    total = split if total is None else np.asarray(total, float)
    count, names = open_raw.shape
    sessions = np.datetime64("2024-01-02") + np.arange(count)
    # reference: previous close in today's shares; the first row is its own
    reference = np.vstack([close_raw[:1], (close_raw * split)[:-1] / split[1:]])
    return Prices(sessions, tuple(f"n{i}" for i in range(names)), open_raw, close_raw, split, total, reference,
                  np.full_like(open_raw, 1e9), np.full_like(open_raw, 0.02),
                  np.ones_like(open_raw, bool) if tradable is None else tradable)


def test_a_long_position_earns_the_open_to_open_return():
    result = judge(market([[100.0], [110.0], [99.0]]), np.array([[1.0], [0.0]]), FREE)
    assert result.shares.tolist() == [[10_000.0], [0.0]]
    assert result.net == pytest.approx([0.10, 0.0])
    assert result.equity[-1] == pytest.approx(1.10)


def test_a_split_changes_shares_and_not_wealth():
    prices = market([[100.0], [50.0], [55.0]], split=[[1.0], [2.0], [2.0]])
    result = judge(prices, np.array([[1.0], [1.0]]), FREE)
    assert result.shares.tolist() == [[10_000.0], [20_000.0]]
    assert result.trades[1].tolist() == [0.0]
    assert result.net == pytest.approx([0.0, 0.10])


def test_a_dividend_is_earned_long_and_charged_short():
    prices = market([[100.0], [98.0]], total=[[1.0], [100.0 / 98.0]])
    assert judge(prices, np.array([[1.0]]), FREE).net == pytest.approx([0.0])
    assert judge(prices, np.array([[-1.0]]), FREE).net == pytest.approx([0.0])


def test_a_dead_name_ends_at_its_terminal_price():
    opens = [[10.0, 100.0], [10.0, 100.0], [np.nan, 100.0], [np.nan, 100.0]]
    closes = [[10.0, 100.0], [4.0, 100.0], [np.nan, 100.0], [np.nan, 100.0]]
    result = judge(market(opens, closes), np.array([[0.5, 0.0], [0.5, 0.0], [0.5, 0.0]]), FREE)
    assert result.net == pytest.approx([0.0, -0.30, 0.0])
    assert result.shares[2, 0] == 0.0


def test_a_missed_session_keeps_the_position_and_loses_no_return():
    opens = [[10.0], [np.nan], [12.0], [12.0]]
    closes = [[10.0], [np.nan], [12.0], [12.0]]
    prices = market(opens, closes)
    result = judge(prices, np.array([[0.1], [0.0], [0.0]]), FREE)
    assert result.shares[:, 0].tolist() == [10_000.0, 10_000.0, 0.0]
    assert result.net.sum() == pytest.approx(0.02)


def test_every_cost_is_charged_and_doubling_it_doubles_it():
    model = CostModel.default()
    prices = market(np.full((4, 2), 50.0))
    weights = np.array([[0.3, -0.3], [0.3, -0.3], [0.0, 0.0]])
    once, twice = judge(prices, weights, model), judge(prices, weights, model.stressed(2.0))
    expected = costs_module.trade_cost(model, 60_000, 50.0, 1e9, 0.02)
    borrow = 3_000_000 * 0.005 / 252
    assert once.cost[0] * model.capital_usd == pytest.approx(2 * expected + borrow)
    assert once.cost[1] * model.capital_usd == pytest.approx(borrow)
    assert twice.cost == pytest.approx(2 * once.cost)
    assert once.excess[1] == pytest.approx(-borrow / model.capital_usd)  # a neutral book earns the cash rate
    assert once.turnover.tolist() == pytest.approx([0.6, 0.0, 0.6])


def test_a_trade_is_cut_at_its_share_of_liquidity():
    model = CostModel.default()
    prices = market(np.full((3, 1), 50.0))
    prices.adv20_usd[:] = 10_000_000.0
    result = judge(prices, np.array([[0.1], [0.1]]), model)
    assert result.trades[:, 0].tolist() == [10_000.0, 10_000.0]  # 5 % of 10 M at 50


def test_buy_and_hold_drifts_and_admits_newcomers():
    tradable = np.array([[True, True, False], [True, True, True], [True, True, True]])
    prices = market([[10.0, 10.0, 10.0], [20.0, 10.0, 10.0], [20.0, 10.0, 20.0]], tradable=tradable)
    held = buy_and_hold(prices)
    assert held[0] == pytest.approx(0.5)
    assert held[1] == pytest.approx(1.5 / 4.5)  # stakes 2, 1 and their mean 1.5, which doubles


def test_beta_hides_nothing_and_looks_at_nothing_later():
    rng = np.random.default_rng(3)
    bench = rng.normal(0.001, 0.01, 600)
    own = 0.8 * bench
    exposure = np.full(600, 0.8)
    assert np.abs(active_returns(own, bench, exposure)).max() < 1e-12
    later = own.copy()
    later[400:] += 1.0
    cut = active_returns(later, bench, exposure)
    assert np.array_equal(cut[:400], active_returns(own, bench, exposure)[:400])
    assert cut[400] == pytest.approx(1.0)  # the shock itself is not yet in the beta that hedges it


def test_a_market_without_skill_pays_no_alpha_to_the_long():
    rng = np.random.default_rng(11)
    prices = market(100 * np.exp(np.cumsum(rng.normal(0.001, 0.01, (505, 10)), axis=0)))
    result = judge(prices, np.full((504, 10), 0.1), FREE)
    active = active_returns(result.excess, buy_and_hold(prices), result.net_exposure)
    assert abs(active.mean() / active.std(ddof=1) * np.sqrt(504)) < 2.0
