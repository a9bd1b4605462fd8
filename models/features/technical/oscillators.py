"""Where a price stands within its recent ground: bands and stochastics."""

import numpy as np

from models.features import window
from models.features.feature import FloatArray


def _bands(close_tr: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and two population deviations of the window."""
    return window.mean(close_tr), 2.0 * np.sqrt(window.mean(window.centred(close_tr) ** 2))


def bollinger_position(close_tr: FloatArray) -> FloatArray:
    middle, reach = _bands(close_tr)
    return (close_tr[..., -1] - middle) / window.moving(reach, middle)


def bollinger_width(close_tr: FloatArray) -> FloatArray:
    middle, reach = _bands(close_tr)
    return 2.0 * reach / middle


def bollinger_break(close_tr: FloatArray) -> FloatArray:
    place = bollinger_position(close_tr)
    return np.where(np.isfinite(place), (place > 1.0) * 1.0 - (place < -1.0) * 1.0, np.nan)


def stochastic(high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray) -> FloatArray:
    top: FloatArray = np.max(high_tr, axis=-1)
    bottom: FloatArray = np.min(low_tr, axis=-1)
    return 100.0 * (close_tr[..., -1] - bottom) / window.positive(top - bottom)
