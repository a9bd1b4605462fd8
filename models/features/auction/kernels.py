"""Kernels of one session's auction, and of how it compares with those before.

Prices of different sessions are never compared, but for the levels that the mart has from the same contract's session
before: a root rolls from one contract to the next.
"""

import numpy as np

from models.features.feature import FloatArray, Kernel
from models.features.window import flag, mean, positive, total

LEVEL_WEIGHTS = (0.9, 0.8, 0.8)  # point of control, value area high and low
QUIET, BUSY, WILD = 0.25, 0.75, 0.95


def gap(level: str) -> Kernel:
    """Last price / a level of the profile - 1."""

    def kernel(**windows: FloatArray) -> FloatArray:
        return windows["close"][..., -1] / positive(windows[level][..., -1]) - 1.0

    kernel.__qualname__ = f"gap({level})"
    return kernel


def share(part: str, whole: str = "total_volume") -> Kernel:
    """part / whole of the session."""

    def kernel(**windows: FloatArray) -> FloatArray:
        return windows[part][..., -1] / positive(windows[whole][..., -1])

    kernel.__qualname__ = f"share({part}, {whole})"
    return kernel


def net_share(plus: str, minus: str) -> Kernel:
    """(plus - minus) / volume."""

    def kernel(**windows: FloatArray) -> FloatArray:
        return (windows[plus][..., -1] - windows[minus][..., -1]) / positive(windows["total_volume"][..., -1])

    kernel.__qualname__ = f"net_share({plus}, {minus})"
    return kernel


def _deviations(close: FloatArray, vwap: FloatArray, vwap_deviation: FloatArray) -> FloatArray:
    return (close - vwap) / positive(vwap_deviation)


def vwap_position(close: FloatArray, vwap: FloatArray, vwap_deviation: FloatArray) -> FloatArray:
    return _deviations(close[..., -1], vwap[..., -1], vwap_deviation[..., -1])


def mean_vwap_position(close: FloatArray, vwap: FloatArray, vwap_deviation: FloatArray) -> FloatArray:
    return mean(_deviations(close, vwap, vwap_deviation))


def vwap_band(close: FloatArray, vwap: FloatArray, vwap_deviation: FloatArray) -> FloatArray:
    """-2 … 2: how many whole deviations away, at most two."""
    away = vwap_position(close, vwap, vwap_deviation)
    return np.where(np.isfinite(away), np.clip(np.trunc(away), -2.0, 2.0) + 0.0, np.nan)


def vwap_slope(vwap: FloatArray, open: FloatArray) -> FloatArray:
    """Where the mean price came to lie from where the session began."""
    return vwap[..., -1] / positive(open[..., -1]) - 1.0


def value_position(close: FloatArray, val: FloatArray, vah: FloatArray) -> FloatArray:
    return (close[..., -1] - val[..., -1]) / positive(vah[..., -1] - val[..., -1])


def value_width(vah: FloatArray, val: FloatArray, poc: FloatArray) -> FloatArray:
    return (vah[..., -1] - val[..., -1]) / positive(poc[..., -1])


def value_overlap(vah: FloatArray, val: FloatArray, pvah: FloatArray, pval: FloatArray) -> FloatArray:
    """What both areas cover / what either covers."""
    both = np.minimum(vah[..., -1], pvah[..., -1]) - np.maximum(val[..., -1], pval[..., -1])
    either = np.maximum(vah[..., -1], pvah[..., -1]) - np.minimum(val[..., -1], pval[..., -1])
    overlap: FloatArray = np.maximum(both, 0.0) / positive(either)
    return overlap


def open_outside(open: FloatArray, pvah: FloatArray, pval: FloatArray) -> FloatArray:
    """1 opened above the value area of the session before, -1 below it, 0 inside."""
    began, high, low = open[..., -1], pvah[..., -1], pval[..., -1]
    return flag(began > high, high + began) - flag(began < low, low + began)


def poc_shift(poc: FloatArray, ppoc: FloatArray) -> FloatArray:
    return poc[..., -1] / positive(ppoc[..., -1]) - 1.0


def level_pull(close: FloatArray, poc: FloatArray, vah: FloatArray, val: FloatArray) -> FloatArray:
    """Mean distance to the three levels, by their weights."""
    here = positive(close[..., -1])
    pulled = sum(weight * (level[..., -1] / here - 1.0)
                 for weight, level in zip(LEVEL_WEIGHTS, (poc, vah, val), strict=True))  # fmt: skip
    return np.asarray(pulled, dtype=np.float64) / sum(LEVEL_WEIGHTS)


