"""The portfolio backtester: time order, rebalances, netting, limits, capital by record, and what it reads of risk."""

import numpy as np
import pandas as pd
import pytest

from models.backtest.market import Market
from models.backtest.vector import backtest
from models.market.costs import CostModel
from models.portfolio import Allocation, CrossAsset, Known, PortfolioBacktester, PortfolioResult, Precomputed
from models.portfolio.allocation import METHODS
from models.portfolio.backtester import rebalances
from models.portfolio.hrp import hierarchical_risk_parity
from models.portfolio.monitor import correlations, reading
from tests.test_models.test_backtest_vector import a_market

FREE = CostModel(10_000_000.0, 0.0, 252, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class Hold:
    """The same weights of every name, for ever."""

    def __init__(self, *weights: float) -> None:
        self.told = np.array(weights)

    def weights(self, known: Known) -> np.ndarray:
        return self.told


class Watch:
    """Holds nothing, and keeps what it was shown."""

    def __init__(self) -> None:
        self.seen: list[Known] = []

    def weights(self, known: Known) -> np.ndarray:
        self.seen.append(known)
        return np.zeros(len(known.names))


class Trend:
    def weights(self, known: Known) -> np.ndarray:
        moves = known.returns(10)
        side = np.sign(np.nan_to_num(moves).sum(axis=0))
        return side / max(1.0, np.abs(side).sum())


def drift(seed: int, sessions: int = 260, means: tuple[float, ...] = (0.002, 0.0, -0.001), vol: float = 0.01) -> Market:
    chance = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(chance.normal(means, vol, (sessions, len(means))), axis=0))
    opened = np.vstack([close[:1], close[:-1]])
    bars = {"open": opened, "close": close, "high": np.maximum(opened, close), "low": np.minimum(opened, close),
            "volume": np.full(close.shape, 5e6), "split_factor": np.ones(close.shape),
            "total_return_factor": np.ones(close.shape)}
    return Market.from_bars(np.datetime64("2023-01-02") + np.arange(sessions), ("A", "B", "C")[: len(means)], bars)


def test_a_strategy_is_shown_the_past_and_nothing_else() -> None:
    market, watch = a_market(0), Watch()
    PortfolioBacktester().run({"watch": watch}, market, "daily")
    assert len(watch.seen) == len(market.prices.sessions) - 1 - 21
    adjusted = market.prices.close_raw * market.prices.total_return_factor
    for known in watch.seen:
        s = int(np.searchsorted(market.prices.sessions, known.session))
        assert (known.sessions < known.session).all() and len(known.close) == s
        assert np.array_equal(known.close, adjusted[:s], equal_nan=True)
        with pytest.raises(ValueError, match="read-only"):
            known.close[0, 0] = 1.0


def test_what_comes_later_changes_no_decision_and_no_return_before_it() -> None:
    """Everything after a session is replaced; up to it capital, shares and returns keep their bits."""
    cut, one = 160, drift(1)
    other = drift(2)
    bars = {name: np.vstack([getattr(one.prices, f"{name}_raw")[:cut], getattr(other.prices, f"{name}_raw")[cut:]])
            for name in ("open", "close")}
    bars |= {"high": np.vstack([one.high_raw[:cut], other.high_raw[cut:]]),
             "low": np.vstack([one.low_raw[:cut], other.low_raw[cut:]]), "volume": one.volume,
             "split_factor": np.ones(one.volume.shape), "total_return_factor": np.ones(one.volume.shape)}
    changed = Market.from_bars(one.prices.sessions, one.prices.names, bars)
    strategies = {"trend": Trend(), "lead": CrossAsset("A", "B"), "hold": Hold(0.3, 0.3, 0.3)}
    told = [PortfolioBacktester(allocation="risk_parity", turnover_limit=0.5).run(strategies, market, "weekly")
            for market in (one, changed)]
    assert told[0].shares[:cut].tobytes() == told[1].shares[:cut].tobytes()
    assert told[0].book.book.shares[:cut].tobytes() == told[1].book.book.shares[:cut].tobytes()
    assert told[0].book.net[: cut - 1].tobytes() == told[1].book.net[: cut - 1].tobytes()
    assert told[0].book.net[cut:].tobytes() != told[1].book.net[cut:].tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_a_strategy_that_earns_the_same_every_session_waits_as_one_without_risk(method) -> None:
    """What rounding leaves of a constant is no risk: a covariance of it has no inverse."""
    chance = np.random.default_rng(4).normal(0.0005, 0.01, 126)
    shares = Allocation(method).shares(np.column_stack([chance, np.full(126, -1e-4)]))
    assert shares[1] == (0.5 if method == "equal" else 0.0) and np.isfinite(shares).all()


