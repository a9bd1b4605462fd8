"""Buy-and-hold of the tradable universe, and what a strategy earns beyond its share of it."""

import numpy as np
import numpy.typing as npt

from models.backtest.prices import Prices

FloatArray = npt.NDArray[np.float64]
BETA_SESSIONS = 252
LEAST_SESSIONS = 63  # a shorter history says too little of beta


def buy_and_hold(prices: Prices) -> FloatArray:
    """(S − 1,) returns of equal stakes in every tradable name, left to drift; a newcomer gets the average stake."""
    returns = prices.holding_returns()
    stake = np.zeros(returns.shape[1])
    out = np.zeros(len(returns))
    for s, row in enumerate(returns):
        member = prices.tradable[s] & np.isfinite(row)
        if not member.any():
            continue
        held = member & (stake > 0.0)
        stake = np.where(member, np.where(held, stake, stake[held].mean() if held.any() else 1.0), 0.0)
        gain = stake * np.where(member, row, 0.0)
        out[s] = gain.sum() / stake.sum()
        stake = stake + gain
    return out


def known_beta(excess: FloatArray, benchmark_excess: FloatArray, net_exposure: FloatArray) -> FloatArray:
    """Beta known when session t is decided: over up to 252 sessions whose holdings had closed by then.

    Until 63 of them are known the book's net exposure stands in for it, so that a long-only book earns no alpha early.
    """
    beta = np.array(net_exposure, np.float64)
    for t in range(LEAST_SESSIONS + 1, len(excess)):
        first = max(0, t - 1 - BETA_SESSIONS)
        own, market = excess[first : t - 1], benchmark_excess[first : t - 1]
        centred = market - market.mean()
        variance = centred @ centred
        beta[t] = (centred @ (own - own.mean())) / variance if variance > 0.0 else 0.0
    return beta


def active_returns(excess: FloatArray, benchmark_excess: FloatArray, net_exposure: FloatArray) -> FloatArray:
    """Returns net of costs and cash, less beta times buy-and-hold: what every test of skill is run on."""
    return excess - known_beta(excess, benchmark_excess, net_exposure) * benchmark_excess
