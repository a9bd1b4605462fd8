"""What every construction asks of a covariance before it believes it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def checked(covariance: Floats) -> Floats:
    """The covariance, symmetric to the bit; refused where it is not finite, symmetric and positive definite."""
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1] or not np.isfinite(covariance).all():
        raise ValueError("a covariance is square and finite")
    scale = float(np.abs(covariance).max(initial=0.0))
    if np.abs(covariance - covariance.T).max(initial=0.0) > 1e-10 * scale:
        raise ValueError("a covariance is symmetric")
    even: Floats = (covariance + covariance.T) / 2.0
    variances = np.diag(even)
    if (variances <= 0.0).any():
        raise ValueError("a variance is positive")
    unit = even / np.sqrt(np.outer(variances, variances))
    if float(np.linalg.eigvalsh(unit)[0]) < 1e-10:  # of correlations, so that no unit of measure matters
        raise ValueError("these assets are not different from each other: the covariance has no inverse")
    return even


def volatility(weights: Floats, covariance: Floats) -> float:
    return float(np.sqrt(weights @ covariance @ weights))