def test_capital_is_what_the_record_known_by_then_asks_for() -> None:
    market = drift(3)
    allocation = Allocation("hrp", look_back=60, least=30)
    told = PortfolioBacktester(allocation=allocation).run({"a": Hold(1, 0, 0), "b": Hold(0, 1, 0), "c": Trend()},
                                                          market, "monthly")
    earned = np.stack([one.excess for one in told.alone.values()], axis=1)
    at = int(np.flatnonzero(told.rebalance)[-1])
    known = earned[21 : at - 1][-60:]
    sigma = np.cov(known.T) * 252
    drawn = 0.9 * sigma + 0.1 * np.diag(np.diag(sigma))
    assert told.shares[at] == pytest.approx(hierarchical_risk_parity(drawn))
    first = int(np.flatnonzero(told.rebalance)[0])
    assert told.shares[first].tolist() == [pytest.approx(1 / 3)] * 3


@pytest.mark.parametrize("method", METHODS)
def test_every_construction_gives_out_what_there_is_and_no_less_than_nothing(method) -> None:
    told = PortfolioBacktester(allocation=method).run(
        {"up": Hold(1, 0, 0), "flat": Hold(0, 1, 0), "down": Hold(0, 0, 1), "idle": Hold(0, 0, 0)}, drift(4), "weekly")
    shares = told.shares[told.rebalance][12:]
    assert (shares >= -1e-12).all() and (shares.sum(axis=1) <= 1.0 + 1e-9).all()
    if method in ("equal", "risk_parity", "hrp"):
        assert shares.sum(axis=1) == pytest.approx(1.0)
    elif method == "thompson":  # who lost may yet be the best, a little
        assert shares[-1].argmax() == 0 and shares[-1, 2] < 0.01 < shares[-1, 0]
    else:  # these look at means, and there the best is plain
        assert (shares[-1].argmax(), shares[-1, 2]) == (0, pytest.approx(0.0, abs=1e-9))
    assert method == "equal" or (shares[:, 3] == 0.0).all()  # what has never moved waits


def test_strategies_that_are_the_same_share_alike() -> None:
    twins = {"one": Hold(1, 0, 0), "two": Hold(1, 0, 0)}
    for method in METHODS:
        told = PortfolioBacktester(allocation=method).run(twins, drift(5), "weekly")
        assert told.shares[:, 0] == pytest.approx(told.shares[:, 1], abs=1e-9), method


def test_what_one_buys_and_another_sells_is_not_traded() -> None:
    told = PortfolioBacktester(allocation="equal").run({"long": Hold(0.8, 0, 0), "short": Hold(-0.8, 0, 0)}, drift(6))
    assert not told.book.book.trades.any() and not told.book.cost.any()
    assert all(one.cost.sum() > 0.0 for one in told.alone.values())
    assert told.attribution.sum(axis=1) == pytest.approx(told.book.excess, abs=1e-15)
    assert told.figures()["netting_usd"] > 0.0


def test_one_strategy_with_all_the_capital_is_its_own_backtest() -> None:
    market = a_market(1)
    told = PortfolioBacktester(allocation="equal").run({"trend": Trend()}, market, "daily")
    weights = np.zeros((len(market.prices.sessions) - 1, len(market.prices.names)))
    watch = Watch()
    PortfolioBacktester().run({"watch": watch}, market)
    for known in watch.seen:
        weights[np.searchsorted(market.prices.sessions, known.session)] = Trend().weights(known)
    assert told.book.net.tobytes() == backtest(market, weights).net.tobytes()
    by_day = {known.session: Trend().weights(known) for known in watch.seen}
    again = PortfolioBacktester(allocation="equal").run({"told": Precomputed(by_day)}, market)
    assert again.book.net.tobytes() == told.book.net.tobytes()


def test_a_rebalance_is_the_first_session_of_its_day_week_or_month_and_trades_no_more_than_it_may() -> None:
    days = np.array(["2024-01-30", "2024-01-31", "2024-02-02", "2024-02-05", "2024-02-06", "2024-02-13", "2024-03-01"],
                    "datetime64[D]")
    assert rebalances(days, "daily").all()
    assert rebalances(days, "weekly").tolist() == [True, False, False, True, False, True, True]
    assert rebalances(days, "monthly").tolist() == [True, False, True, False, False, False, True]
    told = PortfolioBacktester(allocation="equal", turnover_limit=0.3, max_weight=0.2).run(
        {"trend": Trend(), "hold": Hold(0.5, 0.5, 0.0)}, drift(7), "weekly")
    assert (told.book.turnover[~told.rebalance] == 0.0).all()
    assert 0.25 < told.book.turnover.max() <= 0.3
    assert np.abs(told.book.book.value).max() < 0.25 * FREE.capital_usd


