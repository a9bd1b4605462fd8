"""The recursive indicators of names of which no bar is missing: the formulas and the bits of `recursive`, where every
weight is known before the first step and nothing need be asked of any value on the way."""

import numpy as np

from models.features.equity import YEAR_SESSIONS
from models.features.feature import FloatArray
from models.features.window import flag, positive

Columns = dict[str, FloatArray]


def weights(steps: int, *series: tuple[int, float, int]) -> FloatArray:
    """What a Smoother gives the value of each step, (steps, series, 1, 1). A series is its period, its pace, and the
    step it begins with: before that nothing moves it."""
    periods, paces, starts = (np.array(part) for part in zip(*series, strict=True))
    count = np.arange(1, steps + 1)[:, None] - starts
    early = np.where(count > 0, 1.0 / np.maximum(count, 1), 0.0)
    return np.where(count <= periods, early, paces)[:, :, None, None]


class States:
    """Of series (series, sessions, names), one state for each window; what `push` gives is written over by the next."""

    def __init__(self, series: FloatArray, windows: int) -> None:
        self._series, self._windows = series, windows
        self._state = np.zeros((len(series), windows, series.shape[-1]))
        self._moved = np.empty_like(self._state)

    def push(self, step: int, weight: FloatArray) -> FloatArray:
        np.subtract(self._series[:, step : step + self._windows], self._state, out=self._moved)
        self._moved *= weight
        self._state += self._moved
        return self._state


def _before(values: FloatArray) -> FloatArray:
    """Each bar's from the bar before; the first one's own, so that it is no move."""
    return np.concatenate([values[:1], values[:-1]])


def directional(
    high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray, steps: int, period: int, strong: float
) -> Columns:
    windows, last = len(close_tr) - steps + 1, close_tr[steps - 1 :]
    close_0 = _before(close_tr)
    rise, fall = high_tr - _before(high_tr), _before(low_tr) - low_tr
    moves = States(np.stack([
        np.maximum(high_tr, close_0) - np.minimum(low_tr, close_0),
        np.where((rise > fall) & (rise > 0.0), rise, 0.0), np.where((fall > rise) & (fall > 0.0), fall, 0.0),
    ]), windows)  # fmt: skip
    weight = weights(steps, *[(period, 1.0 / period, 1)] * 3)
    later = weights(steps, (period, 1.0 / period, period))[:, 0]
    adx, moved = np.zeros((2, *last.shape))
    for step in range(1, steps):
        usual, plus, minus = moves.push(step, weight[step])
        if step >= period:
            both, apart = plus + minus, plus - minus
            np.abs(apart, out=apart)
            apart *= 100.0
            np.divide(apart, both, out=both, where=both > 0.0)
            np.subtract(both, adx, out=moved)
            moved *= later[step]
            adx += moved
    unit = positive(usual)
    return {
        "atr_wilder_14": usual / last, "plus_di_14": 100.0 * plus / unit, "minus_di_14": 100.0 * minus / unit,
        "adx_14": adx, "trend_strong": flag(adx > strong, adx),
    }  # fmt: skip


def of_closes(
    close_tr: FloatArray, steps: int, period: int, decay: float, lags: int, overbought: float, oversold: float
) -> Columns:
    windows, now = len(close_tr) - steps + 1, close_tr[steps - 1 :]
    close_0 = _before(close_tr)
    change, move = close_tr - close_0, close_tr / close_0 - 1.0
    gains, losses = np.maximum(change, 0.0), np.maximum(-change, 0.0)
    told = States(np.stack([close_tr, close_tr, gains, losses, move * move]), windows)
    wilder = (period, 1.0 / period, 1)
    weight = weights(steps, (12, 2.0 / 13, 0), (26, 2.0 / 27, 0), wilder, wilder, (20, 1.0 - decay, 1))
    later = weights(steps, (9, 2.0 / 10, 25))[:, 0]
    signal, apart, moved, known = np.zeros((4, *now.shape))
    scaled: list[FloatArray] = []
    for step in range(steps):
        if step >= steps - lags:
            scaled.append(move[step : step + windows] / positive(np.sqrt(known)))
        fast, slow, gain, loss, known = told.push(step, weight[step])
        np.subtract(fast, slow, out=apart)
        np.subtract(apart, signal, out=moved)
        moved *= later[step]
        signal += moved
    strength = 100.0 * gain / positive(gain + loss)
    return {
        "macd": apart / now, "macd_signal": signal / now, "macd_histogram": (apart - signal) / now, "rsi": strength,
        "rsi_overbought": flag(strength > overbought, strength), "rsi_oversold": flag(strength < oversold, strength),
        "ewma_vol": np.sqrt(known * YEAR_SESSIONS),
        **{f"norm_ret_{lag}": scaled[-1 - lag] for lag in range(lags)},
    }  # fmt: skip


def adaptive_rsi(close_tr: FloatArray, steps: int, period: int, shortest: float, longest: float) -> Columns:
    windows, usual_period = len(close_tr) - steps + 1, 60
    move = close_tr / _before(close_tr) - 1.0
    changes = States(np.stack([np.maximum(move, 0.0), np.maximum(-move, 0.0)]), windows)
    pace = States(np.stack([np.abs(move)] * 2), windows)
    weight = weights(steps, (usual_period, 2.0 / (usual_period + 1), 1), (10, 2.0 / 11, 1))
    early = weights(steps, *[(period, 1.0 / period, 1)] * 2)
    for step in range(1, steps):
        usual, quick = pace.push(step, weight[step])
        share = early[step]
        if step >= usual_period:
            ratio = usual / quick
            np.copyto(ratio, 1.0, where=~np.isfinite(ratio))
            ratio *= period
            np.minimum(np.maximum(ratio, shortest, out=ratio), longest, out=ratio)
            share = np.divide(1.0, ratio, out=ratio)
        gain, loss = changes.push(step, share)
    return {"rsi": 100.0 * gain / positive(gain + loss)}
