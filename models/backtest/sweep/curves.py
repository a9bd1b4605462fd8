"""Equity of each run at every bar, and the figures read off it: for runs that each have a price path of their own."""

import numpy as np
import numpy.typing as npt

from models.backtest.sweep.figures import Fees, Swept, annual_sharpe, outcome
from models.backtest.sweep.trips import Trips

FloatArray = npt.NDArray[np.float64]
CELLS = 1 << 15  # worked on at once: they stay in a core's cache


def equity(paths: FloatArray, trips: Trips, fees: Fees) -> FloatArray:
    """(runs, bars) at each close, from 1 before the first; `paths` has a row of prices for each run."""
    runs, bars = paths.shape
    flat = paths.ravel()
    start = trips.run * bars
    shares, cash, end = outcome(flat[start + trips.entry], flat[start + trips.exit], trips.closed, trips.side, fees)
    there = np.arange(int(trips.counts.max(initial=0))) < trips.counts[:, None]
    growth = np.ones(there.shape)
    growth[there] = end
    if (end <= 0.0).any():
        ruined = np.zeros(there.shape, np.bool_)
        ruined[:, 1:] = np.logical_or.accumulate(growth <= 0.0, axis=1)[:, :-1]
        growth[ruined] = 1.0
        void = ruined[there]
        shares, cash = np.where(void, 0.0, shares), np.where(void, 1.0, cash)
    after = np.cumprod(growth, axis=1)
    before = np.ones(there.shape)
    before[:, 1:] = after[:, :-1]
    capital, worth, ended = before[there], after[there], trips.closed
    # Every stretch of a run is so much cash and so many shares: each begins at a bar and lasts until the next. Where
    # one trip ends and another begins at the same bar, the later of the two is what counts.
    begin = np.concatenate([np.arange(runs) * bars, (start + trips.exit)[ended], start + trips.entry])
    money = np.concatenate([np.ones(runs), worth[ended], cash * capital])
    count = np.concatenate([np.zeros(runs + int(ended.sum())), shares * capital])
    order = np.argsort(begin, kind="stable")
    lasts = np.diff(begin[order], append=runs * bars)
    told: FloatArray = (np.repeat(count[order], lasts) * flat + np.repeat(money[order], lasts)).reshape(runs, bars)
    return told


def figures(paths: FloatArray, trips: Trips, fees: Fees, bars_a_year: float) -> Swept:
    """The same figures as `tally`, for runs over paths of their own."""
    runs, bars = paths.shape
    final, total, squares, deepest = (np.zeros(runs) for _ in range(4))
    step = max(1, CELLS // max(bars, 1))
    for first in range(0, runs, step):
        part = slice(first, min(first + step, runs))
        worth = equity(paths[part], trips.of(part.start, part.stop), fees)
        moved = worth[:, 1:] / worth[:, :-1] - 1.0
        begun = worth[:, 0] - 1.0
        final[part] = worth[:, -1] - 1.0
        total[part] = moved.sum(axis=1) + begun
        squares[part] = np.einsum("rb,rb->r", moved, moved) + begun * begun
        deepest[part] = (worth / np.maximum.accumulate(worth, axis=1)).min(axis=1) - 1.0
    held = np.bincount(trips.run, trips.exit - trips.closed - trips.entry + 1.0, minlength=runs)
    _, _, end = outcome(paths[trips.run, trips.entry], paths[trips.run, trips.exit], trips.closed, trips.side, fees)
    wins = np.bincount(trips.run, end > 1.0, minlength=runs).astype(np.intp)
    return Swept(final, annual_sharpe(total, squares, bars, bars_a_year), deepest, trips.counts, wins, held / bars)
