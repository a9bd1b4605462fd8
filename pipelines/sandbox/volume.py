"""Shares traded a session: each name's own level, busy spells that die away, and more on days that move."""

import numpy as np

from pipelines.sandbox.cast import Traits
from pipelines.sandbox.chance import stream
from pipelines.sandbox.equities import Days, Noise


def make_volume(seed: int, traits: Traits, noise: Noise, days: Days) -> np.ndarray:
    """Whole shares (sessions, names); 0 where a company does not trade."""
    count, names = days.open.shape
    shocks = stream(seed, "volume").normal(0.0, 1.0, (count, names + 1))
    log_busy = np.zeros((count, names + 1))
    for s in range(1, count):
        log_busy[s] = 0.8 * log_busy[s - 1] + 0.18 * shocks[s]
    busy = np.exp(log_busy[:, :names] + 0.5 * log_busy[:, names:])
    size = np.abs(days.close / days.open - 1) / noise.day_vol
    dollars = traits.adv_usd * busy * (0.80 + 0.25 * np.minimum(size, 4.0))
    shares = np.where(days.alive, dollars / days.close, 0.0)
    return np.floor(shares).astype(np.int64)
