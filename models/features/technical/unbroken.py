"""The recursive indicators of names of which no bar is missing: the formulas and the bits of `recursive`, where every
weight is known before the first step and nothing need be asked of any value on the way.

A missing bar moves no state. So a tail, which is one window, is brought to this form: its bars are moved together at
the end, and before the first of them the weights are zero.
"""

from dataclasses import dataclass

import numpy as np

from models.features.equity import YEAR_SESSIONS
from models.features.feature import FloatArray
from models.features.window import flag, positive

Columns = dict[str, FloatArray]


@dataclass(frozen=True)
class Bars:
    """Series of (sessions, names) without a hole, `steps` sessions a window; `there` tells which sessions were."""

    series: tuple[FloatArray, ...]
    there: np.ndarray
    steps: int

    @property
    def windows(self) -> int:
        return len(self.there) - self.steps + 1

    @property
    def gone(self) -> np.ndarray:
        """How many of a name's sessions were missing; one number where none is."""
        return np.zeros(1, dtype=np.int64) if self.there.all() else (~self.there).sum(axis=0)

    @classmethod
    def together(cls, series: tuple[FloatArray, ...], steps: int) -> "Bars":
        """A window's holes are moved before its first bar, and told as that bar: no move."""
        there = np.isfinite(series[-1])
        if there.all():
            return cls(series, there, steps)
        order, gone = np.argsort(there, axis=0, kind="stable"), (~there).sum(axis=0)
        place = np.maximum(np.arange(len(there))[:, None], gone)
        order = np.take_along_axis(order, place, axis=0)
        return cls(tuple(np.take_along_axis(values, order, axis=0) for values in series), there, steps)

    def weights(self, *told: tuple[int, float, int]) -> FloatArray:
        """What a Smoother gives the value of each step, (steps, series, 1, names or 1). A series is its period, its
        pace, and the bar it begins with: before that nothing moves it."""
        periods, paces, starts = (np.array(part)[:, None] for part in zip(*told, strict=True))
        gone = self.gone
        longest = int(gone.max())
        count = np.arange(1 - longest, self.steps + 1) - starts  # of values, by how many sessions were not missing
        early = np.where(count > 0, 1.0 / np.maximum(count, 1), 0.0)
        by_count = np.where(count <= periods, early, paces)
        place = np.arange(self.steps)[:, None] + (longest - gone)
        weights: FloatArray = by_count.take(place, axis=1).transpose(1, 0, 2)[:, :, None]
        return weights

    def after(self, bars: int, values: FloatArray) -> FloatArray:
        """NaN where a window has fewer."""
        return np.where(self.steps - self.gone >= bars, values, np.nan)


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


def directional(bars: Bars, period: int, strong: float) -> Columns:
    high_tr, low_tr, close_tr = bars.series
    close_0 = _before(close_tr)
    rise, fall = high_tr - _before(high_tr), _before(low_tr) - low_tr
    moves = States(np.stack([
        np.maximum(high_tr, close_0) - np.minimum(low_tr, close_0),
        np.where((rise > fall) & (rise > 0.0), rise, 0.0), np.where((fall > rise) & (fall > 0.0), fall, 0.0),
    ]), bars.windows)  # fmt: skip
    weight = bars.weights(*[(period, 1.0 / period, 1)] * 3)
    later = bars.weights((period, 1.0 / period, period))[:, 0]
    last = close_tr[bars.steps - 1 :]
    adx, moved = np.zeros((2, *last.shape))
    for step in range(1, bars.steps):
        usual, plus, minus = moves.push(step, weight[step])
        if step >= period:
            both, apart = plus + minus, plus - minus
            np.abs(apart, out=apart)
            apart *= 100.0
            np.divide(apart, both, out=both, where=both > 0.0)
            np.subtract(both, adx, out=moved)
            moved *= later[step]
            adx += moved
    usual, adx = bars.after(period + 1, usual), bars.after(2 * period, adx)
    unit = positive(usual)
    return {
        "atr_wilder_14": usual / last, "plus_di_14": 100.0 * plus / unit, "minus_di_14": 100.0 * minus / unit,
        "adx_14": adx, "trend_strong": flag(adx > strong, adx),
    }  # fmt: skip


