"""vectorbt's sweep of moving-average crosses. argv: SHAPE (pairs or names) RUNS FILE, where its figures of each run go.

As its own documents drive it: `MA.run`, `ma_crossed_above`, `Portfolio.from_signals`, then the figures.
"""

import json
import sys
import warnings
from typing import Any

import numpy as np

from tests.bench.cross_data import FAST, FEE, PAIRS, SLOW, path
from tests.bench.measure import peak_mb, timed


def main(shape: str, runs: int, into: str) -> None:
    warnings.simplefilter("ignore")
    import pandas as pd
    import vectorbt as vbt

    close = np.load(path())["close"]
    days = pd.bdate_range("2015-01-02", periods=len(close))
    price = pd.Series(close[:, 0], days) if shape == "pairs" else pd.DataFrame(close, days)
    fast, slow = (PAIRS[:, 0].tolist(), PAIRS[:, 1].tolist()) if shape == "pairs" else (FAST, SLOW)
    told: list[Any] = []

    def work() -> None:
        one = vbt.MA.run(price, fast, short_name="fast")
        other = vbt.MA.run(price, slow, short_name="slow")
        book = vbt.Portfolio.from_signals(price, one.ma_crossed_above(other), one.ma_crossed_below(other), fees=FEE,
                                          freq="1D")
        told[:] = [book.total_return(), book.sharpe_ratio(), book.max_drawdown()]

    took = timed(work, runs=runs)
    np.savez(into, **dict(zip(("total_return", "sharpe", "max_drawdown"), map(np.asarray, told), strict=True)))
    print(json.dumps({"version": f"vectorbt {vbt.__version__}", "median_s": took.median_s, "cold_s": took.cold_s,
                      "runs": took.runs, "peak_mb": peak_mb(), "cpu": took.cpu_words}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
