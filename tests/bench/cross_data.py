"""Closes and pairs of windows for everybody's moving-average sweep: one deterministic file. Needs NumPy only."""

from pathlib import Path

import numpy as np

from tests.bench.measure import inputs

BARS, NAMES, FEE = 2520, 500, 0.001
BARS_A_YEAR = 365.0  # what vectorbt reckons a year of daily bars to have
FAST, SLOW = 10, 50
PAIRS = np.array([(fast, slow) for fast in range(2, 102) for slow in range(fast + 1, fast + 101)])


def path() -> Path:
    """`close` (BARS, NAMES): one factor, fat tails; made when missing."""
    file = inputs() / "cross-closes-1.npz"
    if not file.exists():
        chance = np.random.default_rng(1)
        market = chance.standard_t(4, (BARS, 1)) * 0.007
        swing = chance.uniform(0.008, 0.03, NAMES)
        moves = market * chance.uniform(0.5, 1.6, NAMES) + chance.standard_normal((BARS, NAMES)) * swing
        close = 20 * np.exp(chance.uniform(0, 2.5, NAMES) + np.cumsum(moves - moves.var(axis=0) / 2, axis=0))
        staged = file.with_suffix(".part.npz")
        np.savez(staged, close=close)
        staged.replace(file)
    return file
