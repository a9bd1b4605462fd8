"""Monte Carlo on the order of trades: what the same trades, or trades like them, could as well have looked like.

A shuffle keeps every trade, so only what depends on order moves (drawdown, losing run). Blocks are drawn with
replacement, whole runs of neighbouring trades at a time, so results and Sharpe move as well and clusters survive.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.validation.statistics import STILL

FloatArray = npt.NDArray[np.float64]
Order = Literal["shuffle", "block"]
AT_ONCE = 2_000_000  # values held in memory


@dataclass(frozen=True)
class ConfidenceInterval:
    """`observed` in the order that happened; the others over the simulations."""

    observed: float
    low: float
    median: float
    high: float
    confidence: float


@dataclass(frozen=True)
class MonteCarlo:
    """Returns are fractions of the account and compound; drawdown is a positive fraction of the peak; Sharpe is per
    trade; the losing run is counted in trades. `unluckier`: share of orders with a deeper drawdown than observed."""

    simulations: int
    total_return: ConfidenceInterval
    max_drawdown: ConfidenceInterval
    sharpe: ConfidenceInterval
    losing_run: ConfidenceInterval
    loss_probability: float
    unluckier: float


def monte_carlo(
    trades: FloatArray, n_simulations: int = 1000, *, seed: int, order: Order = "shuffle", block: int | None = None,
    confidence: float = 0.95,
) -> MonteCarlo:
    """`trades` (n,) are their returns in time order. `block` is the length of a run, sqrt(n) unless given."""
    if len(trades) < 2 or n_simulations < 1 or not 0.0 < confidence < 1.0:
        raise ValueError("needs two trades, one simulation and a confidence between 0 and 1")
    if not np.isfinite(trades).all() or (trades <= -1.0).any():
        raise ValueError("a trade's return must be finite and above -1: an account that is gone trades no more")
    length = max(1, round(math.sqrt(len(trades)))) if block is None else block
    if not 1 <= length <= len(trades):
        raise ValueError(f"blocks of {length} cannot be drawn from {len(trades)} trades")
    rng = np.random.default_rng(seed)
    simulated = np.concatenate([_figures(trades[rows]) for rows in _orders(len(trades), n_simulations, order, length,
                                                                           rng)])
    observed = _figures(trades[None, :])[0]
    tails = np.quantile(simulated, [(1.0 - confidence) / 2.0, 0.5, (1.0 + confidence) / 2.0], axis=0)
    intervals = [ConfidenceInterval(float(seen), float(low), float(middle), float(high), confidence)
                 for seen, (low, middle, high) in zip(observed, tails.T, strict=True)]
    total_return, max_drawdown, sharpe, losing_run = intervals
    return MonteCarlo(
        n_simulations, total_return, max_drawdown, sharpe, losing_run,
        loss_probability=float((simulated[:, 0] < 0.0).mean()),
        unluckier=float((simulated[:, 1] > observed[1] + 1e-12).mean()),
    )


def _orders(count: int, simulations: int, order: Order, block: int, rng: np.random.Generator) -> Iterator[
        npt.NDArray[np.intp]]:
    """(some, trades) rows of the simulated histories, a memory's worth at a time."""
    batch = max(1, AT_ONCE // count)
    for begin in range(0, simulations, batch):
        many = min(batch, simulations - begin)
        if order == "shuffle":
            yield rng.permuted(np.tile(np.arange(count), (many, 1)), axis=1)
        else:  # circular, so that the first and last trades are drawn as often as any
            starts = rng.integers(0, count, (many, -(-count // block)))
            yield ((starts[:, :, None] + np.arange(block)) % count).reshape(many, -1)[:, :count]


def _figures(paths: FloatArray) -> FloatArray:
    """(simulations, 4): total return, deepest drawdown, Sharpe per trade, longest losing run."""
    growth = np.cumsum(np.log1p(paths), axis=1)
    peak = np.maximum(np.maximum.accumulate(growth, axis=1), 0.0)  # the account before the first trade is a peak too
    spread = paths.std(axis=1, ddof=1)
    sharpe = np.divide(paths.mean(axis=1), spread, out=np.zeros(len(paths)), where=spread > STILL)
    at = np.arange(1, paths.shape[1] + 1)
    last_win = np.maximum.accumulate(np.where(paths < 0.0, 0, at), axis=1)
    return np.stack([
        np.expm1(growth[:, -1]), 0.0 - np.expm1((growth - peak).min(axis=1)), sharpe, (at - last_win).max(axis=1),
    ], axis=1)
