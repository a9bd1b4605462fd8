"""Recursive indicators on a window: the state begins with the window's first bar, in batch as in tail.

A bar that is missing moves no state, as if the session had not been. What a longer past would still change is the
weight of all that lies before the window: (1 - pace) ** look_back.
"""

import numpy as np

from models.features.feature import FloatArray


def bars(window: FloatArray) -> FloatArray:
    """(look_back, ...): bar by bar, oldest first."""
    return np.ascontiguousarray(np.moveaxis(window, -1, 0))


def before(values: FloatArray) -> FloatArray:
    """At each bar the last value before it that was there; NaN at the first. Bars stand along axis 0."""
    there = np.isfinite(values)
    known = values
    if not there.all():
        at = np.where(there, np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1)), 0)
        known = np.take_along_axis(values, np.maximum.accumulate(at, axis=0), axis=0)
    return np.concatenate([np.full_like(values[:1], np.nan), known[:-1]])


def smooth(values: FloatArray, period: int, pace: float | FloatArray | None = None) -> FloatArray:
    """Along axis 0 the plain mean of the first `period` values, then exponential; Wilder's pace is 1 / period.

    NaN until so many values were there.
    """
    there = np.isfinite(values)
    steps = values
    if there[1:].all() and not there[0].any():  # the usual case; the same steps with the same weights, told once a bar
        count = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
        steps = np.concatenate([np.zeros_like(values[:1]), values[1:]])
    elif there.all():
        count = np.arange(1, len(values) + 1).reshape(-1, *[1] * (values.ndim - 1))
    else:
        count, steps = np.cumsum(there, axis=0), np.where(there, values, 0.0)
    weight = np.where(count <= period, 1.0 / np.maximum(count, 1), 1.0 / period if pace is None else pace)
    if steps is not values:
        weight = weight * there
    path = np.empty(values.shape)
    state = np.zeros(values.shape[1:])
    for at in range(len(steps)):
        state += weight[at] * (steps[at] - state)
        path[at] = state
    return np.where(count >= period, path, np.nan)


def exponential(values: FloatArray, period: int) -> FloatArray:
    """The usual exponential mean, of pace 2 / (period + 1)."""
    return smooth(values, period, 2.0 / (period + 1))
