"""Vectorised judgement: weights decided for a session, filled at its open in whole shares, held to the next open.

Every session sizes the stated capital: profit is set aside, losses are made good. So a year's figures do not hang on
the year before, and a session judged is the session that live trades from the same weights.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.backtest.prices import Prices
from models.market import costs as costs_module
from models.market.costs import CostModel

FloatArray = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """One row a session. Returns are shares of the stated capital."""

    sessions: npt.NDArray[np.datetime64]
    gross: FloatArray  # what the positions made, with interest, before any cost
    net: FloatArray  # after spread, impact, fees and borrow
    cash: FloatArray  # what the capital would have earned idle
    cost: FloatArray
    turnover: FloatArray  # traded value over capital
    net_exposure: FloatArray  # long less short over capital
    shares: FloatArray  # (S, N) held after the fill
    trades: FloatArray  # (S, N) shares filled

    @property
    def excess(self) -> FloatArray:
        return self.net - self.cash

    @property
    def equity(self) -> FloatArray:
        """Cumulative net return on a constant capital, starting at 1."""
        return 1.0 + np.cumsum(self.net)


@dataclass(frozen=True)
class Floor:
    """What every judged session begins with, (S, N) each."""

    returns: FloatArray  # from this open to the next mark, 0 where there is none
    opened: Bools
    can_trade: Bools
    alive: Bools  # there is an open on this session or a later one
    price: FloatArray  # at the open, 0 where there is none
    wanted: FloatArray  # shares

    @classmethod
    def of(cls, prices: Prices, weights: FloatArray, costs: CostModel) -> "Floor":
        opened = np.isfinite(prices.open_raw[:-1])
        return cls(
            np.nan_to_num(prices.holding_returns(), nan=0.0), opened,
            opened & np.isfinite(prices.adv20_usd[:-1]) & np.isfinite(prices.vol20_daily[:-1]),
            np.cumsum(opened[::-1], axis=0)[::-1] > 0, np.where(opened, prices.open_raw[:-1], 0.0),
            costs_module.target_shares(weights, costs.capital_usd, prices.reference_price[:-1]))

    def marked(self, s: int, held: FloatArray, value: FloatArray) -> FloatArray:
        """What is held at this open is worth; without one, what it was worth."""
        worth: FloatArray = np.where(self.opened[s], held * self.price[s], np.where(held == 0.0, 0.0, value))
        return worth


def split(held: FloatArray, ratio: FloatArray) -> FloatArray:
    """Whole shares after a split; the broken share is paid out at the open."""
    unmoved = (ratio == 1.0) | (held == 0.0)  # a name listed today has no factor yesterday
    return np.trunc(np.where(unmoved, held, held * ratio))


def judge(prices: Prices, weights: FloatArray, costs: CostModel) -> Judged:
    """`weights` has a row for every session of `prices` but the last, which only closes the last holding."""
    count, names = weights.shape
    if len(prices.sessions) != count + 1:
        raise ValueError(f"{count} rows of weights need {count + 1} sessions of prices, not {len(prices.sessions)}")
    floor = Floor.of(prices, weights, costs)
    held, value = np.zeros(names), np.zeros(names)
    shares, trades = np.zeros_like(weights), np.zeros_like(weights)
    pnl, cost, turnover, exposure, idle = (np.zeros(count) for _ in range(5))
    for s in range(count):
        if s:
            held = split(held, prices.split_factor[s] / prices.split_factor[s - 1])
        held = np.where(floor.alive[s], held, 0.0)
        trade = np.where(floor.can_trade[s], costs_module.capped_shares(
            costs, floor.wanted[s] - held, prices.open_raw[s], prices.adv20_usd[s]), 0.0)
        paid = costs_module.trade_cost(costs, trade, prices.open_raw[s], prices.adv20_usd[s], prices.vol20_daily[s])
        held = held + trade
        value = floor.marked(s, held, value)
        shares[s], trades[s] = held, trade
        cost[s] = paid.sum() + costs_module.borrow_cost(costs, value).sum()
        turnover[s] = np.abs(trade * floor.price[s]).sum()
        exposure[s] = value.sum()
        gain = value * floor.returns[s]
        pnl[s] = gain.sum()
        idle[s] = costs_module.cash_interest(costs, costs.capital_usd - exposure[s])
        value = value + gain
    capital = costs.capital_usd
    gross = (pnl + idle) / capital
    return Judged(prices.sessions[:-1], gross, gross - cost / capital, np.full(count, costs.cash_rate_session),
                  cost / capital, turnover / capital, exposure / capital, shares, trades)
