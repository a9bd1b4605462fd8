"""Risk parity: long weights of which each gives the portfolio the share of risk it was granted."""

import numpy as np
from numpy.typing import NDArray

from models.portfolio.covariance import checked

Floats = NDArray[np.float64]
STEPS = 200
CLOSE = 1e-12


def risk_shares(weights: Floats, covariance: Floats) -> Floats:
    """(assets,) share of the portfolio's variance that comes with each."""
    shares: Floats = weights * (covariance @ weights) / float(weights @ covariance @ weights)
    return shares


def risk_parity(covariance: Floats, budget: Floats | None = None) -> Floats:
    """Weights that sum to one, with risk shares in proportion to `budget` (equal unless given).

    Solves min ½ x'Cx − Σ b ln x on correlations by damped Newton steps, which is convex and has one answer, and undoes
    the scaling; so no starting point and no solver's tolerance shows in the result."""
    sigma = checked(covariance)
    size = len(sigma)
    granted = np.full(size, 1.0 / size) if budget is None else budget / budget.sum()
    if len(granted) != size or not (granted > 0.0).all():
        raise ValueError("every asset needs a positive share of the risk")
    vols = np.sqrt(np.diag(sigma))
    correlation = sigma / np.outer(vols, vols)
    x = np.sqrt(granted) / np.sqrt(correlation.sum() / size)
    for _ in range(STEPS):
        gradient = correlation @ x - granted / x
        step = np.linalg.solve(correlation + np.diag(granted / x**2), gradient)
        relative = float(np.abs(step / x).max())
        x = x - step / (1.0 + relative)  # damped: never crosses zero; whole steps as it closes in
        if relative < CLOSE:
            break
    else:
        raise ArithmeticError("risk parity did not settle")
    held = x / vols
    weights: Floats = held / held.sum()
    return weights
