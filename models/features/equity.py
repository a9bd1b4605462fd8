"""Daily features of single names. Only + - * / and square roots, which every machine rounds alike."""

import math

import numpy as np

from models.features import cross
from models.features.feature import Feature, FloatArray, Kernel
from models.features.window import mean, moving, returns, total

YEAR_SESSIONS = 252.0


def _deviation(values: FloatArray) -> FloatArray:
    """Population standard deviation over the window; NaN where nothing moved, never a division by zero later."""
    middle = mean(values)
    return moving(np.sqrt(mean((values - middle[..., None]) ** 2)), middle)


def total_return(close_tr: FloatArray) -> FloatArray:
    return close_tr[..., -1] / close_tr[..., 0] - 1.0


def residual_return(close_tr: FloatArray) -> FloatArray:
    own = total_return(close_tr)
    return own - cross.mean(own)


def rank_return(close_tr: FloatArray) -> FloatArray:
    return cross.rank(total_return(close_tr))


def volatility_adjusted_momentum(close_tr: FloatArray) -> FloatArray:
    moves = returns(close_tr)
    return total_return(close_tr) / (_deviation(moves) * math.sqrt(moves.shape[-1]))


def zscore(close_tr: FloatArray) -> FloatArray:
    return (close_tr[..., -1] - mean(close_tr)) / _deviation(close_tr)


def rsi(close_tr: FloatArray) -> FloatArray:
    changes = np.ascontiguousarray(close_tr[..., 1:] - close_tr[..., :-1])
    gains = total(np.maximum(changes, 0.0))
    losses = total(np.maximum(-changes, 0.0))
    return 100.0 * gains / (gains + losses)


def true_range_share(high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray) -> FloatArray:
    before = close_tr[..., :-1]
    reach = np.maximum(high_tr[..., 1:], before) - np.minimum(low_tr[..., 1:], before)
    return mean(np.ascontiguousarray(reach)) / close_tr[..., -1]


def realised_volatility(close_tr: FloatArray) -> FloatArray:
    return np.sqrt(mean(returns(close_tr) ** 2) * YEAR_SESSIONS)


def volume_zscore(volume_split: FloatArray) -> FloatArray:
    return (volume_split[..., -1] - mean(volume_split)) / _deviation(volume_split)


def overnight_gap(open_tr: FloatArray, close_tr: FloatArray) -> FloatArray:
    return open_tr[..., -1] / close_tr[..., 0] - 1.0


def close_location(high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    span = high[..., -1] - low[..., -1]
    # A bar of one price closes in its middle.
    return np.where(span == 0.0, 0.0, (2.0 * close[..., -1] - high[..., -1] - low[..., -1]) / span)


def _declare(name: str, look_back: int, kernel: Kernel, inputs: str, description: str,
             bounds: tuple[float, float] | None = None) -> Feature:
    return Feature(
        name=name, family="equity", entity="instrument", inputs=tuple(inputs.split()), look_back=look_back,
        kernel=kernel, description=description, bounds=bounds,
    )


FEATURES = (
    _declare("ret_1", 2, total_return, "close_tr", "Total return of the last session, close to close."),
    _declare("ret_5", 6, total_return, "close_tr", "Total return over 5 sessions."),
    _declare("ret_20", 21, total_return, "close_tr", "Total return over 20 sessions."),
    _declare("resid_ret_5", 6, residual_return, "close_tr", "ret_5 less its mean over the names of the session."),
    _declare("rank_ret_5", 6, rank_return, "close_tr", "Rank of ret_5 among the names of the session, 0 to 1.",
             (0.0, 1.0)),
    _declare("vam_20", 21, volatility_adjusted_momentum, "close_tr",
             "ret_20 / (standard deviation of its daily returns * sqrt(20))."),
    _declare("zscore_20", 20, zscore, "close_tr", "(close - mean) / standard deviation of 20 closes."),
    _declare("rsi_14", 15, rsi, "close_tr", "Relative strength of 14 changes: 100 * gains / (gains + losses).",
             (0.0, 100.0)),
    _declare("atr_14", 15, true_range_share, "high_tr low_tr close_tr", "Mean true range of 14 sessions / close."),
    _declare("rv_20", 21, realised_volatility, "close_tr", "sqrt(252 * mean squared daily return of 20 sessions)."),
    _declare("volume_z_20", 20, volume_zscore, "volume_split",
             "(volume - mean) / standard deviation of 20 split-adjusted volumes."),
    _declare("overnight_gap", 2, overnight_gap, "open_tr close_tr", "Open / previous close - 1, total return."),
    _declare("close_location", 1, close_location, "high low close",
             "Where the close lies in the bar: -1 at its low, +1 at its high.", (-1.0, 1.0)),
)
