"""Rows by session that move on and do not grow: the newest of them lie together in memory, and no look copies them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Rolling:
    """Columns (sessions, names) of a fixed length; a new session takes the place of the oldest."""

    def __init__(self, days: NDArray[np.datetime64], columns: Mapping[str, Floats]) -> None:
        self._most = self._end = len(days)
        self._days = _roomy(days)
        self._columns = {name: _roomy(rows) for name, rows in columns.items()}
        self.names = tuple(columns)

    def newest(self, name: str, count: int | None = None) -> Floats:
        """The newest sessions of a column, all without a count; to be read only."""
        return self._columns[name][self._since(count) : self._end]

    def days(self, count: int | None = None) -> NDArray[np.datetime64]:
        return self._days[self._since(count) : self._end]

    def append(self, day: np.datetime64, row: Mapping[str, Floats]) -> None:
        if self._end == len(self._days):  # once in as many sessions as it holds
            for held in (self._days, *self._columns.values()):
                held[: self._most] = held[self._end - self._most : self._end].copy()
            self._end = self._most
        self._days[self._end] = day
        for name, held in self._columns.items():
            held[self._end] = row[name]
        self._end += 1

    def _since(self, count: int | None) -> int:
        return self._end - (self._most if count is None else min(count, self._most))


class Growing:
    """Arrays whose first axis grows by a row at a time, of which the newest `keep` count. No row is copied but once in
    so many, and what was handed out stays what it was."""

    def __init__(self, keep: int, *arrays: NDArray[Any]) -> None:
        self._keep, self._end = keep, min(keep, len(arrays[0]))
        self._held = [_roomy(rows[-keep:], keep) for rows in arrays]

    def append(self, *row: Any) -> list[NDArray[Any]]:
        """The newest rows with this one, of each array."""
        if self._end == len(self._held[0]):
            self._held = [_roomy(rows[-self._keep :], self._keep) for rows in self._held]
            self._end = self._keep
        for held, value in zip(self._held, row, strict=True):
            held[self._end] = value
        self._end += 1
        return [held[max(0, self._end - self._keep) : self._end] for held in self._held]


def _roomy(rows: NDArray[Any], room: int | None = None) -> NDArray[Any]:
    held = np.empty((len(rows) + (len(rows) if room is None else room), *rows.shape[1:]), dtype=rows.dtype)
    held[: len(rows)] = rows
    return held