def _place(value: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """-1 at the low, 1 at the high."""
    return (2.0 * value - low - high) / positive(high - low)


def close_place(close: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    return _place(close[..., -1], low[..., -1], high[..., -1])


def delta_place(delta: FloatArray, delta_low: FloatArray, delta_high: FloatArray) -> FloatArray:
    return _place(delta[..., -1], delta_low[..., -1], delta_high[..., -1])


def delta_divergence(close: FloatArray, low: FloatArray, high: FloatArray, delta: FloatArray, delta_low: FloatArray,
                     delta_high: FloatArray) -> FloatArray:  # fmt: skip
    """Half the place of the close in its range less that of the delta in its own: above 0, price outran the buyers."""
    return 0.5 * (close_place(close, low, high) - delta_place(delta, delta_low, delta_high))


def hidden_strength(open: FloatArray, close: FloatArray, delta: FloatArray) -> FloatArray:
    """1 where price fell and buyers pressed, -1 where it rose and sellers did, else 0."""
    move, pressed = close[..., -1] - open[..., -1], delta[..., -1]
    return flag((move < 0.0) & (pressed > 0.0), move + pressed) - flag((move > 0.0) & (pressed < 0.0), move + pressed)


def ratio_of_sums(part: str, whole: str) -> Kernel:
    """Sum of the part / sum of the whole, over the window."""

    def kernel(**windows: FloatArray) -> FloatArray:
        return total(windows[part]) / positive(total(windows[whole]))

    kernel.__qualname__ = f"ratio_of_sums({part}, {whole})"
    return kernel


def to_mean(**windows: FloatArray) -> FloatArray:
    """The session's value / the mean of the window."""
    (window,) = windows.values()
    return window[..., -1] / positive(mean(window))


def session_range(high: FloatArray, low: FloatArray) -> FloatArray:
    return high[..., -1] / positive(low[..., -1]) - 1.0


def range_regime(high: FloatArray, low: FloatArray) -> FloatArray:
    """0 low, 1 normal, 2 high, 3 extreme: the session's range among those of the window."""
    width = high / positive(low) - 1.0
    last, before = width[..., -1:], np.ascontiguousarray(width[..., :-1])
    below = (before < last).mean(axis=-1) + 0.5 * (before == last).mean(axis=-1)
    known = mean(width)
    return flag(below >= QUIET, known) + flag(below >= BUSY, known) + flag(below >= WILD, known)


def volume_confirms(open: FloatArray, close: FloatArray, up_ticks: FloatArray, down_ticks: FloatArray) -> FloatArray:
    """Net ticks' share, positive where they went the way of the price: a move that few ticks made is a weak one."""
    up, down = up_ticks[..., -1], down_ticks[..., -1]
    return np.sign(close[..., -1] - open[..., -1]) * (up - down) / positive(up + down)


def tick_persistence(up_ticks: FloatArray, down_ticks: FloatArray, reversals: FloatArray) -> FloatArray:
    """1 - 2 * reversals / ticks: 1 where each tick went on, -1 where each turned back."""
    return 1.0 - 2.0 * reversals[..., -1] / positive(up_ticks[..., -1] + down_ticks[..., -1])


def stealth(open: FloatArray, close: FloatArray, hidden_bid_volume: FloatArray, hidden_ask_volume: FloatArray,
            total_volume: FloatArray) -> FloatArray:  # fmt: skip
    """Hidden buyers' less hidden sellers' share of volume where it stands against the move, 0 where it goes with it."""
    net = (hidden_bid_volume[..., -1] - hidden_ask_volume[..., -1]) / positive(total_volume[..., -1])
    move = close[..., -1] - open[..., -1]
    return np.where(np.isfinite(net + move), np.where(net * move < 0.0, net, 0.0), np.nan)


def activity(part: str) -> Kernel:
    """Mean range of a part of the day / mean range of the session, over the window."""

    def kernel(**windows: FloatArray) -> FloatArray:
        whole = windows["high"] / positive(windows["low"]) - 1.0
        return mean(windows[f"{part}_range"]) / positive(mean(whole))

    kernel.__qualname__ = f"activity({part})"
    return kernel


def best_part(asia_range: FloatArray, london_range: FloatArray, newyork_range: FloatArray) -> FloatArray:
    """Which part of the day moved most over the window: 0 Asia, 1 London, 2 New York."""
    means = np.stack([mean(part) for part in (asia_range, london_range, newyork_range)], axis=-1)
    known = np.isfinite(means).all(axis=-1)
    return np.where(known, np.argmax(np.where(np.isfinite(means), means, -1.0), axis=-1) * 1.0, np.nan)
