"""A floor for the sweep: one hand-written Numba pass a run, bar by bar, on two threads. argv: SHAPE RUNS.

It knows one rule and no figure but return, Sharpe and drawdown. It shows how fast this machine can be made to go.
"""

import json
import sys

import numpy as np

from tests.bench.cross_data import BARS_A_YEAR, FAST, FEE, PAIRS, SLOW, path
from tests.bench.measure import peak_mb, timed


def one_run(price, sums, fast, slow, fee, year, out):  # type: ignore[no-untyped-def]
    bars = price.shape[0]
    cash, shares, worth, top, deepest, total, squares, side = 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0
    for t in range(bars):
        if t >= slow - 1:
            gap = (sums[t + 1] - sums[t + 1 - fast]) / fast - (sums[t + 1] - sums[t + 1 - slow]) / slow
            now = 1 if gap > 0.0 else (-1 if gap < 0.0 else side)
            if now > 0 and side < 0 and shares == 0.0:
                shares, cash = cash / (price[t] * (1.0 + fee)), 0.0
            elif now < 0 and side > 0 and shares > 0.0:
                cash, shares = shares * price[t] * (1.0 - fee), 0.0
            side = now
        after = cash + shares * price[t]
        moved = after / worth - 1.0
        worth = after
        total += moved
        squares += moved * moved
        top = max(top, worth)
        deepest = min(deepest, worth / top - 1.0)
    mean = total / bars
    spread = (squares - bars * mean * mean) / (bars - 1)
    out[0], out[1], out[2] = worth - 1.0, mean / np.sqrt(spread) * np.sqrt(year) if spread > 0.0 else np.nan, deepest


def main(shape: str, runs: int) -> None:
    import numba

    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    one = numba.njit(cache=True)(one_run)
    close = np.load(path())["close"]
    paths = np.ascontiguousarray(close[:, :1].T if shape == "pairs" else close.T)
    pairs = PAIRS if shape == "pairs" else np.tile([[FAST, SLOW]], (paths.shape[0], 1))

    def every(paths, sums, which, fast, slow, out):  # type: ignore[no-untyped-def]
        for run in numba.prange(fast.shape[0]):
            one(paths[which[run]], sums[which[run]], fast[run], slow[run], FEE, BARS_A_YEAR, out[run])

    compiled = numba.njit(parallel=True)(every)
    fast, slow, out = pairs[:, 0].copy(), pairs[:, 1].copy(), np.empty((len(pairs), 3))
    which = np.arange(len(pairs)) % len(paths)

    def work() -> None:
        sums = np.zeros((len(paths), paths.shape[1] + 1))
        np.cumsum(paths, axis=1, out=sums[:, 1:])
        compiled(paths, sums, which, fast, slow, out)

    took = timed(work, runs=runs)
    print(json.dumps({"version": f"numba {numba.__version__}", "median_s": took.median_s, "cold_s": took.cold_s,
                      "runs": took.runs, "peak_mb": peak_mb(), "cpu": took.cpu_words,
                      "sums": [float(np.nansum(column)) for column in out.T]}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
