"""How much a price moves: range-based and downside volatility, and its regime."""

import numpy as np

from models.features import window
from models.features.equity import YEAR_SESSIONS, realised_volatility
from models.features.feature import FloatArray
from models.features.portable import log

REGIME_SESSIONS = 20
FOUR_LN2 = 2.772588722239781
GARMAN_KLASS = 0.3862943611198906  # 2 ln 2 - 1


def parkinson_volatility(high: FloatArray, low: FloatArray) -> FloatArray:
    span = log(high / low)
    return np.sqrt(window.mean(span * span) / FOUR_LN2 * YEAR_SESSIONS)


def garman_klass_volatility(open: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    span, body = log(high / low), log(close / open)
    variance = window.mean(0.5 * span * span - GARMAN_KLASS * body * body)
    return np.sqrt(np.maximum(variance, 0.0) * YEAR_SESSIONS)


def downside_volatility(close_tr: FloatArray) -> FloatArray:
    return np.sqrt(window.mean(np.minimum(window.returns(close_tr), 0.0) ** 2) * YEAR_SESSIONS)


def volatility_ratio(close_tr: FloatArray) -> FloatArray:
    recent = realised_volatility(np.ascontiguousarray(close_tr[..., -6:]))
    return recent / window.positive(realised_volatility(close_tr))


def volatility_regime(close_tr: FloatArray) -> FloatArray:
    prices = window.held(close_tr)
    summed = np.cumsum(window.returns(prices) ** 2, axis=-1)
    squared = np.ascontiguousarray(summed[..., REGIME_SESSIONS:] - summed[..., :-REGIME_SESSIONS]) / REGIME_SESSIONS
    swings = np.sqrt(np.maximum(squared, 0.0))
    middle, half = window.mean(swings), 0.5 * np.sqrt(window.mean(window.centred(swings) ** 2))
    last = swings[..., -1]
    return window.flag(last > middle + half, last) - window.flag(last < middle - half, last)

