"""Features of the whole market, written on every name's row so that a decision needs one table."""

import numpy as np

from models.features import cross
from models.features.equity import YEAR_SESSIONS
from models.features.feature import Feature, FloatArray
from models.features.window import moving


def _on_every_name(value: FloatArray, present: FloatArray) -> FloatArray:
    """(sessions, 1) -> (sessions, names); a name without today's bar knows nothing of today."""
    return np.where(np.isfinite(present), value, np.nan)


def market_return(close_tr: FloatArray) -> FloatArray:
    return _on_every_name(cross.mean(close_tr[..., -1] / close_tr[..., 0] - 1.0), close_tr[..., -1])


def market_volatility(close_tr: FloatArray) -> FloatArray:
    daily = cross.mean(close_tr[..., 1:] / close_tr[..., :-1] - 1.0)  # (sessions, 1, moves)
    swing = np.sqrt(np.mean(np.ascontiguousarray(daily) ** 2, axis=-1) * YEAR_SESSIONS)
    return _on_every_name(swing, close_tr[..., -1])


def market_volume_zscore(dollar_volume: FloatArray) -> FloatArray:
    traded = np.ascontiguousarray(cross.mean(dollar_volume))  # a mean, so that a listing is no surge
    level = np.mean(traded, axis=-1, keepdims=True)
    centred = traded - level
    spread = moving(np.sqrt(np.mean(centred**2, axis=-1)), level[..., 0])
    return _on_every_name(centred[..., -1] / spread, dollar_volume[..., -1])


FEATURES = (
    Feature("mkt_ret_1", "equity", "instrument", ("close_tr",), 2, market_return,
            "Mean total return of the session over all names."),
    Feature("mkt_vol_20", "equity", "instrument", ("close_tr",), 21, market_volatility,
            "sqrt(252 * mean squared market return of 20 sessions)."),
    Feature("mkt_volume_z", "equity", "instrument", ("dollar_volume",), 20, market_volume_zscore,
            "(mean dollar volume a name - its 20-session mean) / standard deviation."),
)
