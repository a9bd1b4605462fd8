"""Equity of each run at every bar, and the figures read off it: for runs that each have a price path of their own."""

import numpy as np
import numpy.typing as npt

from models.backtest.sweep.figures import Fees, Swept, annual_sharpe
from models.backtest.sweep.trips import Trips

FloatArray = npt.NDArray[np.float64]
CELLS = 1 << 15  # worked on at once: they stay in a core's cache


def equity(paths: FloatArray, trips: Trips, fees: Fees) -> FloatArray:
    """(runs, bars) at each close, from 1 before the first; `paths` has a row of prices for each run."""
    runs, bars = paths.shape
    flat = paths.ravel()
    start = trips.run * bars
    bought, left = flat[start + trips.entry] * fees.buying, flat[start + trips.exit]
    left = np.where(trips.closed, left * fees.selling, left)
    there = np.arange(int(trips.counts.max(initial=0))) < trips.counts[:, None]
    growth = np.ones(there.shape)
    growth[there] = left / bought
    after = np.cumprod(growth, axis=1)
    before = np.ones(there.shape)
    before[:, 1:] = after[:, :-1]
    scale, worth, ended = before[there] / bought, after[there], trips.closed
    # Every stretch of a run is either cash or a number of shares: each begins at a bar and lasts until the next.
    begin = np.concatenate([np.arange(runs) * bars, start + trips.entry, (start + trips.exit)[ended]])
    cash = np.concatenate([np.ones(runs), np.zeros(len(scale)), worth[ended]])
    shares = np.concatenate([np.zeros(runs), scale, np.zeros(int(ended.sum()))])
    order = np.argsort(begin, kind="stable")
    lasts = np.diff(begin[order], append=runs * bars)
    told: FloatArray = (np.repeat(shares[order], lasts) * flat + np.repeat(cash[order], lasts)).reshape(runs, bars)
    return told


def figures(paths: FloatArray, trips: Trips, fees: Fees, bars_a_year: float) -> Swept:
    """The same figures as `tally`, for runs over paths of their own."""
    if not (np.isfinite(paths).all() and (paths > 0.0).all()):
        raise ValueError("a path of prices is finite and above nought: cut or carry what has gaps first")
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
    column = trips.run, trips.entry
    left = paths[trips.run, trips.exit] * np.where(trips.closed, fees.selling, 1.0)
    wins = np.bincount(trips.run, left > paths[column] * fees.buying, minlength=runs).astype(np.intp)
    return Swept(final, annual_sharpe(total, squares, bars, bars_a_year), deepest, trips.counts, wins, held / bars)
