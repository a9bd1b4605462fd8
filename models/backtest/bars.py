"""Vectorised judgement inside the session: sides wanted at bar ends, filled at the next minute's open, costs on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.intraday import Intraday
from models.market.costs import CostModel, trade_cost

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class JudgedBars:
    """(decisions, names); a position is what is held after the fill that follows its decision."""

    positions: FloatArray
    trades: FloatArray
    costs_usd: FloatArray
    profit_usd: FloatArray  # (decisions,) from this fill to the next one, net; the last ends at the last close


def held_shares(config: Intraday, sides: FloatArray, closes: FloatArray, capital_usd: float) -> FloatArray:
    """Whole shares for sides: sized where a side begins, and kept as long as it lasts."""
    if config.size.method not in ("shares", "weight") or config.stop is not None:
        raise ValueError("sizes by risk, and stops, hang on the path inside the bar: --engine event judges those")
    units = np.full(closes.shape, config.size.amount) if config.size.method == "shares" else (
        config.size.amount * capital_usd / closes)
    wanted = np.nan_to_num(sides)
    began = np.vstack([wanted[:1] != 0.0, wanted[1:] != wanted[:-1]])
    at = np.maximum.accumulate(np.where(began, np.arange(len(wanted))[:, None], 0), axis=0)
    shares: FloatArray = np.trunc(np.take_along_axis(wanted * units, at, axis=0))
    return shares


def judge_bars(
    positions: FloatArray, opens: FloatArray, last_closes: FloatArray, adv20_usd: FloatArray, vol20_daily: FloatArray,
    costs: CostModel,
) -> JudgedBars:
    """`opens` are the opens after each decision; liquidity has a row for each of them too."""
    trades = np.diff(positions, axis=0, prepend=0.0)
    paid = trade_cost(costs, trades, opens, adv20_usd, vol20_daily)
    after = np.vstack([opens[1:], last_closes[None]])
    profit = (positions * (after - opens) - paid).sum(axis=1)
    return JudgedBars(positions, trades, paid, profit)
