"""A small market for sweeps: closes in ticks, so that means touch, stay even and part; and signals that contradict."""

import numpy as np

BARS, NAMES = 320, 12
FAST = np.array([1, 2, 2, 3, 5, 5, 8, 13, 4, 2, 300])
SLOW = np.array([2, 3, 4, 6, 5, 20, 21, 50, 2, 400, 310])  # one slower by its name, one pair alike, one never full
FEES = ((0.001, 0.0), (0.0, 0.0), (0.002, 0.0015))  # fee, slippage


def closes() -> np.ndarray:
    """(BARS, NAMES), whole ticks of a quarter; the last half stands still now and then."""
    chance = np.random.default_rng(5)
    steps = chance.integers(-2, 3, (BARS, NAMES))
    steps[BARS // 2 :] *= chance.random((BARS - BARS // 2, NAMES)) < 0.3
    return 40.0 + 0.25 * np.cumsum(steps, axis=0).clip(-120, 120)


def signals() -> tuple[np.ndarray, np.ndarray]:
    """(BARS, NAMES) entries and exits: from none at all to one at every bar, some at once, one at the first bar."""
    chance = np.random.default_rng(6)
    often = np.linspace(0.0, 0.6, NAMES)
    entries, exits = (chance.random((BARS, NAMES)) < often for _ in range(2))
    entries[0, 3:6], exits[0, 3:6] = True, False
    entries[-1, 7], exits[-1, 7] = True, False
    exits[:, 8] = False
    return entries, exits


def positions() -> np.ndarray:
    """(BARS, NAMES) of 1, 0, -1 held after each close: from always turning to hardly ever, some turned at one bar."""
    chance = np.random.default_rng(7)
    drawn = chance.choice(np.array([-1, 0, 1]), (BARS, NAMES), p=[0.35, 0.3, 0.35])
    kept = chance.random((BARS, NAMES)) < np.linspace(0.0, 0.95, NAMES)
    for bar in range(1, BARS):
        drawn[bar] = np.where(kept[bar], drawn[bar - 1], drawn[bar])
    return drawn
