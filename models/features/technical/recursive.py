"""The recursive indicators, computed together where they share their states. Each block fills the columns it names.

Here stands what they are; names of which no bar is missing, nearly all, take the short way to the same bits.
"""

from collections.abc import Callable

import numpy as np

from models.features.equity import YEAR_SESSIONS
from models.features.feature import Block, FloatArray
from models.features.technical import unbroken
from models.features.technical.scan import Bars, Smoother, exponential
from models.features.window import flag, positive

STATE = 161  # sessions of the plain ones
ADAPTIVE = 201
RISKMETRICS = 0.94
LAGS = 5
TREND_STRENGTH = 25.0
OVERBOUGHT, OVERSOLD = 70.0, 30.0
SHORTEST, PERIOD, LONGEST = 7.0, 14, 28.0

Columns = dict[str, FloatArray]


def _tell(columns: Columns, close: FloatArray) -> Columns:
    """Nothing is said of a session without a bar."""
    there = np.isfinite(close)
    return {name: np.where(there, values, np.nan) for name, values in columns.items()}


def _orderly(*series: FloatArray) -> np.ndarray:
    """Of which names a session is told whole or not at all."""
    there = np.isfinite(series[-1])
    orderly: np.ndarray = np.all([((values > 0.0) & (values < np.inf)) == there for values in series], axis=(0, 1))
    return orderly


def _either(short: Callable[[unbroken.Bars], Columns], long: Callable[..., Columns], steps: int, *series: FloatArray,
            into: Columns) -> None:
    """Each name by the way that its bars allow; the closes are the last of the series."""
    there, sure = np.isfinite(series[-1]), _orderly(*series)
    silent = np.zeros(len(sure), dtype=bool)
    if len(there) == steps:  # a tail
        silent = ~there[-1]
        sure &= there[-1]
        if silent.any():
            for column in into.values():
                column[:, silent] = np.nan
    else:
        sure &= there.all(axis=0)
    ways: tuple[tuple[Callable[..., Columns], np.ndarray], ...] = (
        (lambda *part: short(unbroken.Bars.together(part, steps)), sure), (long, ~(sure | silent)),
    )
    for way, some in ways:
        if some.any():
            part = series if some.all() else [np.ascontiguousarray(values[:, some]) for values in series]
            for name, values in way(*part).items():
                into[name][:, slice(None) if some.all() else some] = values


def directional(high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray) -> Columns:
    """True range, +DI, -DI and ADX of 14, by Wilder's smoothing."""
    bars = Bars(close_tr, STATE)
    close_0 = bars.before(close_tr)
    span = np.maximum(high_tr, close_0) - np.minimum(low_tr, close_0)
    rise, fall = high_tr - bars.before(high_tr), bars.before(low_tr) - low_tr
    none = np.where(np.isfinite(rise), 0.0, np.nan)
    rises = np.where((rise > fall) & (rise > 0.0), rise, none)
    falls = np.where((fall > rise) & (fall > 0.0), fall, none)
    moves, smooth, strength = np.stack([span, rises, falls]), Smoother(PERIOD, PERIOD, PERIOD), Smoother(PERIOD)
    for step in range(1, STATE):
        usual, plus, minus = smooth.push(bars.move(moves, step))
        if step >= PERIOD:
            both = plus + minus
            apart = np.where(both > 0.0, 100.0 * np.abs(plus - minus) / positive(both), both)
            (adx,) = strength.push(np.where(np.isfinite(bars.at(close_tr, step)), apart, np.nan))
    close, unit = bars.at(close_tr, STATE - 1), positive(usual)
    return _tell({
        "atr_wilder_14": usual / close, "plus_di_14": 100.0 * plus / unit, "minus_di_14": 100.0 * minus / unit,
        "adx_14": adx, "trend_strong": flag(adx > TREND_STRENGTH, adx),
    }, close)  # fmt: skip


def _strength(gain: FloatArray, loss: FloatArray) -> FloatArray:
    return 100.0 * gain / positive(gain + loss)


