"""Returns as windows see them: a session without a bar is one without a move, within reason."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from models.features.feature import FloatArray
from models.features.portable import log

MOST_MISSING = 0.05


class Moves:
    """Prices held over missing bars, and the returns between them, from closes of (sessions, names); in logs unless
    they are to be `plain`."""

    def __init__(self, close_tr: FloatArray, look_back: int, *, plain: bool = False) -> None:
        there = np.isfinite(close_tr)
        self.prices = close_tr if plain else log(close_tr)
        self._told: np.ndarray | bool = True
        if not there.all():
            newest = np.maximum.accumulate(np.where(there, np.arange(len(close_tr))[:, None], 0), axis=0)
            self.prices = np.take_along_axis(self.prices, newest, axis=0)
            counts = np.concatenate([np.zeros_like(there[:1], dtype=np.int64), np.cumsum(there, axis=0)])
            missing = look_back - (counts[look_back:] - counts[:-look_back])
            # What a window's first bars would be held from lies before the window.
            ends = there[look_back - 1 :] & there[: len(there) - look_back + 1]
            self._told = ends & (missing <= MOST_MISSING * look_back)
        later, before = self.prices[1:], self.prices[:-1]
        self.returns = later / before - 1.0 if plain else later - before

    def windows(self, values: FloatArray, count: int) -> FloatArray:
        """(windows, names, count), oldest first."""
        return np.ascontiguousarray(sliding_window_view(values, count, axis=0))

    def told(self, values: FloatArray) -> FloatArray:
        """Nothing is said of a session without a bar, nor of a window with too few."""
        return np.where(self._told, values, np.nan)

    def tell(self, into: FloatArray, values: FloatArray) -> None:
        into[...] = self.told(values)
