"""Minutes as a panel: what was known of each name at a minute's end, and whether it rose soon after (`Target_5m`)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.gbm.config import GbmConfig
from models.labelling.bets import MINUTES, RISE, target_5m

Floats = NDArray[np.float64]

OWN = ("move_1m", "move_5m", "move_15m", "volatility_15m", "range_5m", "volume_rate_5m", "vwap_gap", "close_place")
SHARED = ("minute", "market_move_5m")
# Rises are rare, so leaves hold many rows; overlapping labels share their weight; the curve makes shares of the scores.
TARGET_5M = GbmConfig(
    features=OWN, context=SHARED, objective="binary", rounds=60, leaves=8, learning_rate=0.05, min_leaf=50,
    feature_fraction=0.7, row_fraction=0.7, weights="unique", label_rows=MINUTES, calibration="platt")


@dataclass(frozen=True)
class MinuteBars:
    """Whole sessions one after the other, each (minutes, names); NaN where a minute had no trade."""

    starts: NDArray[np.datetime64]  # (rows,) of each minute, UTC
    sessions: NDArray[np.datetime64]  # (rows,) the session that it belongs to
    names: tuple[str, ...]
    opens: Floats
    highs: Floats
    lows: Floats
    closes: Floats
    volumes: Floats


def minute_panel(bars: MinuteBars, minutes: int = MINUTES, rise: float = RISE) -> tuple[FeaturePanel, Floats]:
    """(panel of minute rows, targets). Nothing is looked back at beyond its own session's first minute, and the panel's
    `sessions` are the minutes' starts; a decision at a row is made when its minute is over."""
    values = np.full((*bars.closes.shape, len(OWN) + len(SHARED)), np.nan)
    targets = np.full(bars.closes.shape, np.nan)
    for session in np.unique(bars.sessions):
        rows = np.flatnonzero(bars.sessions == session)
        values[rows] = _session(bars, rows)
        targets[rows] = target_5m(bars.opens[rows], bars.highs[rows], minutes, rise)[0]
    panel = FeaturePanel(sessions=bars.starts, names=bars.names, features=(*OWN, *SHARED), values=values,
                         tradable=np.isfinite(bars.closes))
    return panel, targets


def _session(bars: MinuteBars, rows: NDArray[np.intp]) -> Floats:
    """(minutes, names, features) of one session."""
    close, high, low = bars.closes[rows], bars.highs[rows], bars.lows[rows]
    volume = np.nan_to_num(bars.volumes[rows])
    last = _carried(close)
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = {span: last / _back(last, span) - 1.0 for span in (1, 5, 15)}
        traded, turnover = np.cumsum(volume, axis=0), np.cumsum(np.nan_to_num(close) * volume, axis=0)
        own = (
            moves[1], moves[5], moves[15], np.sqrt(_mean(moves[1] ** 2, 15)), _mean(high / low - 1.0, 5),
            _mean(volume, 5) / (traded / np.arange(1, len(rows) + 1)[:, None]), last / (turnover / traded) - 1.0,
            np.where(high > low, (2.0 * close - high - low) / (high - low), 0.0),
        )
    told = np.stack([*own, np.zeros_like(last), np.zeros_like(last)], axis=2)
    told[:, :, -2] = np.arange(len(rows))[:, None]
    known = np.isfinite(moves[5])
    market = np.where(known, moves[5], 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    told[:, :, -1] = market[:, None]
    return np.where(np.isfinite(told), told, np.nan)


def _carried(prices: Floats) -> Floats:
    """The last price there was, at each minute."""
    seen = np.where(np.isfinite(prices), np.arange(len(prices))[:, None], -1)
    newest = np.maximum.accumulate(seen, axis=0)
    return np.where(newest >= 0, np.take_along_axis(prices, np.maximum(newest, 0), axis=0), np.nan)


def _back(values: Floats, span: int) -> Floats:
    earlier = np.full_like(values, np.nan)
    earlier[span:] = values[:-span]
    return earlier


def _mean(values: Floats, span: int) -> Floats:
    """Mean of the known values of the last `span` rows; NaN until half of them could be known."""
    known = np.isfinite(values)
    total, count = np.cumsum(np.where(known, values, 0.0), axis=0), np.cumsum(known, axis=0).astype(np.float64)
    total[span:], count[span:] = total[span:] - total[:-span].copy(), count[span:] - count[:-span].copy()
    return np.where(count >= (span + 1) // 2, total / np.maximum(count, 1.0), np.nan)
