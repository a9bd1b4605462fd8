"""The position rule: scores of one session become dollar-neutral weights under a gross and a single-name limit."""

import numpy as np
from numpy.typing import NDArray

from models.risk import Likeness

Floats = NDArray[np.float64]


def dollar_neutral(
    score: Floats, gross: float, max_weight: float, shortable: NDArray[np.bool_] | None = None
) -> Floats:
    """Weights (names,) in proportion to the demeaned score: longs and shorts each sum to half of `gross`, less when
    too few names can carry it under `max_weight`. NaN scores get 0; what is not `shortable` is never below it."""
    weights = np.zeros(score.shape)
    finite = np.isfinite(score)
    if int(finite.sum()) < 2:
        return weights
    tilt = score[finite] - score[finite].mean()
    longs, shorts = np.maximum(tilt, 0.0), np.maximum(-tilt, 0.0)
    if shortable is not None:
        shorts = np.where(shortable[finite], shorts, 0.0)
    side = min(gross / 2.0, max_weight * int((longs > 0.0).sum()), max_weight * int((shorts > 0.0).sum()))
    if side > 0.0:
        weights[finite] = _capped(longs, side, max_weight) - _capped(shorts, side, max_weight)
    return weights


def borrowed(weights: Floats, shortable: NDArray[np.bool_] | None) -> Floats:
    """The weights without the shorts that nobody lends."""
    return weights if shortable is None else np.where(shortable, weights, np.maximum(weights, 0.0))


def hedged(score: Floats, likeness: Likeness, vol: Floats) -> Floats:
    """The dollar-neutral direction that earns `score` (names,), in units of risk, at the least variance."""
    wanted = likeness.precise(score - score.mean()) / vol
    evenly = likeness.precise(1.0 / vol) / vol
    return np.asarray(wanted - evenly * (wanted.sum() / evenly.sum()))


def _capped(strength: Floats, total: float, cap: float) -> Floats:
    """Share out `total` in proportion to `strength`, at most `cap` each; what is cut goes to the others."""
    full = np.zeros(strength.shape, dtype=bool)
    for _ in range(len(strength)):
        free = np.where(full, 0.0, strength)
        rest = total - cap * int(full.sum())
        if rest <= 0.0 or free.sum() <= 0.0:
            return np.where(full, cap, 0.0)
        shared = np.where(full, cap, free * (rest / free.sum()))
        if not (shared > cap).any():
            return shared
        full = full | (shared > cap)
    return np.where(full, cap, 0.0)
