"""A year of one name's minutes for everybody's event engine: one deterministic file. Needs NumPy only."""

from pathlib import Path

import numpy as np

from tests.bench.measure import inputs

SESSIONS, MINUTES = 252, 390
BARS = SESSIONS * MINUTES
FAST, SLOW, SHARES, CASH_USD = 10, 20, 100, 1e6


def path() -> Path:
    """Columns open, high, low, close, volume, and start in seconds since 1970, (BARS,) each; made when missing."""
    file = inputs() / "event-minutes-2.npz"
    if not file.exists():
        chance = np.random.default_rng(2)
        close = np.round(100.0 * np.exp(np.cumsum(chance.standard_t(5, BARS) * 0.0004)), 2)
        opens = np.concatenate([close[:1], close[:-1]])
        high = np.round(np.maximum(opens, close) + np.abs(chance.standard_normal(BARS)) * 0.02, 2)
        low = np.round(np.minimum(opens, close) - np.abs(chance.standard_normal(BARS)) * 0.02, 2)
        days = np.busday_offset("2024-01-02", np.arange(SESSIONS), roll="forward").astype("datetime64[s]")
        minutes = np.arange(14 * 60 + 30, 14 * 60 + 30 + MINUTES).astype("timedelta64[m]")
        start = (days[:, None] + minutes).ravel()
        staged = file.with_suffix(".part.npz")
        np.savez(staged, open=opens, high=high, low=low, close=close, start=start.astype(np.int64),
                 volume=chance.integers(100, 5_000, BARS).astype(np.float64))
        staged.replace(file)
    return file
