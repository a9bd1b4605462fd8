"""What a price path did between any two bars, looked up at once: highest, lowest, deepest fall, sums of returns."""

import numpy as np
import numpy.typing as npt

from models.backtest.sweep.trips import Rows

FloatArray = npt.NDArray[np.float64]


class Ranges:
    """A disjoint sparse table. At each level the bars fall into pairs of halves; every bar knows its half from itself
    to the middle. Two bars meet at exactly one middle, and there the answer is put together of two parts."""

    def __init__(self, price: FloatArray) -> None:
        if not (np.isfinite(price).all() and (price > 0.0).all()):
            raise ValueError("a path of prices is finite and above nought")
        bars = len(price)
        levels = max(1, int(bars - 1).bit_length())
        width = 1 << levels
        path = np.ones(width)
        path[:bars] = price
        self.price = price
        self.width = width
        self._level = np.zeros(width, np.intp)
        for level in range(levels):
            self._level[1 << level : 2 << level] = level
        high, low, fall = (np.zeros((levels, width)) for _ in range(3))
        for level in range(levels):
            shape = (-1, 2, 1 << level)
            halves = path.reshape(shape)
            left, right = halves[:, 0, ::-1], halves[:, 1]
            for table, extreme in ((high, np.maximum), (low, np.minimum)):
                table[level].reshape(shape)[:, 0, ::-1] = extreme.accumulate(left, axis=1)
                table[level].reshape(shape)[:, 1] = extreme.accumulate(right, axis=1)
            after = low[level].reshape(shape)[:, 0, ::-1] / left - 1.0
            before = right / high[level].reshape(shape)[:, 1] - 1.0
            fall[level].reshape(shape)[:, 0, ::-1] = np.minimum.accumulate(after, axis=1)
            fall[level].reshape(shape)[:, 1] = np.minimum.accumulate(before, axis=1)
        self._high, self._low, self._fall = high.ravel(), low.ravel(), fall.ravel()
        returns = np.zeros(bars)
        returns[1:] = price[1:] / price[:-1] - 1.0
        self.sums = np.cumsum(returns)
        self.squares = np.cumsum(returns * returns)

    def between(self, first: Rows, last: Rows) -> tuple[FloatArray, FloatArray, FloatArray]:
        """(highest, lowest, deepest fall ≤ 0) of the bars from `first` to `last`, both included."""
        at = self._level[first ^ last] * self.width
        left, right = at + first, at + last
        high, low = self._high[left], self._low[right]
        fall = np.minimum(np.minimum(self._fall[left], self._fall[right]), low / high - 1.0)
        np.maximum(high, self._high[right], out=high)
        np.minimum(low, self._low[left], out=low)
        alone = first == last
        if alone.any():
            spot = self.price[first[alone]]
            high[alone], low[alone], fall[alone] = spot, spot, 0.0
        return high, low, fall
