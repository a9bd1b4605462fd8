"""A generated name's daily bars, for values that other libraries computed once; and panels of several such."""

import numpy as np

from models.features.inputs import derive
from models.features.panel import BarPanel

SESSIONS = 420


def bars(seed: int = 7, sessions: int = SESSIONS) -> dict[str, np.ndarray]:
    """Open, high, low, close and volume whose volatility comes in waves; multiplications only, so alike everywhere."""
    rng = np.random.default_rng(seed)
    swing = 0.01 * (1.0 + np.abs((np.arange(sessions) % 120) - 60) / 40.0)
    moves = swing * (rng.random((sessions, 3)).sum(axis=1) - 1.5) * 2.0 + 0.0004
    close = 80.0 * np.cumprod(1.0 + moves)
    open_ = np.concatenate([close[:1], close[:-1]]) * (1.0 + 0.3 * swing * (rng.random(sessions) - 0.5))
    reach = swing * rng.random((2, sessions))
    return {"open": open_, "high": np.maximum(open_, close) * (1.0 + reach[0]),
            "low": np.minimum(open_, close) * (1.0 - reach[1]), "close": close,
            "volume": np.floor(1e5 + 9e5 * rng.random(sessions))}  # fmt: skip


def panel(columns: list[dict[str, np.ndarray]], **more: np.ndarray) -> BarPanel:
    """One name a dict, no actions."""
    raw = {key: np.stack([one[key] for one in columns], axis=1) for key in columns[0]}
    ones = np.where(np.isfinite(raw["close"]), 1.0, np.nan)
    raw = {**raw, "split_factor": ones, "total_return_factor": ones, **more}
    days = np.datetime64("2022-01-03") + np.arange(len(ones))
    return BarPanel(days, tuple(f"N{n:02d}" for n in range(ones.shape[1])), derive("equity", raw))
