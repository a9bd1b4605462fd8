"""Crosses of two averages: 10,000 pairs over one path, one pair over 500 names; with vectorbt and a Numba pass beside.

Each run's return, Sharpe and drawdown are held to vectorbt's own before a time of ours is worth telling.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.cross_data import BARS, BARS_A_YEAR, FAST, FEE, NAMES, PAIRS, SLOW, path
from tests.bench.measure import Row, apart, peak_mb, peer, timed

FIGURES = ("total_return", "sharpe", "max_drawdown")
SHAPES = {"pairs": (f"ma_cross/{len(PAIRS)}x{BARS} return+sharpe+drawdown", 9, 1),
          "names": (f"ma_cross/1x{NAMES} return+sharpe+drawdown", 15, 5)}


def ours(shape: str, runs: int, into: str) -> dict[str, Any]:
    from models.backtest.sweep import Fees, sweep_crossings

    close, told = np.load(path())["close"], []
    fast, slow = (PAIRS[:, 0], PAIRS[:, 1]) if shape == "pairs" else (FAST, SLOW)

    def work() -> None:
        told[:] = [sweep_crossings(close[:, 0] if shape == "pairs" else close, fast, slow, Fees(FEE), BARS_A_YEAR)]

    took = timed(work, runs=runs)
    np.savez(into, **{name: getattr(told[0], name) for name in FIGURES})
    return {"median_s": took.median_s, "cold_s": took.cold_s, "runs": took.runs, "peak_mb": peak_mb(),
            "cpu": took.cpu_words}


def apart_by(mine: Path, theirs: Path) -> float:
    """The largest difference of any figure of any run; vectorbt calls the Sharpe of a run that never moved infinite."""
    one, other = np.load(mine), np.load(theirs)
    moved = np.isfinite(one["sharpe"])
    assert (np.isfinite(other["sharpe"]) == moved).all()
    return max(float(np.abs(one[name] - other[name])[moved].max()) for name in FIGURES)


def rows() -> list[Row]:
    told = []
    for shape, (workload, runs, their_runs) in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            mine, theirs = Path(folder) / "ours.npz", Path(folder) / "vectorbt.npz"
            one = apart("ma_cross", shape, str(runs), str(mine), OMP_NUM_THREADS="1")
            floor = peer("floor", "peers.floor_cross", shape, str(runs))
            other = peer("vectorbt", "peers.vectorbt_cross", shape, str(their_runs), str(theirs))
            note = f"one thread; {one['cpu']}"
            if floor:
                note += f"; {one['median_s'] / floor['median_s']:.2f} of a Numba pass on two threads ({floor['cpu']})"
            if other:
                gap = apart_by(mine, theirs)
                assert gap < 1e-9, f"{workload}: {gap} away from vectorbt"
                note += (f"; {other['version']} {other['median_s'] / one['median_s']:.0f} times as long "
                         f"({other['cpu']}, {other['peak_mb']:,.0f} MB, {other['runs']} run(s), "
                         f"cold {other['cold_s']:.1f} s), no figure {gap:.0e} away")
            told.append(Row(workload, one["median_s"], one["cold_s"], "vectorbt", other["median_s"] if other else None,
                            floor["median_s"] if floor else None, one["peak_mb"], runs, note))
    return told


if __name__ == "__main__":
    print(json.dumps(ours(sys.argv[1], int(sys.argv[2]), sys.argv[3])))
