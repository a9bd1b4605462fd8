"""What the planted signal is worth to someone who knows it: the yardstick that the report prints."""

from typing import TYPE_CHECKING

import numpy as np

from pipelines.sandbox.market import Market

if TYPE_CHECKING:
    from models.backtest.prices import Prices

_HOLD = 2  # sessions over which targets are averaged: costs fall faster than what is known


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


def _best_tilt(market: Market) -> np.ndarray:
    """(sessions, names): the true means over the true covariance of what is not the market's own move."""
    sectors = np.array([company.sector for company in market.cast])
    together = (sectors[:, None] == sectors[None, :]) * np.outer(market.traits.sector_vol, market.traits.sector_vol)
    covariance = together + np.diag(market.traits.idio_vol**2)
    tilt = np.zeros_like(market.days.drift)
    for s, alive in enumerate(market.days.alive):
        tilt[s, alive] = np.linalg.solve(covariance[np.ix_(alive, alive)], market.days.drift[s, alive])
    return tilt


def oracle_weights(market: Market) -> np.ndarray:
    """Dollar-neutral, gross 1: the best tilts of the last sessions, averaged."""
    tilt, alive = _best_tilt(market), market.days.alive
    smooth = np.zeros_like(tilt)
    for lag in range(_HOLD):
        smooth[lag:] += tilt[: len(tilt) - lag]
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
