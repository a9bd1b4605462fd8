"""Panels for the rules: a few names as they are told, or a whole random market with every column that a rule reads."""

import numpy as np

from models.features.panel import FeaturePanel
from models.hmm.config import STATES
from models.signals.alpha import union
from models.signals.catalogue import BOOKS

EVERY = union(*(book.features for book in BOOKS))
SPREAD = {  # centre and deviation of what is not of order one
    "technical_v1:adx_14": (25.0, 10.0), "technical_v1:rsi": (50.0, 18.0), "statistical_v1:hurst_256": (0.48, 0.06),
    "equity_v1:rv_20": (0.25, 0.08), "equity_v1:atr_14": (0.02, 0.004), "technical_v1:vol_ratio_5_60": (1.0, 0.3),
    "garch_v1:garch_vol": (0.25, 0.05), "equity_v1:ret_1": (0.0, 0.02), "technical_v1:sma_gap_50": (0.0, 0.05),
    "technical_v1:sma_gap_200": (0.0, 0.1), "options_v1:put_call_ratio": (1.0, 0.2), "options_v1:iv30": (0.2, 0.05),
    "positioning_v1:pin_1_distance": (0.0, 0.004), "equity_v1:zscore_20": (0.0, 1.5),
}
POSITIVE = ("technical_v1:adx_14", "equity_v1:rv_20", "equity_v1:atr_14", "garch_v1:garch_vol")


def told(**columns: list[float] | list[list[float]]) -> FeaturePanel:
    """One decision, a value a name; or several decisions, a list each. Names are written `view_v1__name`."""
    values = {name.replace("__", ":"): np.atleast_2d(np.array(column, dtype=float)) for name, column in columns.items()}
    (shape,) = {column.shape for column in values.values()}
    days = np.datetime64("2024-01-02") + np.arange(shape[0])
    names = tuple(f"N{at:02d}" for at in range(shape[1]))
    return FeaturePanel(days, names, tuple(values), np.stack(list(values.values()), axis=-1),
                        np.ones(shape, dtype=bool))


def market(seed: int, sessions: int = 330, names: int = 9, missing: float = 0.03) -> FeaturePanel:
    """Every column of every rule, with gaps, a name that lists late and one that dies."""
    rng = np.random.default_rng(seed)
    values = np.empty((sessions, names, len(EVERY)))
    for at, name in enumerate(EVERY):
        centre, deviation = SPREAD.get(name, (0.0, 1.0))
        column = centre + deviation * rng.standard_normal((sessions, names))
        values[..., at] = np.abs(column) if name in POSITIVE else column
    for flag in ("positioning_v1:pinned", "positioning_v1:dealer_side", "technical_v1:vol_regime"):
        at = EVERY.index(flag)
        values[..., at] = np.sign(values[..., at]) * (np.abs(values[..., at]) > 0.7)
    believed = rng.dirichlet(np.ones(len(STATES)), sessions)
    for at, state in enumerate(STATES):
        values[..., EVERY.index(f"hmm:{state}")] = believed[:, at, None]
    values[rng.random(values.shape) < missing] = np.nan
    values[: sessions // 2, 0] = np.nan
    values[-20:, -1] = np.nan
    tradable = rng.random((sessions, names)) < 0.95
    tradable[: sessions // 2, 0] = tradable[-20:, -1] = False
    days = np.datetime64("2023-01-02") + np.arange(sessions)
    return FeaturePanel(days, tuple(f"N{at:02d}" for at in range(names)), EVERY, values, tradable)
