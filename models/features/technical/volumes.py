"""Whether volume stands behind a move: money flow, signed volume, turnover, price impact."""

import numpy as np

from models.features.feature import FloatArray
from models.features.window import mean, positive, total


def money_flow(high_tr: FloatArray, low_tr: FloatArray, close_tr: FloatArray, volume_split: FloatArray) -> FloatArray:
    typical = (high_tr + low_tr + close_tr) / 3.0
    flow = np.ascontiguousarray((typical * volume_split)[..., 1:])
    change = typical[..., 1:] - typical[..., :-1]
    known = np.where(np.isfinite(change), 0.0, np.nan)
    into = total(np.where(change > 0.0, flow, known))
    out = total(np.where(change < 0.0, flow, known))
    return 100.0 * into / positive(into + out)


def chaikin_flow(high: FloatArray, low: FloatArray, close: FloatArray, volume_split: FloatArray) -> FloatArray:
    span = high - low
    place = np.where(span == 0.0, 0.0, (2.0 * close - high - low) / np.where(span == 0.0, 1.0, span))
    return total(place * volume_split) / positive(total(volume_split))


def signed_volume_share(close_tr: FloatArray, volume_split: FloatArray) -> FloatArray:
    volume = np.ascontiguousarray(volume_split[..., 1:])
    signed = np.sign(close_tr[..., 1:] - close_tr[..., :-1]) * volume
    return total(signed) / positive(total(volume))


def volume_ratio(volume_split: FloatArray) -> FloatArray:
    recent = mean(np.ascontiguousarray(volume_split[..., -5:]))
    return recent / positive(mean(volume_split))


def illiquidity(close_tr: FloatArray, dollar_volume: FloatArray) -> FloatArray:
    moves = np.abs(close_tr[..., 1:] / close_tr[..., :-1] - 1.0)
    traded = np.ascontiguousarray(dollar_volume[..., 1:]) / 1e6
    return 1e4 * mean(np.ascontiguousarray(moves / positive(traded)))
