"""Twenty-three years of raw prices: open positions go through Apple's splits, and figures are of a believable size."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.backtest.book import Rules
from models.backtest.market import Market
from models.backtest.sweep import sweep_crossings
from models.backtest.vector import backtest
from models.intraday import StopRule
from models.portfolio import CrossAsset, Known, PortfolioBacktester

SPLITS = {"AAPL": (("2000-06-21", 2.0), ("2005-02-28", 2.0), ("2014-06-09", 7.0), ("2020-08-31", 4.0)), "SPY": ()}


class Trend:
    def weights(self, known: Known) -> np.ndarray:
        moves = np.nan_to_num(known.returns(120)).sum(axis=0)
        return np.where(moves > 0.0, 1.0 / len(moves), 0.0)


@pytest.fixture(scope="module")
def frames(samples: Path) -> dict[str, pd.DataFrame]:
    told = {}
    for name, splits in SPLITS.items():
        with zipfile.ZipFile(samples / "equities" / "lean" / "daily" / f"{name.lower()}.zip") as packed:
            text = packed.read(packed.namelist()[0]).decode()
        bars = pd.read_csv(io.StringIO(text), names=["day", "open", "high", "low", "close", "volume"])
        bars.index = pd.to_datetime(bars.pop("day").str[:8], format="%Y%m%d")
        bars[["open", "high", "low", "close"]] /= 10_000.0
        bars["split_factor"] = 1.0
        for day, ratio in splits:
            bars.loc[bars.index >= day, "split_factor"] *= ratio
        bars["total_return_factor"] = bars["split_factor"]
        told[name] = bars.astype(float)
    return told


def test_an_open_position_and_its_stop_go_through_every_split(frames: dict[str, pd.DataFrame]) -> None:
    market = Market.from_frames({"AAPL": frames["AAPL"]})
    prices = market.prices
    count = len(prices.sessions) - 1
    once = np.zeros(count, bool)
    once[30] = True  # bought once, and left alone
    rules = Rules(rebalance=once, stop=StopRule("fixed", pct=0.95))
    told = backtest(market, np.full((count, 1), 0.1), rules=rules)
    bought, held = told.book.shares[30, 0], told.book.shares[-1, 0]
    ratio = prices.split_factor[-2, 0] / prices.split_factor[30, 0]
    assert ratio == 112.0 and bought * ratio - ratio <= held <= bought * ratio
    for day, split in SPLITS["AAPL"]:
        at = int(np.searchsorted(prices.sessions, np.datetime64(day)))
        assert told.book.shares[at, 0] == np.trunc(told.book.shares[at - 1, 0] * split)
        assert abs(told.book.value[at, 0] / told.book.value[at - 1, 0] - 1.0) < 0.15  # no leap: a day of Apple's
    assert not told.book.stopped.any() and told.trips == []
    gained = told.book.gain.sum() / told.book.value[30, 0]
    assert gained == pytest.approx(prices.open_raw[-1, 0] * ratio / prices.open_raw[30, 0] - 1.0, rel=1e-3)


def test_strategies_share_an_account_over_a_decade(frames: dict[str, pd.DataFrame]) -> None:
    late = {name: bars.loc["2011":] for name, bars in frames.items()}
    told = PortfolioBacktester(allocation="risk_parity", turnover_limit=0.5).run(
        {"trend": Trend(), "lead": CrossAsset("SPY", "AAPL")}, late, "monthly")
    figures = told.figures()
    assert told.rebalance.sum() > 110 and -1.0 < figures["sharpe_annual"] < 2.0
    assert 0.0 < figures["turnover_a_session"] < 0.05 and figures["max_drawdown"] < 1.0
    assert told.attribution.sum(axis=1) == pytest.approx(told.book.excess, abs=1e-12)


def test_a_sweep_of_the_index(frames: dict[str, pd.DataFrame]) -> None:
    """Slow crosses of SPY hold less than the index does, and fall less deeply than its half in 2008."""
    close = frames["SPY"]["close"].to_numpy()
    told = sweep_crossings(close, [5, 20, 50], [20, 100, 200])
    assert (told.max_drawdown > (close / np.maximum.accumulate(close)).min() - 1.0).all()
    assert ((told.exposure > 0.5) & (told.exposure < 0.8)).all() and (told.trades > 5).all()
