"""The Hurst exponent of log returns by rescaled range, less what a random walk would show on so few values.

On prices, or without the correction, a random walk looks like a trend; Anis and Lloyd's expectation takes that away.
"""

import numpy as np

from models.features.feature import Block, FloatArray
from models.features.portable import log
from models.features.statistical.moves import Moves
from models.features.window import centred, positive

SIZES = (8, 16, 32, 64, 128)
RETURNS = 256
# Expected rescaled range of so many independent normal values (Anis and Lloyd, 1976): gamma((n-1)/2) / gamma(n/2) /
# sqrt(pi) * the sum of sqrt((n-i)/i) over i below n. Written out, as not every machine's gamma ends in the same bit.
EXPECTED = (2.6245962433780012, 4.03553068129229, 6.065490500665259, 8.965567522183898, 13.090666440770825)


def _rescaled_range(returns: FloatArray, begins: np.ndarray, size: int) -> FloatArray:
    """Of the blocks of `size` rows that begin there: range of the path of centred values over their deviation.

    Row by row, all blocks and names at once: sums then run in one order whatever the shape.
    """
    tail = len(returns) == RETURNS  # one window: its blocks lie one after the other
    blocks = returns.reshape(len(begins), size, -1) if tail else returns[:, None]
    summed = np.zeros((len(begins), returns.shape[1]))
    path, top, bottom, squares, around = (np.zeros_like(summed) for _ in range(5))
    for row in range(size):
        summed += blocks[:, row] if tail else returns[begins + row]
    summed /= size
    for row in range(size):
        np.subtract(blocks[:, row] if tail else returns[begins + row], summed, out=around)
        path += around
        np.maximum(top, path, out=top)  # the path ends at zero, where it began
        np.minimum(bottom, path, out=bottom)
        around *= around
        squares += around
    return (top - bottom) / positive(np.sqrt(squares / size))


def _mean_range(returns: FloatArray, size: int) -> FloatArray:
    """Mean rescaled range of the blocks of `size` that make up each window; neighbours share theirs."""
    windows, parts = len(returns) - RETURNS + 1, RETURNS // size
    begins = np.arange(windows)[:, None] + size * np.arange(parts)
    wanted, place = np.unique(begins, return_inverse=True)
    ranges = _rescaled_range(returns, wanted, size)
    place = place.reshape(begins.shape)
    summed = np.zeros((windows, returns.shape[1]))
    for part in range(parts):
        summed += ranges[place[:, part]]
    return summed / parts


def _fill(close_tr: FloatArray, *, into: dict[str, FloatArray]) -> None:
    """0.5 plus the slope, over log block length, of log range against its expectation."""
    moves = Moves(close_tr, RETURNS + 1)
    lengths = centred(log(np.array(SIZES, dtype=np.float64)))
    slope = sum(
        length * log(_mean_range(moves.returns, size) / usual)
        for length, size, usual in zip(lengths, SIZES, EXPECTED, strict=True)
    )
    moves.tell(into["hurst_256"], 0.5 + slope / np.sum(lengths * lengths))


HURST = Block(("hurst_256",), _fill)
