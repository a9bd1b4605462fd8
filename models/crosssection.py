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


def zscores(values: Floats, active: NDArray[np.bool_]) -> Floats:
    """`zscore` of the active names of each session, to the bit, for (sessions, names, two columns and more): sums run
    over names one by one, and what an inactive name adds to them is nothing."""
    finite = np.isfinite(values) & active[:, :, None]
    count = np.maximum(finite.sum(axis=1, keepdims=True), 1)
    mean = np.where(finite, values, 0.0).sum(axis=1, keepdims=True) / count
    centred = np.where(finite, values - mean, 0.0)
    spread = np.sqrt((centred * centred).sum(axis=1, keepdims=True) / count)
    safe = np.where(spread > 1e-12, spread, np.inf)
    return np.where(finite, np.clip(centred / safe, -CLIP, CLIP), np.nan)


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


def rank_labels(returns: Floats, active: NDArray[np.bool_]) -> Floats:
    """`rank_label` of the active names of each session (sessions, names), to the bit: how far ranks lie apart depends
    on their number only."""
    finite = np.isfinite(returns) & active
    order = np.argsort(np.where(finite, returns, np.inf), axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(order.shape[1]), order.shape), axis=1)
    ranked = np.full(returns.shape, np.nan)
    counts = finite.sum(axis=1)
    for count in np.unique(counts[counts > 1]):
        spread, rows = _even_ranks(int(count)), np.flatnonzero(counts == count)
        known = finite[rows]
        labels = np.full(known.shape, np.nan)
        labels[known] = spread[ranks[rows][known]]
        ranked[rows] = labels
    return ranked


def rank_correlation(scores: Floats, returns: Floats) -> float:
    """Spearman's of one session over the names that have both; NaN with fewer than three, or where one of the two is
    the same for all: its ranks would be the names' own order."""
    both = np.isfinite(scores) & np.isfinite(returns)
    if int(both.sum()) < 3 or np.ptp(scores[both]) == 0.0 or np.ptp(returns[both]) == 0.0:
        return float("nan")
    left, right = rank_label(scores[both]), rank_label(returns[both])
    return float((left * right).sum() / both.sum())