def of_closes(bars: Bars, period: int, decay: float, lags: int, overbought: float, oversold: float) -> Columns:
    (close_tr,), windows, steps = bars.series, bars.windows, bars.steps
    now, close_0 = close_tr[steps - 1 :], _before(close_tr)
    change, move = close_tr - close_0, close_tr / close_0 - 1.0
    gains, losses = np.maximum(change, 0.0), np.maximum(-change, 0.0)
    told = States(np.stack([close_tr, close_tr, gains, losses, move * move]), windows)
    wilder = (period, 1.0 / period, 1)
    weight = bars.weights((12, 2.0 / 13, 0), (26, 2.0 / 27, 0), wilder, wilder, (20, 1.0 - decay, 1))
    later = bars.weights((9, 2.0 / 10, 25))[:, 0]
    signal, apart, moved, known = np.zeros((4, *now.shape))
    scaled: list[FloatArray] = []  # the newest bar's return first
    for step in range(steps):
        if step >= steps - lags:
            ago = steps - 1 - step
            unit = bars.after(22 + ago, positive(np.sqrt(known)))
            scaled.insert(0, move[step : step + windows] / unit)
        fast, slow, gain, loss, known = told.push(step, weight[step])
        np.subtract(fast, slow, out=apart)
        np.subtract(apart, signal, out=moved)
        moved *= later[step]
        signal += moved
    apart, signal, known = bars.after(26, apart), bars.after(34, signal), bars.after(21, known)
    strength = bars.after(period + 1, 100.0 * gain / positive(gain + loss))
    return {
        "macd": apart / now, "macd_signal": signal / now, "macd_histogram": (apart - signal) / now, "rsi": strength,
        "rsi_overbought": flag(strength > overbought, strength), "rsi_oversold": flag(strength < oversold, strength),
        "ewma_vol": np.sqrt(known * YEAR_SESSIONS), **_by_session(bars, scaled),
    }  # fmt: skip


def _by_session(bars: Bars, newest_first: list[FloatArray]) -> Columns:
    """What is told of the newest bars, as of the newest sessions: none is told of a session without a bar."""
    if bars.there.all():
        return {f"norm_ret_{ago}": values for ago, values in enumerate(newest_first)}
    there = bars.there[::-1][: len(newest_first)]
    place = np.maximum(np.cumsum(there, axis=0) - 1, 0)
    values = np.take_along_axis(np.concatenate(newest_first), place, axis=0)
    return {f"norm_ret_{ago}": row[None] for ago, row in enumerate(np.where(there, values, np.nan))}


def adaptive_rsi(bars: Bars, period: int, shortest: float, longest: float) -> Columns:
    (close_tr,), windows, steps, usual_period = bars.series, bars.windows, bars.steps, 60
    move = close_tr / _before(close_tr) - 1.0
    pace = States(np.stack([np.abs(move)] * 2), windows)
    changes = States(np.stack([np.maximum(move, 0.0), np.maximum(-move, 0.0)]), windows)
    weight = bars.weights((usual_period, 2.0 / (usual_period + 1), 1), (10, 2.0 / 11, 1))
    early = bars.weights(*[(period, 1.0 / period, 1)] * 2)
    gone = bars.gone
    young = bool(gone.any())
    for step in range(1, steps):
        usual, quick = pace.push(step, weight[step])
        share = early[step]
        if step >= usual_period:
            ratio = usual / quick
            np.copyto(ratio, 1.0, where=~np.isfinite(ratio))
            ratio *= period
            np.minimum(np.maximum(ratio, shortest, out=ratio), longest, out=ratio)
            np.divide(1.0, ratio, out=ratio)
            share = np.where(step - gone >= usual_period, ratio, share) if young else ratio
        gain, loss = changes.push(step, share)
    return {"rsi": bars.after(period + 1, 100.0 * gain / positive(gain + loss))}
