"""How names move together, from returns known at a decision: one estimate for the training target and the positions."""

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel

Floats = NDArray[np.float64]
RETURNS = "ret_1"
MIN_SESSIONS = 20  # below this nothing is known of a correlation


def known_risk(panel: FeaturePanel, row: int, active: NDArray[np.bool_], window: int, shrink: float) -> tuple[
        Floats, Floats]:
    """(correlation, daily volatility) of the active names from the last `window` rows up to `row`.

    The correlation is pulled towards none by `shrink`, as so short a history makes too much of itself."""
    moves = panel.values[max(0, row - window + 1) : row + 1, :, panel.features.index(RETURNS)]
    return shrunk_risk(np.ascontiguousarray(moves[:, active]), shrink)


def shrunk_risk(moves: Floats, shrink: float) -> tuple[Floats, Floats]:
    """From (sessions, names) returns. A gap is no move; a name with hardly any history is as wild as the wildest."""
    known = np.isfinite(moves)
    count = known.sum(axis=0)
    filled = np.where(known, moves, 0.0)
    size = moves.shape[1]
    vol = np.sqrt((filled * filled).sum(axis=0) / np.maximum(count, 1))
    enough = (count >= MIN_SESSIONS) & (vol > 0.0)
    if not enough.any():
        return np.eye(size), np.ones(size)
    vol = np.where(enough, vol, vol[enough].max())
    centred = np.where(known, moves - filled.sum(axis=0) / np.maximum(count, 1), 0.0)
    length = np.sqrt((centred * centred).sum(axis=0))
    unit = np.where(enough, centred, 0.0) / np.where(enough, length, 1.0)
    return (1.0 - shrink) * (unit.T @ unit) * (1.0 - np.eye(size)) + np.eye(size), vol


def precise(values: Floats, correlation: Floats) -> Floats:
    """Correlation's inverse times `values`: what is left of each when the others' moves are accounted for."""
    return np.asarray(np.linalg.solve(correlation, values))
