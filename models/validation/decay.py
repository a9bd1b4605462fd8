"""Whether a strategy still earns what it was let through for: a one-sided CUSUM of daily active returns, whose mean
time to a false alarm is computed, not hoped for."""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from models.validation.statistics import moments, standard_error

FloatArray = npt.NDArray[np.float64]
YEAR = 252
FALSE_ALARM_SESSIONS = 2 * YEAR  # a healthy strategy is called ill once in two years on average
# Real returns have fat tails and come in calm and wild stretches, which bring alarms sooner than the normal law says:
# the level is set for a mean time this much longer.
MARGIN = 1.25
STATES = 240  # of the chain that the run length is computed from
_NORMAL = NormalDist()


@lru_cache(maxsize=64)
def _chain(reference: float, level: float, shift: float) -> FloatArray:
    """Transition matrix of the statistic max(0, C + x - reference), x ~ N(shift, 1), over cells below `level`
    (Brook and Evans 1972)."""
    width = 2.0 * level / (2 * STATES - 1)
    cdf = np.vectorize(_NORMAL.cdf)
    steps = np.arange(-STATES, STATES) * width + reference - shift
    above, below = cdf(steps + width / 2.0), cdf(steps - width / 2.0)
    start, end = np.indices((STATES, STATES))
    moves: FloatArray = (above - below)[end - start + STATES]
    moves[:, 0] = above[STATES - np.arange(STATES)]
    return moves


def mean_run_length(reference: float, level: float, shift: float = 0.0) -> float:
    """Mean number of observations until the statistic reaches `level`, from rest."""
    left = np.eye(STATES) - _chain(reference, level, shift)
    return float(np.linalg.solve(left, np.ones(STATES))[0])


def median_run_length(reference: float, level: float, shift: float, longest: int = 100 * YEAR) -> int | None:
    """Observations by which half of all runs have reached `level`; None where that takes longer than `longest`."""
    moves = _chain(reference, level, shift)
    alive = np.zeros(STATES)
    alive[0] = 1.0
    for passed in range(1, longest + 1):
        alive = alive @ moves
        if alive.sum() <= 0.5:
            return passed
    return None


@lru_cache(maxsize=64)
def level_for(reference: float, sessions: float) -> float:
    """The level that a healthy series reaches after so many sessions on average."""
    low, high = 1e-3, 1.0
    while mean_run_length(reference, high) < sessions:
        high *= 2.0
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (middle, high) if mean_run_length(reference, middle) < sessions else (low, middle)
    return (low + high) / 2.0


@dataclass(frozen=True)
class Watch:
    """What is believed of a healthy and of a broken strategy, as annual Sharpes, and what follows for the test."""

    healthy: float
    broken: float
    false_alarm_sessions: float = FALSE_ALARM_SESSIONS

    def __post_init__(self) -> None:
        if not self.healthy > self.broken:
            raise ValueError(f"a healthy Sharpe of {self.healthy:g} is not above the broken one of {self.broken:g}")

    @property
    def gap(self) -> float:
        """Between the two, in standard deviations of one session."""
        return round((self.healthy - self.broken) / math.sqrt(YEAR), 6)

    @property
    def level(self) -> float:
        return level_for(self.gap / 2.0, self.false_alarm_sessions * MARGIN)

    @property
    def median_sessions_to_detect(self) -> int | None:
        return median_run_length(self.gap / 2.0, self.level, self.gap)

    def statistic(self, active: FloatArray, daily_volatility: float) -> FloatArray:
        """The CUSUM after each session: how much worse than healthy it has been since it last was not."""
        expected = self.healthy / math.sqrt(YEAR)
        told = np.empty(len(active))
        held = 0.0
        for at, worse in enumerate(expected - active / daily_volatility - self.gap / 2.0):
            held = max(0.0, held + float(worse))
            told[at] = held
        return told


@dataclass(frozen=True)
class OneBelow:
    """What trading folklore watches for: a live Sharpe more than one standard error below the judged one. All annual.

    `below` is None while too few sessions were lived for a Sharpe. A healthy strategy is called ill in 16 of 100 looks,
    and more often, since the newer figure errs as well: it is told, and alarms nobody."""

    judged: float
    error: float
    live: float
    sessions: int

    @property
    def below(self) -> bool | None:
        return None if math.isnan(self.live) else self.live < self.judged - self.error


def one_below(evidence: FloatArray, live: FloatArray) -> OneBelow:
    """From the returns that it was judged on, and those since."""
    judged, since = moments(evidence), moments(live)
    year = math.sqrt(YEAR)
    return OneBelow(judged.sharpe * year, standard_error(judged) * year, since.sharpe * year, len(live))
