"""Where a price is going, and how surely: momentum, moving averages, MACD, directional movement."""

import numpy as np

from models.features import window
from models.features.feature import FloatArray
from models.features.technical import scan

YEAR_SKIP = 21
DECAY = 0.9048374180359595  # exp(-0.1), a session
DECAY_SESSIONS = (5, 10, 20, 60)


def momentum_skipping_a_month(close_tr: FloatArray) -> FloatArray:
    return window.today(close_tr[..., -1 - YEAR_SKIP] / close_tr[..., 0] - 1.0, close_tr)


def drawdown(close_tr: FloatArray) -> FloatArray:
    prices = window.held(close_tr)
    highest: FloatArray = np.max(prices, axis=-1)
    return prices[..., -1] / highest - 1.0


def average_gap(close_tr: FloatArray) -> FloatArray:
    prices = window.held(close_tr)
    return prices[..., -1] / window.mean(prices) - 1.0


def decayed_momentum(close_tr: FloatArray) -> FloatArray:
    prices = window.held(close_tr)
    newest_first = np.ascontiguousarray(window.returns(prices)[..., ::-1])
    weights = np.cumprod(np.full(max(DECAY_SESSIONS), DECAY))
    found = np.zeros(close_tr.shape[:-1])
    for count in DECAY_SESSIONS:
        part = np.ascontiguousarray(newest_first[..., :count])
        spread = np.sqrt(window.mean(window.centred(part) ** 2))
        pull = window.total(weights[:count] * part) / window.total(weights[:count])
        found = found + pull / window.positive(spread)
    return found / len(DECAY_SESSIONS)


def _macd(close_tr: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Line and signal after the last bar, as shares of the close."""
    closes = scan.bars(close_tr)
    apart = scan.exponential(closes, 12) - scan.exponential(closes, 26)
    signal = scan.exponential(np.where(np.isfinite(closes), apart, np.nan), 9)
    return apart[-1] / closes[-1], signal[-1] / closes[-1]


def macd_line(close_tr: FloatArray) -> FloatArray:
    return _macd(close_tr)[0]


def macd_signal(close_tr: FloatArray) -> FloatArray:
    return _macd(close_tr)[1]


def macd_histogram(close_tr: FloatArray) -> FloatArray:
    line, signal = _macd(close_tr)
    return line - signal


def directional(high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray) -> tuple[FloatArray, ...]:
    """+DI, -DI and ADX of 14, Wilder's smoothing: 0 to 100."""
    high, low, close = (scan.bars(values) for values in (high_tr, low_tr, close_tr))
    close_0 = scan.before(close)
    rise, fall = high - scan.before(high), scan.before(low) - low
    moved = np.where(np.isfinite(rise), 0.0, np.nan)
    span = window.positive(scan.smooth(np.maximum(high, close_0) - np.minimum(low, close_0), 14))
    plus = 100.0 * scan.smooth(np.where((rise > fall) & (rise > 0.0), rise, moved), 14) / span
    minus = 100.0 * scan.smooth(np.where((fall > rise) & (fall > 0.0), fall, moved), 14) / span
    both = plus + minus
    apart = np.where(both > 0.0, 100.0 * np.abs(plus - minus) / both, 0.0)
    strength = scan.smooth(np.where(np.isfinite(close + both), apart, np.nan), 14)
    return tuple(window.today(value[-1], close_tr) for value in (plus, minus, strength))


def plus_di(high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray) -> FloatArray:
    return directional(high_tr, low_tr, close_tr)[0]


def minus_di(high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray) -> FloatArray:
    return directional(high_tr, low_tr, close_tr)[1]


def adx(high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray) -> FloatArray:
    return directional(high_tr, low_tr, close_tr)[2]


def strong_trend(high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray) -> FloatArray:
    strength = adx(high_tr, low_tr, close_tr)
    return window.flag(strength > 25.0, strength)

