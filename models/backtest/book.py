"""What a book held and filled, session by session: the positions of `judge`, with stops, rebalance days and a limit on
turnover where asked. Without any of them shares, fills and gains are the judge's to the bit, which a test holds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.backtest.judge import Floor, split
from models.backtest.market import Market
from models.backtest.prices import Prices
from models.backtest.stops import Stops
from models.intraday import StopRule
from models.market import costs as costs_module
from models.market.costs import CostModel

FloatArray = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Book:
    """(sessions judged, names) each, in raw shares and dollars of the session."""

    shares: FloatArray  # held after the fill at the open
    trades: FloatArray  # filled at the open, signed
    stopped: FloatArray  # closed inside the session, signed as the fill
    stop_price: FloatArray  # NaN where nothing was stopped
    value: FloatArray  # after the fill at the open
    gain: FloatArray  # from this open to the next mark, dividends and terminal prices included, before any cost
    risk_usd: FloatArray  # a share, of the position entered at this open: to its stop, else one ATR(14); NaN elsewhere
    unguarded: int  # positions that asked for a stop where none could be placed: no ATR yet, a price too low


@dataclass(frozen=True)
class Rules:
    """How weights become orders. `rebalance`: (sessions,) on which they do; between, shares are left alone.
    `turnover_limit`: at most so much of the capital is traded at a rebalance; all changes are cut alike."""

    rebalance: Bools | None = None
    turnover_limit: float | None = None
    stop: StopRule | None = None


def hold(market: Market, weights: FloatArray, costs: CostModel, rules: Rules | None = None) -> Book:
    """`weights` has a row for every session but the last, which only closes the last holding."""
    rules, prices = rules or Rules(), market.prices
    count, names = _fitting(market, weights, rules)
    floor = Floor.of(prices, weights, costs)
    opened, price = floor.opened, floor.price
    stops = Stops(rules.stop, names) if rules.stop is not None else None
    held, value = np.zeros(names), np.zeros(names)
    shares, trades, stopped, worth, gained = (np.zeros((count, names)) for _ in range(5))
    stop_price, risk = np.full((count, names), np.nan), np.full((count, names), np.nan)
    for s in range(count):
        ratio, cash = actions(prices, s)
        if s:
            held = split(held, ratio)
        held = np.where(floor.alive[s], held, 0.0)
        target, decides = floor.wanted[s], rules.rebalance is None or bool(rules.rebalance[s])
        out = np.zeros(names, np.bool_)
        if stops is not None:
            stops.adjust(ratio, cash)
            out, target = stops.opening(held, np.where(opened[s], price[s], np.nan), target, decides)
        change = target - held
        if not decides:
            change = np.zeros(names)
        elif rules.turnover_limit is not None:
            change = _limited(change, price[s], rules.turnover_limit * costs.capital_usd)
        change = np.where(out, -held, change)
        trade = np.where(floor.can_trade[s], costs_module.capped_shares(
            costs, change, prices.open_raw[s], prices.adv20_usd[s]), 0.0)
        trade = np.where(out & opened[s], -held, trade)  # what a stop ends is not cut: it goes at any price
        before = held
        held = held + trade
        value = floor.marked(s, held, value)
        shares[s], trades[s], worth[s] = held, trade, value
        new = (held != 0.0) & (np.sign(held) != np.sign(before))
        risk[s] = np.where(new, market.atr_usd[s], np.nan)
        gain = value * floor.returns[s]
        if stops is not None:
            ended, distance = stops.session(
                new, held, price[s], market.atr_usd[s], market.high_raw[s], market.low_raw[s])
            hit = np.isfinite(ended)
            risk[s] = np.where(new & np.isfinite(distance), distance, risk[s])
            gain = np.where(hit, held * (np.nan_to_num(ended) - price[s]), gain)
            stopped[s], stop_price[s] = np.where(hit, -held, 0.0), ended
            held, value = np.where(hit, 0.0, held), np.where(hit, 0.0, value + gain)
        else:
            value = value + gain
        gained[s] = gain
    return Book(shares, trades, stopped, stop_price, worth, gained, risk,
                stops.unguarded if stops is not None else 0)


def actions(prices: Prices, s: int) -> tuple[FloatArray, FloatArray]:
    """(names,) what one share of the session before has become, and the cash paid on each share of today."""
    split, total = prices.split_factor, prices.total_return_factor
    if s == 0:
        return np.ones(split.shape[1]), np.zeros(split.shape[1])
    ratio = split[s] / split[s - 1]
    kept = ratio / (total[s] / total[s - 1])  # (p − cash) / p
    cash = prices.reference_price[s] * (1.0 - kept)
    known = np.isfinite(ratio) & np.isfinite(cash) & (np.abs(1.0 - kept) > 1e-12)
    return np.where(np.isfinite(ratio), ratio, 1.0), np.where(known, cash, 0.0)


def _limited(change: FloatArray, price: FloatArray, most_usd: float) -> FloatArray:
    """Whole shares of each change, cut alike where together they come to more than `most_usd`."""
    asked = float(np.abs(change * price).sum())
    return np.trunc(change * (most_usd / asked)) if asked > most_usd else change


def _fitting(market: Market, weights: FloatArray, rules: Rules) -> tuple[int, int]:
    if weights.ndim != 2 or weights.shape[1] != len(market.prices.names):
        raise ValueError(f"weights are (sessions, {len(market.prices.names)} names), not {weights.shape}")
    if len(market.prices.sessions) != len(weights) + 1:
        raise ValueError(f"{len(weights)} rows of weights need {len(weights) + 1} sessions of prices, "
                         f"not {len(market.prices.sessions)}")
    if rules.rebalance is not None and rules.rebalance.shape != (len(weights),):
        raise ValueError(f"rebalance says yes or no for each of {len(weights)} sessions, not {rules.rebalance.shape}")
    if rules.turnover_limit is not None and not rules.turnover_limit > 0.0:
        raise ValueError(f"a turnover limit is a share of the capital, not {rules.turnover_limit}")
    return weights.shape[0], weights.shape[1]
