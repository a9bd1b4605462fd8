"""Capital across strategies as a bandit deals it: by what each may yet be worth, not only by what it has shown.

Worth is the Sharpe per session, so that nobody wins by being wild. Each strategy's own paper record is known whether or
not it had capital, so nothing is learnt by paying for it; what the bandit adds is that a short record is not held
against a strategy for ever.
"""

import math

import numpy as np
from numpy.typing import NDArray

from models.validation.statistics import STILL

Floats = NDArray[np.float64]
STEPS, REACH = 2001, 8.0  # of the sum over what the best may be worth; how far out, in standard errors


def worth(excess: Floats) -> tuple[Floats, Floats]:
    """(Sharpe, its standard error) per session of (sessions, strategies). A record counts from its first move on; one
    that has not moved is worth nothing and sure of it."""
    sharpe, error = np.zeros(excess.shape[1]), np.zeros(excess.shape[1])
    for at, own in enumerate(excess.T):
        moved = np.flatnonzero(own != 0.0)
        since = own[moved[0] :] if len(moved) else own[:0]
        spread = float(since.std(ddof=1)) if len(since) > 1 else 0.0
        if spread > STILL:
            sharpe[at] = float(since.mean()) / spread
            error[at] = math.sqrt((1.0 + sharpe[at] ** 2 / 2.0) / len(since))
    return sharpe, error


def thompson(excess: Floats) -> Floats:
    """(strategies,) the chance of each to be the best of them and worth more than cash: the shares that Thompson
    sampling gives on average, summed up instead of drawn. What is missing to one is the chance that cash is best."""
    from scipy.special import ndtr

    sharpe, error = worth(excess)
    known = error > 0.0
    told = np.zeros(len(sharpe))
    if not known.any():
        return told
    mean, spread = sharpe[known], error[known]
    low, high = max(0.0, float((mean - REACH * spread).min())), float((mean + REACH * spread).max())
    if high <= 0.0:
        return told
    value = np.linspace(low, high, STEPS)[:, None]
    below = ndtr((value - mean) / spread)  # chance of each to be worth less
    density = np.exp(-0.5 * ((value - mean) / spread) ** 2) / (spread * math.sqrt(2.0 * math.pi))
    others = np.stack([np.delete(below, at, axis=1).prod(axis=1) for at in range(len(mean))], axis=1)
    weight = np.full(STEPS, 1.0)
    weight[[0, -1]] = 0.5
    told[known] = (density * others * weight[:, None]).sum(axis=0) * ((high - low) / (STEPS - 1))
    return told / max(1.0, float(told.sum()))


def upper_confidence(excess: Floats, width: float = 1.645) -> Floats:
    """(strategies,) everything to who may be worth most: the Sharpe and `width` of its standard errors. Equals share;
    where not even that is above cash, nobody gets anything."""
    sharpe, error = worth(excess)
    bound = np.where(error > 0.0, sharpe + width * error, -np.inf)
    best = ((bound >= bound.max() - 1e-12) & (bound > 0.0)).astype(np.float64)
    told: Floats = best / max(1.0, float(best.sum()))
    return told