def of_closes(close_tr: FloatArray) -> Columns:
    """RSI, MACD and exponential volatility, with the newest returns in units of it."""
    bars = Bars(close_tr, STATE)
    close_0 = bars.before(close_tr)
    change, move = close_tr - close_0, close_tr / close_0 - 1.0
    moves = np.stack([np.maximum(change, 0.0), np.maximum(-change, 0.0), move * move])
    means, smooth = exponential(12, 26), exponential(9)
    changes = Smoother(PERIOD, PERIOD, 20, paces=(1.0 / PERIOD, 1.0 / PERIOD, 1.0 - RISKMETRICS))
    scaled: list[FloatArray] = []
    known: FloatArray = np.full(close_tr.shape[1:], np.nan)
    for step in range(STATE):
        now = bars.at(close_tr, step)
        fast, slow = means.push(now)
        apart = fast - slow
        (signal,) = smooth.push(np.where(np.isfinite(now), apart, np.nan))
        if step >= STATE - LAGS:
            scaled.append(bars.move(move, step) / positive(np.sqrt(known)))
        if step:  # the window's first bar is no move
            gain, loss, known = changes.push(bars.move(moves, step))
    strength = _strength(gain, loss)
    return _tell({
        "macd": apart / now, "macd_signal": signal / now, "macd_histogram": (apart - signal) / now, "rsi": strength,
        "rsi_overbought": flag(strength > OVERBOUGHT, strength), "rsi_oversold": flag(strength < OVERSOLD, strength),
        "ewma_vol": np.sqrt(known * YEAR_SESSIONS),
        **{f"norm_ret_{lag}": scaled[-1 - lag] for lag in range(LAGS)},
    }, now)  # fmt: skip


def adaptive_rsi(close_tr: FloatArray) -> Columns:
    """RSI of returns whose period is 14 at the usual pace, down to 7 in a faster market and up to 28 in a slower one.

    Pace is the mean absolute return, exponential of 10 bars against 60.
    """
    bars = Bars(close_tr, ADAPTIVE)
    move = close_tr / bars.before(close_tr) - 1.0
    size, gains, losses = np.abs(move), np.maximum(move, 0.0), np.maximum(-move, 0.0)
    moves, pace, changes = np.stack([gains, losses]), exponential(60, 10), Smoother(PERIOD, PERIOD)
    for step in range(1, ADAPTIVE):
        usual, quick = pace.push(bars.move(size, step))
        ratio = usual / positive(quick)
        period = np.clip(PERIOD * np.where(np.isfinite(ratio), ratio, 1.0), SHORTEST, LONGEST)
        gain, loss = changes.push(bars.move(moves, step), 1.0 / period)
    return _tell({"rsi": _strength(gain, loss)}, bars.at(close_tr, ADAPTIVE - 1))


def _fill_directional(high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray, *, into: Columns) -> None:
    _either(lambda bars: unbroken.directional(bars, PERIOD, TREND_STRENGTH), directional, STATE,
            high_tr, low_tr, close_tr, into=into)


def _fill_of_closes(close_tr: FloatArray, *, into: Columns) -> None:
    _either(lambda bars: unbroken.of_closes(bars, PERIOD, RISKMETRICS, LAGS, OVERBOUGHT, OVERSOLD), of_closes, STATE,
            close_tr, into=into)


def _fill_adaptive(close_tr: FloatArray, *, into: Columns) -> None:
    _either(lambda bars: unbroken.adaptive_rsi(bars, PERIOD, SHORTEST, LONGEST), adaptive_rsi, ADAPTIVE,
            close_tr, into=into)


DIRECTIONAL = Block(("atr_wilder_14", "plus_di_14", "minus_di_14", "adx_14", "trend_strong"), _fill_directional)
OF_CLOSES = Block(
    ("macd", "macd_signal", "macd_histogram", "rsi", "rsi_overbought", "rsi_oversold", "ewma_vol",
     *(f"norm_ret_{lag}" for lag in range(LAGS))), _fill_of_closes,
)  # fmt: skip
ADAPTIVE_RSI = Block(("rsi",), _fill_adaptive)
