"""Liquidity and risk of a name as known before a session opens; judge and live share the kernels."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
LOOK_BACK = 20
LEAST = 10  # sessions that must have traded for a figure to stand


def _mean_of_known(windows: FloatArray) -> FloatArray:
    known = np.isfinite(windows)
    if windows.shape[-1] >= LEAST and np.logical_and.reduce(known, axis=None):  # as below, without a gap
        whole: FloatArray = np.add.reduce(windows, axis=-1) / windows.shape[-1]
        return whole
    count = known.sum(axis=-1)
    total = np.where(known, windows, 0.0).sum(axis=-1)
    return np.where(count >= LEAST, total / np.maximum(count, 1), np.nan)


def adv20_usd(dollar_volume: FloatArray) -> FloatArray:
    """Mean dollars traded: windows (..., 20), time last, contiguous."""
    return _mean_of_known(dollar_volume[..., -LOOK_BACK:])


def vol20_daily(close_tr: FloatArray) -> FloatArray:
    """Root mean square of 20 daily total returns: windows (..., 21) of closes times total-return factor, time last."""
    returns = close_tr[..., -LOOK_BACK:] / close_tr[..., -LOOK_BACK - 1 : -1] - 1.0
    return np.sqrt(_mean_of_known(returns * returns))


def trailing(values: FloatArray, width: int) -> FloatArray:
    """(sessions, names) to contiguous windows (sessions, names, width) that end BEFORE each session."""
    padded = np.vstack([np.full((width, values.shape[1]), np.nan), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)[: len(values)]
    return np.ascontiguousarray(windows)


def known_before(
    close: FloatArray, volume: FloatArray, total_return_factor: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """ADV20 in dollars and daily volatility that a decision for each session may use (bars up to the one before)."""
    adv = adv20_usd(trailing(close * volume, LOOK_BACK))
    vol = vol20_daily(trailing(close * total_return_factor, LOOK_BACK + 1))
    return adv, vol
