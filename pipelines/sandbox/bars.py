"""Day bars in cents, added up from minute bars where there are any and drawn where there are none."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.sandbox.chance import stream
from pipelines.sandbox.equities import Days, Noise
from pipelines.sandbox.minutes import Minutes


@dataclass(frozen=True)
class Bars:
    """(sessions, names), as the tape had them: NaN and 0 where a company does not trade."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    trades: np.ndarray
    vwap: np.ndarray


def draw_bars(seed: int, noise: Noise, days: Days, shares: np.ndarray) -> Bars:
    """Highs and lows as those of a bridge between open and close with the day's volatility."""
    open_, close = np.round(days.open, 2), np.round(days.close, 2)
    log_open, log_close = np.log(open_), np.log(close)
    luck = stream(seed, "range").random((*open_.shape, 2))
    spread = np.sqrt((log_close - log_open)[..., None] ** 2 - 2 * noise.day_vol[..., None] ** 2 * np.log(1 - luck))
    middle = (log_open + log_close) / 2
    high = np.maximum(np.round(np.exp(middle + spread[..., 0] / 2), 2), np.fmax(open_, close))
    low = np.minimum(np.round(np.exp(middle - spread[..., 1] / 2), 2), np.fmin(open_, close))
    vwap = np.round((high + low + close) / 3, 4)
    return Bars(open_, high, low, close, shares.copy(), shares // 130, vwap)


def add_up(bars: Bars, minutes: Mapping[int, Minutes]) -> Bars:
    """The same bars, with the sessions that have minutes agreeing with them exactly."""
    for session, parts in minutes.items():
        alive = np.isfinite(bars.open[session])
        day = parts.day()
        for column in ("high", "low", "volume", "trades", "vwap"):
            target = getattr(bars, column)
            target[session] = np.where(alive, np.round(day[column], 4), target[session])
    return bars
