"""Capital across strategies from what each has earned so far: the constructions of this package, on short records."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.portfolio.bandit import thompson, upper_confidence
from models.portfolio.hrp import hierarchical_risk_parity
from models.portfolio.mean_variance import mean_variance
from models.portfolio.risk_parity import risk_parity
from models.portfolio.tangency import kelly_allocation, volatility_targeted_tangency
from models.validation.statistics import STILL

FloatArray = npt.NDArray[np.float64]
Method = Literal["equal", "mean_variance", "risk_parity", "hrp", "kelly", "tangency", "thompson", "ucb"]
METHODS: tuple[Method, ...] = (
    "equal", "mean_variance", "risk_parity", "hrp", "kelly", "tangency", "thompson", "ucb")
SESSIONS_A_YEAR = 252


@dataclass(frozen=True)
class Allocation:
    """Shares of the capital add up to `most` at the most; what is not given out stays cash. Nobody gets less than
    nothing: a strategy that should be traded the other way round is another strategy.

    The covariance of `look_back` sessions is drawn by `shrink` to its diagonal, which gives it an inverse even where
    two strategies are the same. Until `least` sessions are known all get alike."""

    method: Method = "risk_parity"
    look_back: int = 126
    least: int = 42
    shrink: float = 0.1
    most: float = 1.0
    risk_aversion: float = 5.0  # mean_variance, on annual figures
    kelly_fraction: float = 0.5
    target_vol_annual: float = 0.10  # tangency

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"'{self.method}' is no allocation: choose one of {', '.join(METHODS)}")
        if not (0.0 < self.shrink <= 1.0 and self.least >= 3 and self.look_back >= self.least and self.most > 0.0):
            raise ValueError("an allocation shrinks by more than nothing, looks back over least ≥ 3 sessions or more, "
                             f"and gives out something: {self}")

    def shares(self, excess: FloatArray) -> FloatArray:
        """(strategies,) from (sessions, strategies) excess returns, net, known by now, oldest first."""
        count = excess.shape[1]
        even = np.full(count, self.most / count)
        known = excess[-self.look_back :]
        if self.method == "equal" or len(known) < self.least:
            return even
        moving = known.std(axis=0) > STILL  # one that has done nothing yet has no risk to measure, and waits
        if not moving.any():
            return even
        told = np.zeros(count)
        told[moving] = self._of(known[:, moving])
        return told

    def _of(self, known: FloatArray) -> FloatArray:
        if self.method == "thompson":
            return self.most * thompson(known)
        if self.method == "ucb":
            return self.most * upper_confidence(known)
        mean = known.mean(axis=0) * SESSIONS_A_YEAR
        sample = np.atleast_2d(np.cov(known.T)) * SESSIONS_A_YEAR
        sigma = (1.0 - self.shrink) * sample + self.shrink * np.diag(np.diag(sample))
        if self.method == "mean_variance":
            return self.most * mean_variance(mean, sigma, self.risk_aversion)
        if self.method == "risk_parity":
            return self.most * risk_parity(sigma)
        if self.method == "hrp":
            return self.most * hierarchical_risk_parity(sigma)
        wanted = mean > 0.0  # what has lost would be sold, and is left out instead
        told = np.zeros(len(mean))
        if wanted.any():
            inside = sigma[np.ix_(wanted, wanted)]
            told[wanted] = np.maximum(
                kelly_allocation(mean[wanted], inside, self.kelly_fraction) if self.method == "kelly"
                else volatility_targeted_tangency(mean[wanted], inside, self.target_vol_annual), 0.0)
        gross = told.sum()
        return told * (self.most / gross) if gross > self.most else told
