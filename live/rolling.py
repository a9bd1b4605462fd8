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


def _roomy(rows: NDArray[Any]) -> NDArray[Any]:
    held = np.empty((2 * len(rows), *rows.shape[1:]), dtype=rows.dtype)
    held[: len(rows)] = rows
    return held
