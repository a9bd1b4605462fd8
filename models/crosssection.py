"""Arithmetic across the names of one session: what makes a score comparable from day to day."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CLIP = 4.0  # a single wild name must not set the scale of the others


def zscore(values: Floats) -> Floats:
    """Columns of (names, …) to mean 0 and spread 1 over their finite rows; NaN stays, a constant column becomes 0."""
    if values.ndim == 1 and not np.isfinite(values).all():  # so that absent names do not even change how sums round
        known = np.isfinite(values)
        scattered = np.full(values.shape, np.nan)
        scattered[known] = zscore(values[known])
        return scattered
    finite = np.isfinite(values)
    count = np.maximum(np.count_nonzero(finite, axis=0), 1)
    mean = np.add.reduce(np.where(finite, values, 0.0), axis=0) / count
    centred = np.where(finite, values - mean, 0.0)
    spread = np.sqrt(np.add.reduce(centred * centred, axis=0) / count)
    centred /= np.where(spread > 1e-12, spread, np.inf)
    scaled: Floats = np.minimum(np.maximum(centred, -CLIP, out=centred), CLIP, out=centred)
    return np.where(finite, scaled, np.nan)


@lru_cache(maxsize=1024)
def _even_ranks(count: int) -> Floats:
    """Of the lowest first. Sums of ranks and of their squares are exact, in whichever order they are taken."""
    return zscore(np.arange(count, dtype=np.float64))


def rank_label(returns: Floats) -> Floats:
    """One session's returns (names,) as evenly spread ranks of mean 0 and spread 1; NaN stays."""
    finite = np.isfinite(returns)
    ranked = np.full(returns.shape, np.nan)
    count = int(finite.sum())
    if count < 2:
        return ranked
    values = returns[finite]
    order = np.argsort(values, kind="stable")
    ranks = np.empty(count)
    ranks[order] = _even_ranks(count)
    ranked[finite] = ranks
    return ranked


def rank_correlation(scores: Floats, returns: Floats) -> float:
    """Spearman's of one session over the names that have both; NaN with fewer than three."""
    both = np.isfinite(scores) & np.isfinite(returns)
    if int(both.sum()) < 3:
        return float("nan")
    left, right = rank_label(scores[both]), rank_label(returns[both])
    return float((left * right).sum() / both.sum())
