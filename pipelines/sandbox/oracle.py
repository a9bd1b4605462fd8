"""What the planted signal is worth to someone who knows it: the yardstick that the report prints."""

import numpy as np

from pipelines.sandbox.market import Market

_FIRST_JUDGED = 252  # sessions before it are for training
_HOLD = 3  # sessions over which targets are averaged: costs fall faster than what is known
_WINDOW = 20


def open_to_open(market: Market) -> np.ndarray:
    """Total return from each opening print to the next one, (sessions, names); an end trades at its last close."""
    bars, days = market.bars, market.days
    before = np.vstack([np.full((1, bars.close.shape[1]), np.nan), bars.close[:-1]])
    growth = days.split * before / (before - days.cash)  # what one share of yesterday is worth in today's terms
    following = np.vstack([bars.open[1:] * growth[1:], bars.close[-1:]])
    ends_here = days.alive & ~np.vstack([days.alive[1:], days.alive[-1:]])
    return np.where(ends_here, bars.close, following) / bars.open - 1


def _trailing(values: np.ndarray) -> np.ndarray:
    """Mean of the last sessions before each one, NaN where a session is missing."""
    out = np.full_like(values, np.nan)
    for s in range(_WINDOW, len(values)):
        out[s] = values[s - _WINDOW : s].mean(axis=0)
    return out


def oracle_weights(market: Market) -> np.ndarray:
    """Dollar-neutral, gross 1, in proportion to the true conditional mean of the last sessions."""
    known = np.nan_to_num(market.days.drift)
    smooth = np.mean([np.roll(known, lag, axis=0) for lag in range(_HOLD)], axis=0)
    smooth[: _HOLD - 1] = 0.0
    smooth = np.where(market.days.alive, smooth, 0.0)
    count = market.days.alive.sum(axis=1, keepdims=True)
    neutral = np.where(market.days.alive, smooth - smooth.sum(axis=1, keepdims=True) / count, 0.0)
    gross = np.abs(neutral).sum(axis=1, keepdims=True)
    return np.where(gross > 0, neutral / np.where(gross > 0, gross, 1.0), 0.0)


def net_returns(market: Market, weights: np.ndarray) -> np.ndarray:
    """Daily return on capital, net of the default costs, in excess of cash."""
    from models.market.costs import CostModel, borrow_cost, trade_cost

    model, bars = CostModel.default(), market.bars
    moves = np.nan_to_num(open_to_open(market))
    before = np.vstack([np.zeros_like(weights[:1]), weights[:-1] * (1 + moves[:-1])])
    dollars = (weights - before) * model.capital_usd
    volume_usd = _trailing(np.where(market.days.alive, bars.close * bars.volume, np.nan))
    close_moves = np.full_like(bars.close, np.nan)
    close_moves[1:] = (bars.close[1:] * market.days.split[1:] + market.days.cash[1:]) / bars.close[:-1] - 1
    vol = np.sqrt(_trailing(close_moves**2))
    price = np.where(np.isfinite(bars.open), bars.open, 100.0)
    adv, vol = np.where(np.isfinite(volume_usd), volume_usd, 1e8), np.where(np.isfinite(vol), vol, 0.02)
    cost = trade_cost(model, dollars / price, price, adv, vol) + borrow_cost(model, weights * model.capital_usd)
    return np.asarray((weights * moves).sum(axis=1) - cost.sum(axis=1) / model.capital_usd)


def net_sharpe(market: Market) -> float:
    """Annual Sharpe over the sessions that are judged, up to the base session."""
    returns = net_returns(market, oracle_weights(market))[_FIRST_JUDGED : market.base + 1]
    if len(returns) < 2 or returns.std(ddof=1) == 0:
        return 0.0  # nothing to know: the oracle stays flat
    return float(returns.mean() / returns.std(ddof=1) * np.sqrt(252))
