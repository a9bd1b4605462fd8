"""What the planted signal is worth to someone who knows it: the yardstick that the report prints."""

from typing import TYPE_CHECKING

import numpy as np

from pipelines.sandbox.market import Market

if TYPE_CHECKING:
    from models.backtest.prices import Prices

_HOLD = 3  # sessions over which targets are averaged: costs fall faster than what is known


def true_prices(market: Market) -> "Prices":
    """The market as judgement wants it, every company tradable while it lives."""
    from models.backtest.prices import Prices

    bars, days = market.bars, market.days
    before = np.vstack([bars.close[:1], bars.close[:-1]])
    known = np.isfinite(before)
    growth = days.split * np.where(known, before, 1.0) / np.where(known, before - days.cash, 1.0)
    return Prices.from_bars(
        np.array(market.sessions, "datetime64[D]"),
        tuple(company.figi for company in market.cast),
        open_raw=bars.open,
        close_raw=bars.close,
        volume=np.where(days.alive, bars.volume, np.nan),
        split_factor=np.where(days.alive, np.cumprod(days.split, axis=0), np.nan),
        total_return_factor=np.where(days.alive, np.cumprod(growth, axis=0), np.nan),
        tradable=days.alive,
    )


def oracle_weights(market: Market) -> np.ndarray:
    """Dollar-neutral, gross 1, in proportion to the mean of the last sessions' true conditional means."""
    known, alive = np.nan_to_num(market.days.drift), market.days.alive
    smooth = np.zeros_like(known)
    for lag in range(_HOLD):
        smooth[lag:] += known[: len(known) - lag]
    smooth = np.where(alive, smooth, 0.0)
    neutral = np.where(alive, smooth - smooth.sum(axis=1, keepdims=True) / alive.sum(axis=1, keepdims=True), 0.0)
    gross = np.abs(neutral).sum(axis=1, keepdims=True)
    return neutral / np.where(gross > 0, gross, 1.0)


def net_sharpe(market: Market) -> float:
    """Annual Sharpe over the judged sessions up to the base session: 0 where there is nothing to know, NaN where
    training takes all sessions and none is judged."""
    from models.backtest.figures import sharpe_annual
    from models.backtest.judge import judge
    from models.market.costs import CostModel

    first, last = market.settings.training.first_train_sessions, market.base
    if last - first < 2:
        return float("nan")
    prices = true_prices(market).rows(first, last + 1)  # the base session's open closes the last holding
    return sharpe_annual(judge(prices, oracle_weights(market)[first:last], CostModel.default()).excess)
