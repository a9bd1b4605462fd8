"""A rule with thousands of parameters, or thousands of columns of signals, over the same bars at once.

Fills and fees are those of vectorbt's `from_signals`: the whole capital, long or short, at the bar's close. It answers
which parameters deserve a judgement, not what they would have earned: that is `models.backtest.judge`, with its costs.
"""

import numpy as np
import numpy.typing as npt

from models.backtest.sweep.crossings import crossing_trips, crossing_trips_each
from models.backtest.sweep.curves import equity, figures
from models.backtest.sweep.figures import Fees, Swept, trips_table
from models.backtest.sweep.tally import tally
from models.backtest.sweep.trips import Trips, from_positions, from_signals

__all__ = ["Fees", "Swept", "Trips", "crossing_trips", "crossing_trips_each", "equity_curves", "from_positions",
           "from_signals", "sweep", "sweep_crossings", "trips_table"]

FloatArray = npt.NDArray[np.float64]


def sweep(price: npt.ArrayLike, trips: Trips, fees: Fees | None = None, bars_a_year: float = 252.0) -> Swept:
    """Figures of every run. `price` is (bars,), one path for all, or (bars, runs), a path for each."""
    paths = np.asarray(price, np.float64)
    _fit(paths, trips)
    if paths.ndim == 1 and (trips.side > 0).all():
        return tally(paths, trips, fees or Fees(), bars_a_year)
    return figures(_rows(paths, trips), trips, fees or Fees(), bars_a_year)


def sweep_crossings(
    price: npt.ArrayLike, fast: npt.ArrayLike, slow: npt.ArrayLike, fees: Fees | None = None,
    bars_a_year: float = 252.0,
) -> Swept:
    """Long while the mean of `fast` bars is above that of `slow`, each pair a run over the one path (bars,); or one
    pair for each path of (bars, names)."""
    paths = np.asarray(price, np.float64)
    if paths.ndim == 1:
        one, other = np.broadcast_arrays(np.atleast_1d(fast).astype(np.intp), np.atleast_1d(slow).astype(np.intp))
        if not len(one):
            raise ValueError("no pair of windows is given: there is nothing to sweep")
        return tally(paths, crossing_trips(paths, one, other), fees or Fees(), bars_a_year)
    if np.ndim(fast) or np.ndim(slow):
        raise ValueError("many pairs over many paths are swept a path at a time: give (bars,) or one pair")
    rows = np.ascontiguousarray(paths.T)
    if not (rows > 0.0).all():
        raise ValueError("a path of prices has one at every bar, above nought: cut or carry what has gaps first")
    trips = crossing_trips_each(rows, int(np.asarray(fast)), int(np.asarray(slow)))
    return figures(rows, trips, fees or Fees(), bars_a_year)


def equity_curves(price: npt.ArrayLike, trips: Trips, fees: Fees | None = None) -> FloatArray:
    """(bars, runs) equity at each close, from 1 before the first."""
    paths = np.asarray(price, np.float64)
    _fit(paths, trips)
    return equity(_rows(paths, trips), trips, fees or Fees()).T


def _rows(paths: FloatArray, trips: Trips) -> FloatArray:
    """(runs, bars)"""
    return np.broadcast_to(paths, (trips.runs, trips.bars)) if paths.ndim == 1 else np.ascontiguousarray(paths.T)


def _fit(paths: FloatArray, trips: Trips) -> None:
    if not (np.isfinite(paths).all() and (paths > 0.0).all()):
        raise ValueError("a path of prices is finite and above nought: cut or carry what has gaps first")
    if paths.shape not in ((trips.bars,), (trips.bars, trips.runs)):
        raise ValueError(f"{trips.runs} runs over {trips.bars} bars do not fit prices of shape {paths.shape}")
