"""Combinatorially symmetric cross-validation: how the in-sample best fares out of sample (Bailey et al., CSCV)."""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from models.validation.statistics import STILL

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Overfitting:
    """`pbo`: share of splits where the in-sample best ranks in the lower half outside. `loss_probability`: where it
    loses money outside. `slope`: of out-of-sample on in-sample Sharpe of the chosen. PBO is shown, never a bar."""

    pbo: float
    loss_probability: float
    slope: float
    splits: int


def _sharpe(total: FloatArray, squares: FloatArray, rows: int) -> FloatArray:
    mean = total / rows
    variance = np.maximum(squares / rows - mean**2, 0.0) * rows / (rows - 1)
    return np.divide(mean, np.sqrt(variance), out=np.zeros_like(mean), where=variance > 1e-300)


def cscv(returns: FloatArray, blocks: int = 16) -> Overfitting:
    """`returns` is (T, N); the oldest T mod `blocks` rows are left out so that all blocks are even."""
    rows, trials = returns.shape
    size = rows // blocks
    if blocks % 2 or size < 2:
        raise ValueError(f"{rows} rows cannot be cut into {blocks} even blocks of at least 2")
    cut = returns[rows - size * blocks :] - returns.mean()  # centred by one number for precision; put back below
    level = float(returns.mean())
    stacked = cut.reshape(blocks, size, trials)
    sums, squares = stacked.sum(axis=1), (stacked**2).sum(axis=1)
    chosen = np.zeros((math.comb(blocks, blocks // 2), blocks))
    for row, members in enumerate(combinations(range(blocks), blocks // 2)):
        chosen[row, list(members)] = 1.0
    half = size * blocks // 2
    moves = np.ptp(returns, axis=0) > STILL  # of one that never does rounding would make the best or the worst

    def sharpe(inside: FloatArray) -> FloatArray:
        total, square = inside @ sums, inside @ squares
        shifted = total + half * level
        told: FloatArray = np.where(moves, _sharpe(shifted, square + 2 * level * total + half * level**2, half), 0.0)
        return told

    within, outside = sharpe(chosen), sharpe(1.0 - chosen)
    best = within.argmax(axis=1)
    at = np.arange(len(best))
    best_outside = outside[at, best]
    rank = (outside <= best_outside[:, None]).sum(axis=1) / (trials + 1)
    pbo = float((np.log(rank / (1.0 - rank)) <= 0.0).mean()) if trials > 1 else math.nan
    best_within = within[at, best]
    centred = best_within - best_within.mean()
    spread = float(centred @ centred)
    slope = float(centred @ best_outside) / spread if spread > 0.0 else 0.0
    return Overfitting(pbo, float((best_outside <= 0.0).mean()), slope, len(best))
