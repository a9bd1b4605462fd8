"""A recorded session looked through at once: whether each bar can be believed, and each name's day as it grows."""

import math
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from live.ports import Bar, Columns


def _evenly(start_us: NDArray[np.int64], step_us: int) -> range:
    """The same instants, without a number for each."""
    return range(start_us.item(0), start_us.item(-1) + 1, step_us)


class Line:
    """One name's bars of a session: places in it, starts, prices, and the day's figures after each."""

    __slots__ = ("_grown", "close", "closes", "even", "first", "high", "low", "place", "rows", "start_us")

    def __init__(self, told: Columns, rows: NDArray[np.int64] | None, even: Sequence[int] | None = None) -> None:
        start_us, opens, high, low, close, volume = told[2:] if rows is None else (one[rows] for one in told[2:])
        self.rows: list[int] | None = None if rows is None else rows.tolist()  # None: all of the session's
        self.place = 0 if self.rows is None else self.rows[0]
        self.start_us, self.close = start_us, close
        self.even = even  # its starts, where one follows the other at the same distance
        self.closes: list[float] = close.tolist()
        self.high: list[float] = high.tolist()
        self.low: list[float] = low.tolist()
        self.first = opens.item(0)
        # Sums are made one after the other, as a day's volume grows.
        self._grown = np.maximum.accumulate(high), np.minimum.accumulate(low), np.add.accumulate(volume)

    def before(self, place: int) -> int:
        """How many of its bars come before a place in the session."""
        return place if self.rows is None else bisect_left(self.rows, place)

    def day(self, count: int) -> list[float]:
        """Open, high, low, close, volume and the newest minute's start, after so many bars."""
        top, lowest, volume = self._grown
        last = count - 1
        return [self.first, top.item(last), lowest.item(last), self.closes[last], volume.item(last),
                self.start_us.item(last)]


class Scan:
    """A session in which no bar is doubted: sorted, inside its hours, possible, and none twice."""

    def __init__(self, told: Columns, order: NDArray[np.int64] | None, widest_us: int, step_us: int = 0) -> None:
        self._told = told
        self.widest_us = widest_us  # the longest time from one bar's start to the next one's, of any name
        self.start_us: Sequence[int] = _evenly(told.start_us, step_us) if step_us else told.start_us.tolist()
        if order is None:
            self.lines = {told.names[0]: Line(told, None, self.start_us if step_us else None)}
        else:
            edges = np.searchsorted(told.which[order], np.arange(len(told.names) + 1)).tolist()
            self.lines = {name: Line(told, order[edges[index] : edges[index + 1]])
                          for index, name in enumerate(told.names) if edges[index] < edges[index + 1]}
        self.firsts = sorted(line.place for line in self.lines.values())

    @classmethod
    def of(cls, told: Columns, open_us: int, close_us: int) -> "Scan | None":
        """None where any bar is odd: then each is looked at as it comes."""
        starts = told.start_us
        if not len(starts) or starts[0] < open_us or starts[-1] >= close_us:
            return None
        floor, ceiling = np.minimum(told.open, told.close), np.maximum(told.open, told.close)
        believed = (told.low > 0.0) & (told.low <= floor) & (ceiling <= told.high) & (told.high < math.inf)
        if not np.logical_and.reduce(believed & (told.volume >= 0.0) & (told.volume < math.inf)):
            return None
        steps = starts[1:] - starts[:-1]
        least_us, widest_us = (int(np.minimum.reduce(steps)), int(np.maximum.reduce(steps))) if len(steps) else (1, 0)
        if len(told.names) == 1:
            step_us = least_us if least_us == widest_us and len(steps) else 0
            return cls(told, None, widest_us, step_us) if least_us > 0 else None
        order = np.argsort(told.which, kind="stable")
        which, when = told.which[order], starts[order]
        again = (which[1:] == which[:-1]) & (when[1:] == when[:-1])
        return None if again.any() or least_us < 0 else cls(told, order, widest_us)

    def bar(self, place: int) -> Bar:
        told = self._told
        return Bar(self.name(place), self.start_us[place], told.open.item(place), told.high.item(place),
                   told.low.item(place), told.close.item(place), told.volume.item(place))

    def name(self, place: int) -> str:
        names = self._told.names
        return names[self._told.which.item(place)] if len(names) > 1 else names[0]
