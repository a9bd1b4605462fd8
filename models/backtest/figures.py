"""The figures of a judged strategy that a person reads: per year where the name says so."""

import numpy as np
import numpy.typing as npt

from models.validation.statistics import STILL

FloatArray = npt.NDArray[np.float64]
SESSIONS_A_YEAR = 252


def sharpe_annual(excess: FloatArray) -> float:
    """Mean over standard deviation (ddof 1), times the root of 252; zero for a book that never moves."""
    if len(excess) < 2:
        return 0.0
    spread = float(excess.std(ddof=1))
    return float(excess.mean()) / spread * float(np.sqrt(SESSIONS_A_YEAR)) if spread > STILL else 0.0


def max_drawdown(net: FloatArray) -> float:
    """Deepest fall from a peak, as a share of the stated capital (returns add up on a constant capital)."""
    path = np.concatenate([[0.0], np.cumsum(net)])
    return float((np.maximum.accumulate(path) - path).max())


def annual_return(net: FloatArray) -> float:
    return float(net.mean()) * SESSIONS_A_YEAR if len(net) else 0.0


def annual_volatility(net: FloatArray) -> float:
    return float(net.std(ddof=1)) * float(np.sqrt(SESSIONS_A_YEAR)) if len(net) > 1 else 0.0
