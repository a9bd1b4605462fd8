"""Arithmetic over the names of a session that does not care which other names are listed, or in what order.

A name that lists next year must not move a bit of today's mean: values are sorted, missing ones stand last and
add zero, and the sum runs strictly from left to right.
"""

import numpy as np

from models.features.feature import FloatArray


def total(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sum and number of the finite values over axis 1, kept as an axis of one."""
    ordered = np.sort(np.where(np.isfinite(values), values, np.nan), axis=1)  # NaN sorts last
    finite = np.isfinite(ordered)
    sums = np.cumsum(np.where(finite, ordered, 0.0), axis=1)[:, -1:] + 0.0
    return sums, finite.sum(axis=1, keepdims=True).astype(np.float64)


def mean(values: FloatArray) -> FloatArray:
    """Mean of the finite values over axis 1, kept as an axis of one; NaN where there are none."""
    sums, counts = total(values)
    return np.where(counts > 0, sums / np.maximum(counts, 1.0), np.nan)


def rank(values: FloatArray) -> FloatArray:
    """Rank of each finite value among the finite ones of its session, 0 to 1, ties in the middle; (sessions, names)."""
    ranks = np.full(values.shape, np.nan)
    for session, row in enumerate(values):
        finite = np.isfinite(row)
        kept = np.sort(row[finite])
        if kept.size > 1:
            below, upto = np.searchsorted(kept, row[finite]), np.searchsorted(kept, row[finite], side="right")
            ranks[session, finite] = (below + upto - 1) / 2 / (kept.size - 1)
    return ranks


_UNIT = 2.0**40  # fixed point: whole numbers sum to the same in any order, and far faster than a sort
_MOST = 1000.0


def steady_mean(values: FloatArray) -> FloatArray:
    """Mean of the finite values over axis 1, kept as an axis of one, for shares and scores.

    To a part in 10**12, and no value counts for more than 1,000 either way.
    """
    finite = np.isfinite(values)
    whole = np.rint(np.clip(np.where(finite, values, 0.0), -_MOST, _MOST) * _UNIT).astype(np.int64)
    counts = finite.sum(axis=1, keepdims=True)
    sums = whole.sum(axis=1, keepdims=True).astype(np.float64) / _UNIT
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def score(values: FloatArray, most: float = 3.0) -> FloatArray:
    """(value - mean) / deviation among the names of each session, cut at `most`; (sessions, names)."""
    centred = values - steady_mean(values)
    spread = np.sqrt(steady_mean(centred * centred))
    return np.clip(centred / np.where(spread > 0.0, spread, np.nan), -most, most)
