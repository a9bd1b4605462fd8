"""Weights in closed form: the tangency portfolio scaled to a volatility, and Kelly across strategies."""

import numpy as np
from numpy.typing import NDArray

from models.portfolio.covariance import checked, volatility

Floats = NDArray[np.float64]


def volatility_targeted_tangency(
    expected: Floats, covariance: Floats, target_vol: float, max_gross: float = np.inf
) -> Floats:
    """Most expected excess return at `target_vol`, which is of the same period as both inputs; long and short.

    The direction is Σ⁻¹μ. It is scaled by its own volatility and not first by its sum: where the sum is negative, that
    would turn every position round. All are cut alike where their sizes add to more than `max_gross`."""
    direction = np.asarray(np.linalg.solve(checked(covariance), expected), dtype=np.float64)
    spread = volatility(direction, covariance)
    if not spread > 0.0:
        return np.zeros(len(expected))
    return _within(direction * (target_vol / spread), max_gross)


def kelly_allocation(
    expected: Floats, covariance: Floats, fraction: float = 0.5, max_gross: float = np.inf
) -> Floats:
    """Capital by strategy that grows fastest where excess returns are normal, Σ⁻¹μ, times `fraction`.

    Leverage is part of the answer, so both inputs must be of one and the same period; all are cut alike to
    `max_gross`. A negative weight says that the strategy should be traded the other way, or not at all."""
    full = np.asarray(np.linalg.solve(checked(covariance), expected), dtype=np.float64)
    return _within(fraction * full, max_gross)


def _within(weights: Floats, max_gross: float) -> Floats:
    gross = float(np.abs(weights).sum())
    return weights * (max_gross / gross) if gross > max_gross else weights
