"""The Hurst exponent of log returns by rescaled range, less what a random walk would show on so few values.

On prices, or without the correction, a random walk looks like a trend; Anis and Lloyd's expectation takes that away.
"""

import numpy as np

from models.features.feature import FloatArray
from models.features.portable import log
from models.features.window import centred, held, mean, positive

BLOCKS = (8, 16, 32, 64, 128)
RETURNS = 256


# Expected rescaled range of so many independent normal values (Anis and Lloyd, 1976): gamma((n-1)/2) / gamma(n/2) /
# sqrt(pi) * the sum of sqrt((n-i)/i) over i below n. Written out, as not every machine's gamma ends in the same bit.
EXPECTED = (2.6245962433780012, 4.03553068129229, 6.065490500665259, 8.965567522183898, 13.090666440770825)


def _rescaled_range(moves: FloatArray, size: int) -> FloatArray:
    """Mean over the window's blocks of `size` values."""
    blocks = moves.reshape(*moves.shape[:-1], RETURNS // size, size)
    around = centred(blocks)
    path = np.cumsum(around, axis=-1)
    # The path ends at zero, where it began.
    span: FloatArray = np.maximum(np.max(path, axis=-1), 0.0) - np.minimum(np.min(path, axis=-1), 0.0)
    return mean(span / positive(np.sqrt(mean(around * around))))


def hurst(close_tr: FloatArray) -> FloatArray:
    """0.5 plus the slope, over log block length, of log range against its expectation."""
    prices = log(held(close_tr))
    moves = np.ascontiguousarray(prices[..., 1:] - prices[..., :-1])
    lengths = log(np.array(BLOCKS, dtype=np.float64))
    lengths = centred(lengths)
    slope = np.zeros(close_tr.shape[:-1])
    for length, size, usual in zip(lengths, BLOCKS, EXPECTED, strict=True):
        slope = slope + length * log(_rescaled_range(moves, size) / usual)
    return 0.5 + slope / np.sum(lengths * lengths)
