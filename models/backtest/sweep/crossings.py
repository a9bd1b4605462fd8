"""Where a fast mean crosses a slow one: the trips of many pairs over one price path, or of one pair over many paths."""

import numpy as np
import numpy.typing as npt

from models.backtest.sweep.trips import Rows, Trips, alternating, joined

FloatArray = npt.NDArray[np.float64]
BLOCK = 1 << 18  # cells compared at a time: they and what is made of them stay in a core's cache


def running_sums(paths: FloatArray) -> FloatArray:
    """(…, bars + 1), from nought."""
    if not np.isfinite(paths).all():
        raise ValueError("a moving average needs a price at every bar: cut the path to the bars that have one")
    sums = np.zeros((*paths.shape[:-1], paths.shape[-1] + 1))
    np.cumsum(paths, axis=-1, out=sums[..., 1:])
    return sums


def rolling_mean(sums: FloatArray, window: int) -> FloatArray:
    """(…, bars), NaN until the window is full. The difference of two running sums, as vectorbt takes it, so that what
    is nearly even falls to the same side here and there."""
    if window < 1:
        raise ValueError(f"a window holds one bar or more, not {window}")
    mean: FloatArray = np.full((*sums.shape[:-1], sums.shape[-1] - 1), np.nan)
    if window < sums.shape[-1]:
        mean[..., window - 1 :] = (sums[..., window:] - sums[..., :-window]) / window
    return mean


def crossing_trips_each(paths: FloatArray, fast: int, slow: int) -> Trips:
    """One pair over (runs, bars) of prices."""
    runs, bars = paths.shape
    sums = running_sums(paths)
    rows = max(1, BLOCK // max(bars, 1))
    parts = []
    for begin in range(0, runs, rows):
        part = sums[begin : begin + rows]
        full = np.full(len(part), max(fast, slow) - 1)
        some = np.arange(begin, begin + len(part))
        parts.append(_trips(rolling_mean(part, fast), rolling_mean(part, slow), full, some))
    return joined(runs, bars, parts)


def crossing_trips(price: FloatArray, fast: Rows, slow: Rows) -> Trips:
    """In at the close where the fast mean is first above the slow one, having been below; out where it is below."""
    bars, windows = len(price), np.unique(np.concatenate([fast, slow]))
    sums = running_sums(price)
    means = np.stack([rolling_mean(sums, int(window)) for window in windows])
    place = np.zeros(int(windows[-1]) + 1, np.intp)
    place[windows] = np.arange(len(windows))
    order = np.lexsort((slow, fast))
    rows = max(1, BLOCK // max(bars, 1))
    parts = []
    for group in np.split(order, np.flatnonzero(np.diff(fast[order])) + 1):
        one = means[place[fast[group[0]]]]
        for begin in range(0, len(group), rows):
            some = group[begin : begin + rows]
            full = np.maximum(fast[some], slow[some]) - 1  # the first bar that both means have
            parts.append(_trips(one, _rows(means, place[slow[some]]), full, some))
    return joined(len(fast), bars, parts)


def _rows(means: FloatArray, wanted: Rows) -> FloatArray:
    """Those rows; without a copy where they lie side by side."""
    if len(wanted) and bool((np.diff(wanted) == 1).all()):
        return means[wanted[0] : wanted[-1] + 1]
    return means[wanted]


def _trips(fast: FloatArray, slow: FloatArray, full: Rows, runs: Rows) -> Trips:
    above = slow < fast
    cells, bars = above.ravel(), above.shape[1]
    if np.count_nonzero(above) == np.count_nonzero(slow <= fast):
        at = np.flatnonzero(cells[1:] ^ cells[:-1]) + 1
    else:  # means that touch: neither in nor out until they part
        below = (slow > fast).ravel()
        at = np.flatnonzero((cells[1:] & ~cells[:-1]) | (below[1:] & ~below[:-1])) + 1
    row, bar = np.divmod(at, bars)
    kept = bar > full[row]
    return alternating(len(runs), bars, runs[row[kept]], bar[kept], cells[at[kept]])
