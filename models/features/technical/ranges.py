"""How much a price moves: true range, realised, exponential and range-based volatility, and its regime."""

import math

import numpy as np

from models.features import window
from models.features.equity import YEAR_SESSIONS, realised_volatility
from models.features.feature import FloatArray, Kernel
from models.features.portable import log
from models.features.technical import scan

RISKMETRICS = 0.94
DAYS_A_YEAR = math.sqrt(YEAR_SESSIONS)
REGIME_SESSIONS = 20
FOUR_LN2 = 2.772588722239781
GARMAN_KLASS = 0.3862943611198906  # 2 ln 2 - 1


def wilder_atr(high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray) -> FloatArray:
    high, low, close = (scan.bars(values) for values in (high_tr, low_tr, close_tr))
    close_0 = scan.before(close)
    return scan.smooth(np.maximum(high, close_0) - np.minimum(low, close_0), 14)[-1] / close[-1]


def ewma_volatility(close_tr: FloatArray) -> FloatArray:
    closes = scan.bars(close_tr)
    variance = scan.smooth((closes / scan.before(closes) - 1.0) ** 2, 20, 1.0 - RISKMETRICS)[-1]
    return window.today(np.sqrt(variance * YEAR_SESSIONS), close_tr)


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


def normalised_return(lag: int) -> Kernel:
    """A kernel: the return of `lag` sessions ago over the exponential volatility that was known before it."""

    def kernel(close_tr: FloatArray) -> FloatArray:
        last = close_tr.shape[-1] - 1 - lag
        known = ewma_volatility(np.ascontiguousarray(close_tr[..., :last]))
        move = close_tr[..., last] / close_tr[..., last - 1] - 1.0
        return window.today(move * DAYS_A_YEAR / window.positive(known), close_tr)

    kernel.__qualname__ = f"normalised_return({lag})"
    return kernel
