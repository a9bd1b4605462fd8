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
        newest = np.arange(len(close))[:, None]
        if not self._whole:
            newest = np.maximum.accumulate(np.where(there, newest, -1), axis=0)
        self._before = np.concatenate([np.full_like(newest[:1], -1), newest[:-1]])
        self._starts = np.arange(self.windows)[:, None]

    def before(self, values: FloatArray) -> FloatArray:
        """At each bar the value of the last one that was there; NaN where there was none."""
        if self._whole:
            return np.concatenate([np.full_like(values[:1], np.nan), values[:-1]])
        known = np.take_along_axis(values, np.maximum(self._before, 0), axis=0)
        return np.where(self._before >= 0, known, np.nan)

    def at(self, values: FloatArray, step: int) -> FloatArray:
        """Each window's value at its bar `step`; of one series, or of several along a first axis."""
        return values[..., step : step + self.windows, :]

    def move(self, moves: FloatArray, step: int) -> FloatArray:
        """The same of a move from the bar before; NaN where that bar lies before the window."""
        seen = self.at(moves, step)
        if self._whole and step:
            return seen
        return np.where(self.at(self._before, step) >= self._starts, seen, np.nan)


class Smoother:
    """Means that are plain over the first `period` values, then exponential; Wilder's pace is 1 / period.

    One for each period, side by side along a first axis: of as many series, or all of the same one.
    """

    def __init__(self, *periods: int, paces: tuple[float, ...] | None = None) -> None:
        self._period = np.array(periods)[:, None, None]
        self._pace = np.array(paces or [1.0 / period for period in periods])[:, None, None]
        self._longest = max(periods)
        self._state: FloatArray = np.zeros(self._pace.shape)
        self._count: int | np.ndarray = 0

    def push(self, value: FloatArray, pace: FloatArray | None = None) -> FloatArray:
        """Take values in, NaN being none, and give the states; NaN until `period` values were there."""
        there = np.isfinite(value)
        later = self._pace if pace is None else pace
        if isinstance(self._count, int) and there.all():  # the same steps and weights as below, told once for all
            self._count += 1
            moved = value - self._state
            if self._count <= self._longest:
                moved *= np.where(self._count <= self._period, 1.0 / self._count, later)
            else:
                moved *= later
            moved += self._state
            self._state = moved
            return moved if self._count >= self._longest else np.where(self._count >= self._period, moved, np.nan)
        self._count = self._count + there
        weight = np.where(self._count <= self._period, 1.0 / np.maximum(self._count, 1), later)
        self._state = np.where(there, self._state + weight * (value - self._state), self._state)
        return np.where(self._count >= self._period, self._state, np.nan)


def exponential(*periods: int) -> Smoother:
    """The usual exponential means, of pace 2 / (period + 1)."""
    return Smoother(*periods, paces=tuple(2.0 / (period + 1) for period in periods))
