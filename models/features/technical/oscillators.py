"""How far a price has run within its recent ground: relative strength in two versions, bands, stochastics."""

import numpy as np

from models.features import window
from models.features.feature import FloatArray
from models.features.technical import scan

OVERBOUGHT, OVERSOLD = 70.0, 30.0
PERIOD = 14
SHORTEST, LONGEST = 7.0, 28.0


def _strength(gains: FloatArray, losses: FloatArray) -> FloatArray:
    return 100.0 * gains / window.positive(gains + losses)


def rsi(close_tr: FloatArray) -> FloatArray:
    """Version 1: Wilder's, of 14 changes."""
    closes = scan.bars(close_tr)
    change = closes - scan.before(closes)
    gain, loss = (scan.smooth(np.maximum(part, 0.0), PERIOD)[-1] for part in (change, -change))
    return window.today(_strength(gain, loss), close_tr)


def adaptive_rsi(close_tr: FloatArray) -> FloatArray:
    """Version 2: the period is 14 at the usual pace of the price, down to 7 in a faster market, up to 28 in a slower.

    Pace is the mean absolute return, exponential of 10 bars against 60; the strength is of returns too.
    """
    closes = scan.bars(close_tr)
    move = closes / scan.before(closes) - 1.0
    quick, usual = (scan.exponential(np.abs(move), period) for period in (10, 60))
    period = np.clip(PERIOD * usual / window.positive(quick), SHORTEST, LONGEST)
    pace = 1.0 / np.where(np.isfinite(period), period, PERIOD)
    gain, loss = (scan.smooth(np.maximum(part, 0.0), PERIOD, pace)[-1] for part in (move, -move))
    return window.today(_strength(gain, loss), close_tr)


def rsi_overbought(close_tr: FloatArray) -> FloatArray:
    value = rsi(close_tr)
    return window.flag(value > OVERBOUGHT, value)


def rsi_oversold(close_tr: FloatArray) -> FloatArray:
    value = rsi(close_tr)
    return window.flag(value < OVERSOLD, value)


def _bands(close_tr: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and two population deviations of the window."""
    return window.mean(close_tr), 2.0 * np.sqrt(window.mean(window.centred(close_tr) ** 2))


def bollinger_position(close_tr: FloatArray) -> FloatArray:
    middle, reach = _bands(close_tr)
    return (close_tr[..., -1] - middle) / window.positive(reach)


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
