"""Recursive indicators over bars of (sessions, names), each session's from its own window of `look_back` sessions.

All windows advance together, bar by bar; each begins anew with its first bar, in batch as in tail. A missing bar moves
no state, as if the session had not been. What a longer past would still change is the weight of all that lies before
the window: (1 - pace) ** look_back.
"""

import numpy as np

from models.features.feature import FloatArray


class Bars:
    """What the windows see at each of their steps."""

    def __init__(self, close: FloatArray, look_back: int) -> None:
        self.look_back, self.windows = look_back, len(close) - look_back + 1
        there = np.isfinite(close)
        self._whole = bool(there.all())
        newest = np.maximum.accumulate(np.where(there, np.arange(len(close))[:, None], -1), axis=0)
        self._before = np.concatenate([np.full_like(newest[:1], -1), newest[:-1]])
        self._starts = np.arange(self.windows)[:, None]

    def before(self, values: FloatArray) -> FloatArray:
        """At each bar the value of the last one that was there; NaN where there was none."""
        known = np.take_along_axis(values, np.maximum(self._before, 0), axis=0)
        return np.where(self._before >= 0, known, np.nan)

    def at(self, values: FloatArray, step: int) -> FloatArray:
        """Each window's value at its bar `step`."""
        return values[step : step + self.windows]

    def move(self, moves: FloatArray, step: int) -> FloatArray:
        """The same of a move from the bar before; NaN where that bar lies before the window."""
        seen = self.at(moves, step)
        if self._whole and step:
            return seen
        return np.where(self.at(self._before, step) >= self._starts, seen, np.nan)


class Smoother:
    """The plain mean of the first `period` values, then exponential; Wilder's pace is 1 / period."""

    def __init__(self, period: int, pace: float | None = None) -> None:
        self._period, self._pace = period, 1.0 / period if pace is None else pace
        self._state: FloatArray = np.zeros(())
        self._count: int | np.ndarray = 0

    def push(self, value: FloatArray, pace: FloatArray | None = None) -> FloatArray:
        """Take a value in, NaN being none, and give the state; NaN until `period` values were there."""
        there = np.isfinite(value)
        later = self._pace if pace is None else pace
        if isinstance(self._count, int) and there.all():  # the same steps and weights as below, told once for all
            self._count += 1
            weight = 1.0 / self._count if self._count <= self._period else later
            self._state = self._state + weight * (value - self._state)
            return self._state if self._count >= self._period else np.full_like(value, np.nan)
        self._count = self._count + there
        weight = np.where(self._count <= self._period, 1.0 / np.maximum(self._count, 1), later)
        self._state = np.where(there, self._state + weight * (value - self._state), self._state)
        return np.where(self._count >= self._period, self._state, np.nan)


def exponential(period: int) -> Smoother:
    """The usual exponential mean, of pace 2 / (period + 1)."""
    return Smoother(period, 2.0 / (period + 1))
