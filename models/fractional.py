"""Fractional differencing: a series made stationary at the least loss of its memory.

The order and the threshold are to be chosen on the training fold only; nothing here looks at more than the window.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LONGEST = 100_000


def difference_weights(order: float, threshold: float = 1e-5) -> Floats:
    """Newest value first: w_0 = 1, w_k = −w_{k−1} (d − k + 1) / k, until one is smaller than `threshold`."""
    if not threshold > 0.0:
        raise ValueError("a fixed width needs a threshold above zero")
    weights = [1.0]
    for lag in range(1, LONGEST):
        weight = -weights[-1] * (order - lag + 1) / lag
        if abs(weight) < threshold:
            break
        weights.append(weight)
    return np.array(weights)


def differenced(values: Floats, order: float, threshold: float = 1e-5) -> Floats:
    """(rows,) fractional difference over a window of one fixed width; NaN until the window is full."""
    weights = difference_weights(order, threshold)
    result = np.full(len(values), np.nan)
    if len(values) >= len(weights):
        result[len(weights) - 1 :] = np.lib.stride_tricks.sliding_window_view(values, len(weights)) @ weights[::-1]
    return result
