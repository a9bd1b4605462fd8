"""How much money a strategy carries: judged again at larger accounts by the same cost function, impact and all."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.backtest import Prices, active_returns, judge
from models.market.costs import CostModel
from models.validation.statistics import annual_sharpe

TIMES = (1, 3, 10, 30, 100, 300)  # of the stated capital


def sharpe_by_capital(window: Prices, weights: NDArray[np.float64], market: NDArray[np.float64],
                      costs: CostModel) -> list[list[float]]:
    """[capital in USD, annual active Sharpe] pairs; `market` is buy-and-hold above cash."""
    found = []
    for times in TIMES:
        larger = replace(costs, capital_usd=costs.capital_usd * times)
        result = judge(window, weights, larger)
        sharpe = annual_sharpe(active_returns(result.excess, market, result.net_exposure))
        found.append([larger.capital_usd, round(sharpe, 6) if math.isfinite(sharpe) else 0.0])
    return found


def capacity_usd(by_capital: list[list[float]]) -> float:
    """The capital at which half of the Sharpe at the stated one is left, between what was tried on a logarithmic scale;
    the largest tried where more is left there, and 0 for what earns nothing to begin with."""
    half = by_capital[0][1] / 2.0
    if not half > 0.0:
        return 0.0
    for (less, above), (more, below) in zip(by_capital, by_capital[1:], strict=False):
        if below < half:
            share = (above - half) / (above - below)
            return float(less * (more / less) ** share)
    return float(by_capital[-1][0])