def test_one_names_signal_trades_another() -> None:
    chance = np.random.default_rng(8)
    lead = chance.normal(0.0, 0.02, 300)
    follow = 0.5 * np.concatenate([np.zeros(2), lead[:-2]]) + chance.normal(0.0, 0.01, 300)
    close = 50.0 * np.exp(np.cumsum(np.stack([lead, follow], axis=1), axis=0))
    frames = {name: pd.DataFrame({"open": close[:, k], "high": close[:, k], "low": close[:, k], "close": close[:, k],
                                  "volume": 1e7}, index=pd.bdate_range("2023-01-02", periods=300))
              for k, name in enumerate(("NVDA", "BTC"))}
    desk = PortfolioBacktester(FREE, allocation="equal")
    told = desk.run({"cross": CrossAsset("NVDA", "BTC", look_back=2)}, frames)
    assert (told.book.book.shares[:, 0] == 0.0).all() and (told.book.book.shares[:, 1] != 0.0).any()
    turned = desk.run({"cross": CrossAsset("BTC", "NVDA", look_back=2)}, frames)
    assert told.figures()["sharpe_annual"] > 2.0 > turned.figures()["sharpe_annual"]


def test_risk_is_read_as_it_is_by_hand() -> None:
    returns = np.random.default_rng(9).normal(0.0, 0.01, (60, 4))
    returns[:, 1] = returns[:, 0]
    weights = np.array([0.5, 0.25, -0.25, 0.0])
    told, book = reading(weights, returns), returns @ weights
    assert (told.gross, told.net, told.long, told.short, told.largest, told.names) == (1.0, 0.5, 0.75, -0.25, 0.5, 3)
    assert told.volatility_annual == pytest.approx(book.std(ddof=1) * np.sqrt(252))
    assert told.value_at_risk_95 == pytest.approx(np.sort(-book)[-3])
    assert told.expected_shortfall_95 == pytest.approx(np.sort(-book)[-3:].mean())
    assert told.beta == pytest.approx(np.polyfit(returns.mean(axis=1), book, 1)[0])
    alone = reading(np.array([0.5, 0.0, 0.0, 0.0]), returns)
    assert alone.effective_names == pytest.approx(1.0) and np.isnan(alone.mean_correlation)
    assert reading(np.array([0.5, 0.5, 0.0, 0.0]), returns).mean_correlation == pytest.approx(1.0)
    assert reading(np.array([0.5, -0.5, 0.0, 0.0]), returns).mean_correlation == pytest.approx(-1.0)
    assert np.isnan(reading(weights, returns[:10]).volatility_annual) and reading(np.zeros(4), returns).gross == 0.0
    matrix = correlations(returns)
    assert matrix == pytest.approx(np.corrcoef(returns.T))


def test_tables_and_figures_agree_with_each_other() -> None:
    told: PortfolioResult = PortfolioBacktester(allocation="risk_parity").run(
        {"trend": Trend(), "lead": CrossAsset("A", "B"), "hold": Hold(0.3, 0.3, 0.3)}, drift(10), "weekly")
    frames = told.frames()
    figures = told.figures()
    capital = told.book.costs.capital_usd
    assert set(frames) == {"equity", "positions", "trades", "allocation", "attribution", "risk", "correlation"}
    assert frames["attribution"][["trend", "lead", "hold", "netting"]].to_numpy().sum() * capital == pytest.approx(
        sum(part["profit_over_cash_usd"] for part in figures["strategies"].values()) + figures["netting_usd"])
    assert frames["risk"]["gross"].to_numpy() == pytest.approx(frames["equity"]["gross_exposure"].to_numpy())
    assert frames["risk"]["volatility_annual"].iloc[-1] > 0.0
    assert np.diag(frames["correlation"][["trend", "lead", "hold"]].to_numpy()) == pytest.approx(1.0)
    assert figures["rebalances"] == frames["allocation"]["rebalance"].sum()


@pytest.mark.parametrize(("call", "match"), [
    (lambda: PortfolioBacktester(allocation="magic"), "choose one of"),
    (lambda: PortfolioBacktester(max_weight=0.0), "above nought"),
    (lambda: PortfolioBacktester().run({}, drift(0)), "nothing to run"),
    (lambda: PortfolioBacktester().run({"x": Hold(1, 2)}, drift(0)), "shape"),
    (lambda: PortfolioBacktester().run({"x": Trend()}, drift(0), "hourly"), "daily, weekly, monthly"),
    (lambda: PortfolioBacktester(warm_up=400).run({"x": Trend()}, drift(0)), "too few"),
    (lambda: PortfolioBacktester().run({"x": CrossAsset("A", "Z")}, drift(0)), "'Z' is not among"),
    (lambda: PortfolioBacktester().run({"x": Trend()}, {}), "nothing to trade"),
    (lambda: PortfolioBacktester().run({"x": Trend()}, {"A": pd.DataFrame({"open": [1.0]},
                                                                          pd.bdate_range("2024-01-01", periods=1))}),
     "lack 'high'"),
    (lambda: Allocation("hrp", look_back=5), "look")])
def test_what_makes_no_sense_is_refused_in_plain_words(call, match) -> None:
    with pytest.raises(ValueError, match=match):
        call()
