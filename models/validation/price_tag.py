"""What a bias would have added to a Sharpe: two records of the same sessions, one honest, and the paired interval of
their difference."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.backtest.figures import SESSIONS_A_YEAR, sharpe_annual

FloatArray = npt.NDArray[np.float64]
Z_95 = 1.959964
LEAST_SESSIONS = 20


@dataclass(frozen=True)
class Tag:
    """Annual Sharpes. `low` and `high` bound what the bias added (95 %); NaN where there are too few sessions."""

    honest: float
    biased: float
    added: float
    low: float
    high: float
    sessions: int


def influence(excess: FloatArray) -> FloatArray:
    """How much each session moves the Sharpe per session: its first-order share in the estimate's error."""
    spread = float(excess.std())
    if not spread > 0.0:
        return np.zeros_like(excess)
    scaled = (excess - excess.mean()) / spread
    share: FloatArray = scaled - 0.5 * float(excess.mean()) / spread * (scaled * scaled - 1.0)
    return share


def price_tag(honest: FloatArray, biased: FloatArray) -> Tag:
    """Both records trade the same sessions, so what they have in common cancels in the interval."""
    if honest.shape != biased.shape:
        raise ValueError(f"a price tag compares the same sessions: {len(honest)} and {len(biased)} were given")
    before, after = sharpe_annual(honest), sharpe_annual(biased)
    reach = math.nan
    if len(honest) >= LEAST_SESSIONS:
        difference = influence(biased) - influence(honest)
        reach = Z_95 * float(difference.std()) / math.sqrt(len(honest)) * math.sqrt(SESSIONS_A_YEAR)
    return Tag(before, after, after - before, after - before - reach, after - before + reach, len(honest))
