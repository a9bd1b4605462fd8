"""What one judged record earned beyond another, with the interval of a stationary bootstrap over both at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.backtest.figures import SESSIONS_A_YEAR
from models.validation.superior import BLOCK_SESSIONS, RESAMPLES

Floats = NDArray[np.float64]
TAILS = (2.5, 97.5)


def extra(active: Floats, beside: Floats, *, seed: int) -> dict[str, Any]:
    """Of two (T,) series of active returns: the difference a year of their means and of their Sharpe ratios, each with
    its 95 % interval; `above` where that of the Sharpe, which no leverage moves, lies over zero. The sessions are
    drawn for both alike, in blocks, so what they share cancels."""
    from arch.bootstrap import StationaryBootstrap

    pair = np.column_stack([active, beside])
    drawn = StationaryBootstrap(BLOCK_SESSIONS, pair, seed=seed).apply(_gains, RESAMPLES)
    found = {}
    for at, name in enumerate(("annual_return", "sharpe")):
        low, high = np.percentile(drawn[:, at], TAILS)
        found[name] = {"value": float(_gains(pair)[at]), "low": float(low), "high": float(high)}
    return {**found, "sessions": len(active), "block_sessions": BLOCK_SESSIONS, "resamples": RESAMPLES,
            "above": found["sharpe"]["low"] > 0.0}


def _gains(pair: Floats) -> Floats:
    mean, spread = pair.mean(axis=0), pair.std(axis=0, ddof=1)
    sharpe = np.divide(mean, spread, out=np.zeros(2), where=spread > 0.0)
    return np.array([(mean[0] - mean[1]) * SESSIONS_A_YEAR, (sharpe[0] - sharpe[1]) * np.sqrt(SESSIONS_A_YEAR)])
