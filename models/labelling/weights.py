"""Labels that live at the same time are not independent: how much of itself each one is, and draws that mind it.

Lives are (labels, 2): first and last row, both included. Rows are those of the series that the labels are made of.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def concurrency(lives: Rows, rows: int) -> Rows:
    """(rows,) how many labels are alive in each row."""
    change = np.zeros(rows + 1, dtype=np.intp)
    np.add.at(change, lives[:, 0], 1)
    np.add.at(change, lives[:, 1] + 1, -1)
    alive: Rows = np.cumsum(change)[:rows]
    return alive


def _over_life(per_row: Floats, lives: Rows) -> Floats:
    """(labels,) sum of a per-row quantity over each life."""
    upto = np.concatenate([[0.0], np.cumsum(per_row)])
    summed: Floats = upto[lives[:, 1] + 1] - upto[lives[:, 0]]
    return summed


def _share(alive: Rows) -> Floats:
    return np.where(alive > 0, 1.0 / np.maximum(alive, 1), 0.0)


def uniqueness(lives: Rows, rows: int) -> Floats:
    """(labels,) mean over its life of one over the number of labels alive: 1 when a label is alone all along."""
    return _over_life(_share(concurrency(lives, rows)), lives) / (lives[:, 1] - lives[:, 0] + 1)


def mean_uniqueness(lives: Rows, rows: int) -> float:
    """Over every (label, row) in which a label lives: long labels count for more than in the mean of `uniqueness`."""
    alive = concurrency(lives, rows)
    return float((alive > 0).sum() / alive.sum())


def attribution_weights(lives: Rows, log_returns: Floats) -> Floats:
    """(labels,) size of the return earned while alive, each row's shared among the labels alive in it; sums to their
    number. `log_returns` (rows,) holds in each row what is earned in it."""
    earned = np.abs(_over_life(log_returns * _share(concurrency(lives, len(log_returns))), lives))
    total = float(earned.sum())
    if not total > 0.0:
        return np.ones(len(lives))
    return earned * (len(lives) / total)


def draw_probabilities(lives: Rows, alive: Rows) -> Floats:
    """(labels,) chance of each to be drawn next when `alive` (rows,) counts those drawn already: in proportion to the
    uniqueness it would have among them."""
    shared: Floats = np.reciprocal(1.0 + alive.astype(np.float64))
    unique = _over_life(shared, lives) / (lives[:, 1] - lives[:, 0] + 1)
    chance: Floats = unique / unique.sum()
    return chance


def sequential_bootstrap(lives: Rows, rows: int, draws: int, seed: int) -> Rows:
    """(draws,) labels drawn with replacement, each with the chance that the ones before it leave it."""
    rng = np.random.default_rng(seed)
    alive = np.zeros(rows, dtype=np.intp)
    drawn = np.zeros(draws, dtype=np.intp)
    for at, spot in enumerate(rng.random(draws)):
        reach = np.cumsum(draw_probabilities(lives, alive))
        pick = min(int(np.searchsorted(reach, spot, side="right")), len(lives) - 1)
        drawn[at] = pick
        alive[lives[pick, 0] : lives[pick, 1] + 1] += 1
    return drawn
