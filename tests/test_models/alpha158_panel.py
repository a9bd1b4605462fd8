"""A small market for comparing Alpha158 with Qlib's own: plain names and awkward ones, on a grid that float32 holds.

NumPy only, as Qlib's environment generates it too. `tests/bench/peers/qlib_record.py` records Qlib's values of it.
"""

import numpy as np
from numpy.typing import NDArray

SESSIONS = 130
FIELDS = ("open", "high", "low", "close", "vwap", "volume")
NAMES = ("PLAIN", "WILD", "LISTED", "DELISTED", "STILL", "HALTED", "QUIET", "STEADY")
LISTED_AT, DELISTED_AT = 40, 95
STILL = slice(60, 76)  # sixteen sessions at one price
HALTS = (30, 31, 70, 100, 101, 102, 103)
QUIET = (25, 26, 90)  # bars without volume
# STEADY trades a million shares a day, give or take eight: to Qlib such a volume stands still.
GRID = 64.0


def panel(seed: int = 158) -> dict[str, NDArray[np.float32]]:
    """Columns of (sessions, names); NaN where a name has no bar."""
    rng = np.random.default_rng(seed)
    shape = (SESSIONS, len(NAMES))
    swing = np.array([0.012, 0.05, 0.02, 0.015, 0.01, 0.02, 0.015, 0.02])
    close = np.empty(shape)
    price = np.array([80.0, 12.0, 45.0, 230.0, 30.0, 61.0, 25.0, 100.0])
    for session in range(SESSIONS):
        price = price * (1.0 + swing * rng.uniform(-1.7, 1.7, len(NAMES)))
        close[session] = price
    close = np.round(close * GRID)
    close[STILL, 4] = close[STILL.start, 4]
    before = np.vstack([close[:1], close[:-1]])
    reach = np.maximum(np.round(close * swing), 1.0)
    open_ = before + np.round(reach * rng.uniform(-0.6, 0.6, shape))
    high = np.maximum(open_, close) + np.floor(reach * rng.uniform(0.0, 0.9, shape))
    low = np.minimum(open_, close) - np.floor(reach * rng.uniform(0.0, 0.9, shape))
    for part in (open_, high, low):
        part[STILL, 4] = close[STILL, 4]
    vwap = np.round((open_ + high + low + 2 * close) / 5)
    volume = 100.0 * rng.integers(2_000, 60_000, shape)
    volume[QUIET, 6] = 0.0
    volume[:, 7] = 1_000_000.0 + rng.integers(-8, 9, SESSIONS)
    columns = {
        "open": open_ / GRID, "high": high / GRID, "low": low / GRID, "close": close / GRID, "vwap": vwap / GRID,
        "volume": volume,
    }
    gone = np.zeros(shape, dtype=bool)
    gone[:LISTED_AT, 2] = gone[DELISTED_AT:, 3] = True
    gone[HALTS, 5] = True
    for name, column in columns.items():
        small = column.astype(np.float32)
        assert (small == column).all(), name
        columns[name] = np.where(gone, np.float32(np.nan), small)
    return columns
