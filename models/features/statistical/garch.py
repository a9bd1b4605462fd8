"""GARCH(1,1): the night fits it now and then on what was known by then, a feature advances it from bar to bar.

The variance of the next session is w + alpha r^2 + beta s^2, with w = v (1 - alpha - beta) so that its long-run mean is
the variance v of the window that it was fitted on. Zero mean, and normal shocks in the likelihood.
"""

import numpy as np

from models.features.equity import YEAR_SESSIONS
from models.features.feature import Block, Feature, FloatArray
from models.features.inputs import FITTED
from models.features.portable import log
from models.features.technical.scan import Bars
from models.features.window import mean, positive

RETURNS, FEWEST = 504, 252  # of a fit
LOOK_BACK = 253  # beta ** 252 of the first state is left: 3e-6 of it where beta is 0.95
GRIDS = ((1.9, 3), (1.35, 2), (1.12, 2), (1.04, 2))  # ratio and steps: each finer, around the best of the one before
START = (0.08, 0.05)  # alpha, and 1 - alpha - beta
LARGEST_ALPHA, SMALLEST_GAP, LARGEST_GAP = 0.5, 1e-3, 0.6
TOGETHER = 16  # variances whose product is taken before its logarithm


def _loss(moves: FloatArray, alpha: FloatArray, gap: FloatArray) -> FloatArray:
    """Twice the negative log likelihood of (names, returns) of variance one, for (names, candidates)."""
    beta = 1.0 - alpha - gap
    there = np.isfinite(moves).T[:, :, None]
    squares, whole = np.where(there, moves.T[:, :, None] ** 2, 0.0), [bool(row.all()) for row in there]
    variance, product, lost = np.ones_like(alpha), np.ones_like(alpha), np.zeros_like(alpha)
    for at, square in enumerate(squares):
        lost += square / variance
        moved = gap + alpha * square
        moved += beta * variance
        product *= variance if whole[at] else np.where(there[at], variance, 1.0)
        variance = moved if whole[at] else np.where(there[at], moved, variance)
        if at % TOGETHER == TOGETHER - 1:
            lost, product = lost + log(product), np.ones_like(alpha)
    return np.where((beta >= 0.0) & (alpha > 0.0), lost + log(product), np.inf)


def fit(moves: FloatArray) -> FloatArray:
    """(names, 3): alpha, beta and variance of (names, returns), oldest first; NaN where too few are there."""
    enough = np.isfinite(moves).sum(axis=1) >= FEWEST
    variance = np.full(len(moves), np.nan)
    variance[enough] = [mean(row[np.isfinite(row)] ** 2) for row in moves[enough]]
    known = enough & (variance > 0.0)
    scaled = moves[known] / np.sqrt(variance[known])[:, None]
    best = np.tile(np.array(START), (int(known.sum()), 1))
    for ratio, reach in GRIDS:
        steps = np.array([ratio**step for step in range(-reach, reach + 1)])
        alpha = np.minimum(best[:, :1] * np.repeat(steps, len(steps)), LARGEST_ALPHA)
        gap = np.clip(best[:, 1:] * np.tile(steps, len(steps)), SMALLEST_GAP, LARGEST_GAP)
        chosen = np.argmin(_loss(scaled, alpha, gap), axis=1)[:, None]
        best = np.concatenate([np.take_along_axis(part, chosen, axis=1) for part in (alpha, gap)], axis=1)
    fitted = np.full((len(moves), 3), np.nan)
    fitted[known] = np.column_stack([best[:, 0], 1.0 - best[:, 0] - best[:, 1], variance[known]])
    return fitted


def _fill(
    close_tr: FloatArray, garch_alpha: FloatArray, garch_beta: FloatArray, garch_variance: FloatArray, *,
    into: dict[str, FloatArray],
) -> None:
    bars = Bars(close_tr, LOOK_BACK)
    squares = (close_tr / bars.before(close_tr) - 1.0) ** 2
    alpha, beta, usual = (values[LOOK_BACK - 1 :] for values in (garch_alpha, garch_beta, garch_variance))
    variance = usual.copy()
    for step in range(1, LOOK_BACK):
        seen = bars.move(squares, step)
        moved = usual * (1.0 - alpha - beta) + alpha * seen + beta * variance
        variance = np.where(np.isfinite(seen), moved, variance)
    there = np.isfinite(close_tr[LOOK_BACK - 1 :])
    into["garch_vol"][...] = np.where(there, np.sqrt(variance * YEAR_SESSIONS), np.nan)
    into["garch_ratio"][...] = np.where(there, np.sqrt(variance / positive(usual)), np.nan)
    into["garch_persistence"][...] = np.where(there, alpha + beta, np.nan)


GARCH = Block(("garch_vol", "garch_ratio", "garch_persistence"), _fill)
MEANINGS = {
    "garch_vol": "sqrt(252 * GARCH(1,1) variance of the coming session), fitted each month on 504 earlier returns.",
    "garch_ratio": "garch_vol / the volatility of the returns that it was fitted on.",
    "garch_persistence": "alpha + beta of the month's GARCH(1,1).",
}
FEATURES = tuple(
    Feature(name, "garch", "instrument", ("close_tr", *FITTED), LOOK_BACK, GARCH, meaning,
            bounds=(0.0, 1.0) if name == "garch_persistence" else None)
    for name, meaning in MEANINGS.items()
)
