"""Where a fast mean crosses a slow one: the trips of many pairs over one price path, or of one pair over many paths."""

import numpy as np
import numpy.typing as npt

from models.backtest.sweep.trips import Bools, Rows, Trips, alternating

FloatArray = npt.NDArray[np.float64]
BLOCK = 1 << 17  # cells compared at a time: they and what is made of them stay in a core's cache


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
    sums, found = running_sums(paths), []
    rows = max(1, BLOCK // max(bars, 1))
    for begin in range(0, runs, rows):
        some = np.arange(begin, min(begin + rows, runs))
        part = sums[begin : begin + rows]
        full = np.full(len(some), max(fast, slow) - 1)
        found.append(_events(rolling_mean(part, fast), rolling_mean(part, slow), full, some))
    return alternating(runs, bars, *(np.concatenate(parts) for parts in zip(*found, strict=True)))


def crossing_trips(price: FloatArray, fast: Rows, slow: Rows) -> Trips:
    """In at the close where the fast mean is first above the slow one, having been below; out where it is below."""
    bars, windows = len(price), np.unique(np.concatenate([fast, slow]))
    sums = running_sums(price)
    means = np.stack([rolling_mean(sums, int(window)) for window in windows])
    place = np.zeros(int(windows[-1]) + 1, np.intp)
    place[windows] = np.arange(len(windows))
    order = np.lexsort((slow, fast))
    groups = np.flatnonzero(np.diff(fast[order])) + 1
    found: list[tuple[Rows, Rows, Bools]] = []
    for group in np.split(order, groups):
        one = means[place[fast[group[0]]]]
        rows = max(1, BLOCK // max(bars, 1))
        for begin in range(0, len(group), rows):
            some = group[begin : begin + rows]
            full = np.maximum(fast[some], slow[some]) - 1  # the first bar that both means have
            found.append(_events(one, _rows(means, place[slow[some]]), full, some))
    run, bar, enters = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if not bool((np.diff(order) > 0).all()):  # the pairs came in another order than they were worked through in
        by_run = np.argsort(run, kind="stable")
        run, bar, enters = run[by_run], bar[by_run], enters[by_run]
    return alternating(len(fast), bars, run, bar, enters)


def _rows(means: FloatArray, wanted: Rows) -> FloatArray:
    """Those rows; without a copy where they lie side by side."""
    if len(wanted) and bool((np.diff(wanted) == 1).all()):
        return means[wanted[0] : wanted[-1] + 1]
    return means[wanted]


def _events(fast: FloatArray, slow: FloatArray, full: Rows, runs: Rows) -> tuple[Rows, Rows, Bools]:
    above = slow < fast
    cells, bars = above.ravel(), above.shape[1]
    if np.count_nonzero(above) == np.count_nonzero(slow <= fast):
        at = np.flatnonzero(cells[1:] ^ cells[:-1]) + 1
    else:  # means that touch: neither in nor out until they part
        below = (slow > fast).ravel()
        at = np.flatnonzero((cells[1:] & ~cells[:-1]) | (below[1:] & ~below[:-1])) + 1
    row, bar = np.divmod(at, bars)
    kept = bar > full[row]
    return runs[row[kept]], bar[kept], cells[at[kept]]
