"""Markowitz: most expected return for the variance it costs, fully invested, long only unless bounds say otherwise."""

import numpy as np
from numpy.typing import NDArray

from models.portfolio.covariance import checked

Floats = NDArray[np.float64]
CLOSE = 1e-11
NOTHING = 1e-15  # a move that rounding made


def mean_variance(
    expected: Floats, covariance: Floats, risk_aversion: float, *, lowest: float = 0.0, highest: float = 1.0
) -> Floats:
    """Weights that sum to one, each within [lowest, highest], with the largest μ'w − risk_aversion / 2 · w'Σw.

    Found by an active set: assets at a bound are held there and the rest solved exactly; one that would pass its bound
    is held, one that would rather leave it is let go. Exact, and the only answer, as Σ is positive definite."""
    sigma: Floats = checked(covariance) * risk_aversion
    size = len(sigma)
    if not (risk_aversion > 0.0 and np.isfinite(expected).all()):
        raise ValueError("needs a positive risk aversion and finite expectations")
    if not (lowest * size <= 1.0 + CLOSE and highest * size >= 1.0 - CLOSE and lowest < highest):
        raise ValueError(f"weights within [{lowest}, {highest}] of {size} assets cannot sum to one")
    weights: Floats = np.full(size, 1.0 / size)
    held = np.zeros(size, dtype=np.int8)  # -1 at the lowest, 1 at the highest, 0 free
    for _ in range(100 * size + 100):
        free = held == 0
        move, price = _wanted(expected - sigma @ weights, sigma, free)
        reach = np.full(size, np.inf)  # how far along the move each free one meets its bound
        up, down = free & (move > NOTHING), free & (move < -NOTHING)
        reach[up], reach[down] = (highest - weights[up]) / move[up], (lowest - weights[down]) / move[down]
        first = int(reach.argmin())
        if reach[first] < 1.0:
            held[first] = 1 if up[first] else -1
            weights = np.clip(weights + reach[first] * move, lowest, highest)
            weights[first] = highest if up[first] else lowest
            continue
        weights = np.clip(weights + move, lowest, highest)
        slope = expected - sigma @ weights
        regret = np.where(free, np.inf, (slope - price) * held)  # below zero: would rather leave its bound
        worst = int(regret.argmin())
        if regret[worst] >= -CLOSE * float(np.abs(slope).max()):
            return weights
        held[worst] = 0
    raise ArithmeticError("mean-variance did not settle")


def min_variance(covariance: Floats, *, lowest: float = 0.0, highest: float = 1.0) -> Floats:
    """The least variance within the bounds, whatever is expected."""
    scale = float(np.abs(covariance).max())
    return mean_variance(np.zeros(len(covariance)), covariance / scale, 1.0, lowest=lowest, highest=highest)


def _wanted(slope: Floats, sigma: Floats, free: NDArray[np.bool_]) -> tuple[Floats, float]:
    """(move, price of the budget): what the free ones would change among themselves, in sum nothing."""
    move = np.zeros(len(slope))
    level = float(slope[free].mean())
    if int(free.sum()) < 2:  # the budget leaves a single one no choice
        return move, level
    sides = np.stack([slope[free] - level, np.ones(int(free.sum()))], axis=1)
    alone, evenly = np.linalg.solve(sigma[np.ix_(free, free)], sides).T
    price = float(alone.sum() / evenly.sum())
    move[free] = alone - price * evenly
    return move, level + price
