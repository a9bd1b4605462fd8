"""Run kernels over a whole panel or over its last session: the same code on the same windows, hence the same bits."""

from collections.abc import Iterable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from models.features.feature import Feature, FloatArray
from models.features.panel import BarPanel

# Sessions per kernel call: bounds the memory of windows. Kernels treat sessions alone, so the cut changes no bit.
CHUNK_SESSIONS = 128


def _windows(panel: BarPanel, feature: Feature, first: int, last: int) -> dict[str, FloatArray]:
    """Windows ending at sessions first..last-1; contiguous, as NumPy sums strided memory in another order."""
    begin = first - feature.look_back + 1
    return {
        name: np.ascontiguousarray(sliding_window_view(panel.columns[name][begin:last], feature.look_back, axis=0))
        for name in feature.inputs
    }


def _run(panel: BarPanel, feature: Feature, first: int, last: int) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = np.asarray(feature.kernel(**_windows(panel, feature, first, last)), dtype=np.float64)
    # One NaN for all that is not a number: missing stays missing, and equal rows have equal bits.
    return np.where(np.isfinite(values), values, np.nan)


def compute_batch(panel: BarPanel, features: Iterable[Feature]) -> dict[str, FloatArray]:
    """Every session of the panel; NaN where the look-back reaches before its first."""
    count = len(panel.sessions)
    result = {}
    for feature in features:
        values = np.full((count, len(panel.names)), np.nan)
        for first in range(feature.look_back - 1, count, CHUNK_SESSIONS):
            last = min(first + CHUNK_SESSIONS, count)
            values[first:last] = _run(panel, feature, first, last)
        result[feature.name] = values
    return result


def compute_tail(panel: BarPanel, features: Iterable[Feature]) -> dict[str, FloatArray]:
    """The last session only, from as many sessions as each feature looks back."""
    count = len(panel.sessions)
    return {
        feature.name: (
            _run(panel, feature, count - 1, count)[0]
            if count >= feature.look_back
            else np.full(len(panel.names), np.nan)
        )
        for feature in features
    }
