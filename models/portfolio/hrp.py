"""Hierarchical risk parity (Lopez de Prado 2016): split the risk down a tree of likeness, inverting nothing."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Linkage = Literal["ward", "single", "average", "complete"]


def hierarchical_risk_parity(covariance: Floats, linkage: Linkage = "ward") -> Floats:
    """Long weights that sum to one. A covariance without an inverse will do, a variance of zero will not.

    Assets are put in the order of a tree on sqrt((1 − correlation) / 2), like beside like; then each half gets risk
    against the other's by the variance of its inverse-variance portfolio, down to single assets."""
    from scipy.cluster.hierarchy import leaves_list, optimal_leaf_ordering
    from scipy.cluster.hierarchy import linkage as tree_of
    from scipy.spatial.distance import squareform

    variances = np.diag(covariance)
    if not np.isfinite(covariance).all() or (variances <= 0.0).any():
        raise ValueError("a covariance is finite and its variances positive")
    size = len(covariance)
    weights = np.ones(size)
    if size < 2:
        return weights
    correlation = np.clip(covariance / np.sqrt(np.outer(variances, variances)), -1.0, 1.0)
    distance = np.sqrt((1.0 - correlation) / 2.0)
    np.fill_diagonal(distance, 0.0)
    condensed = squareform(distance, checks=False)
    order = np.asarray(leaves_list(optimal_leaf_ordering(tree_of(condensed, method=linkage), condensed)))
    halved = [order]
    while halved:
        group = halved.pop()
        if len(group) < 2:
            continue
        left, right = group[: len(group) // 2], group[len(group) // 2 :]
        one, other = _variance(left, covariance), _variance(right, covariance)
        weights[left] *= other / (one + other)
        weights[right] *= one / (one + other)
        halved += [left, right]
    return weights


def _variance(members: NDArray[np.intp], covariance: Floats) -> float:
    """Of the inverse-variance portfolio of the members."""
    inside = covariance[np.ix_(members, members)]
    shares = 1.0 / np.diag(inside)
    shares = shares / shares.sum()
    return float(shares @ inside @ shares)
