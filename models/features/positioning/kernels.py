"""Kernels of positioning: shares and distances of one session, and where a level stands among those before it.

A missing input gives a missing value. Nothing here turns it into a zero, and a level is placed among the past only
where four fifths of that past are known.
"""

import numpy as np

from models.features.feature import FloatArray, Kernel
from models.features.session_value import latest
from models.features.window import flag, mean, moving, positive, total

BILLION = 1e9
MOST_MISSING = 0.2
BULLISH, BEARISH = 0.8, 1.2  # put/call ratios beyond which the crowd leans
PINNED_WITHIN = 0.005
CALM, NORMAL, TENSE = 15.0, 20.0, 30.0  # VIX: low below, then normal, high, and extreme from the last on


def change(**windows: FloatArray) -> FloatArray:
    """The session's value less that at the window's beginning."""
    (window,) = windows.values()
    return window[..., -1] - window[..., 0]


def _enough(window: FloatArray) -> np.ndarray:
    known = np.isfinite(window)
    enough: np.ndarray = known[..., -1] & ((~known).sum(axis=-1) <= MOST_MISSING * window.shape[-1])
    return enough


def rank(**windows: FloatArray) -> FloatArray:
    """(value - lowest) / (highest - lowest) of the window."""
    (window,) = windows.values()
    known = np.isfinite(window)
    low = np.where(known, window, np.inf).min(axis=-1)
    high = np.where(known, window, -np.inf).max(axis=-1)
    return np.where(_enough(window), (window[..., -1] - low) / positive(high - low), np.nan)


def percentile(**windows: FloatArray) -> FloatArray:
    """Share of the window's earlier values that lie below the session's, ties counting half."""
    (window,) = windows.values()
    last, before = window[..., -1:], window[..., :-1]
    below = (before < last).sum(axis=-1) + 0.5 * (before == last).sum(axis=-1)
    return np.where(_enough(window), below / positive(np.isfinite(before).sum(axis=-1) * 1.0), np.nan)


def zscore(**windows: FloatArray) -> FloatArray:
    """(value - mean) / standard deviation of the window."""
    (window,) = windows.values()
    count = positive(np.isfinite(window).sum(axis=-1) * 1.0)
    known = np.where(np.isfinite(window), window, 0.0)
    middle = total(known) / count
    centred = np.where(np.isfinite(window), window - middle[..., None], 0.0)
    spread = moving(np.sqrt(total(centred * centred) / count), middle)
    return np.where(_enough(window), (window[..., -1] - middle) / spread, np.nan)


def quartile_regime(**windows: FloatArray) -> FloatArray:
    """0 below the window's lower quartile, 1 up to the upper, 2 up to 95 %, 3 above: the market sets its thresholds."""
    share = percentile(**windows)
    return flag(share >= 0.25, share) + flag(share >= 0.75, share) + flag(share >= 0.95, share)


def fear_regime(vix: FloatArray) -> FloatArray:
    level = vix[..., -1]
    return flag(level >= CALM, level) + flag(level >= NORMAL, level) + flag(level >= TENSE, level)


def relative(top: str, bottom: str) -> Kernel:
    """top / bottom - 1, of the session."""

    def kernel(**windows: FloatArray) -> FloatArray:
        return windows[top][..., -1] / positive(windows[bottom][..., -1]) - 1.0

    kernel.__qualname__ = f"relative({top}, {bottom})"
    return kernel


def billions(**windows: FloatArray) -> FloatArray:
    return latest(**windows) / BILLION


def crowd(put_call_ratio: FloatArray) -> FloatArray:
    ratio = put_call_ratio[..., -1]
    return flag(ratio < BULLISH, ratio) - flag(ratio > BEARISH, ratio)


def gross_gamma(gamma_calls: FloatArray, gamma_puts: FloatArray) -> FloatArray:
    return (gamma_calls[..., -1] + gamma_puts[..., -1]) / BILLION


def same_day_gamma(gamma_0dte: FloatArray, gamma_calls: FloatArray, gamma_puts: FloatArray) -> FloatArray:
    return gamma_0dte[..., -1] / positive(gamma_calls[..., -1] + gamma_puts[..., -1])


def gamma_per_point(gamma_exposure: FloatArray, spot: FloatArray) -> FloatArray:
    """From currency per 1 % move to millions of it per point: 1 % of the spot is so many points."""
    return gamma_exposure[..., -1] / (spot[..., -1] * 0.01) / 1e6


def above_flip(spot: FloatArray, gamma_flip: FloatArray) -> FloatArray:
    gap = spot[..., -1] - gamma_flip[..., -1]
    return flag(gap > 0.0, gap)


def nearest_pin(pin_1: FloatArray, pin_2: FloatArray, pin_3: FloatArray, spot: FloatArray) -> FloatArray:
    """Distance to the nearest of the pins that there are, either way."""
    here = spot[..., -1]
    gaps = np.stack([np.abs(pin[..., -1] / here - 1.0) for pin in (pin_1, pin_2, pin_3)], axis=-1)
    found = np.where(np.isfinite(gaps), gaps, np.inf).min(axis=-1)
    return np.where(np.isfinite(found), found, np.nan)


def pinned(pin_1: FloatArray, spot: FloatArray, gamma_exposure: FloatArray) -> FloatArray:
    """1 where dealers are long gamma and the first pin is near: their hedging pulls the price to it."""
    gap, gamma = pin_1[..., -1] / spot[..., -1] - 1.0, gamma_exposure[..., -1]
    return flag((np.abs(gap) <= PINNED_WITHIN) & (gamma > 0.0), gap + gamma)


def skew_share(skew_25d: FloatArray, iv30: FloatArray) -> FloatArray:
    return skew_25d[..., -1] / positive(iv30[..., -1])


def less_realised(iv30: FloatArray, spot: FloatArray) -> FloatArray:
    """What options cost above what the spot did: iv30 - sqrt(252 * mean squared return of the window)."""
    moves = np.ascontiguousarray(spot[..., 1:] / spot[..., :-1] - 1.0)
    return iv30[..., -1] - np.sqrt(mean(moves * moves) * 252.0)
