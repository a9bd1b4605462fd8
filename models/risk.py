"""How names move together, from returns known at a decision: one estimate for the training target and the positions."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel

Floats = NDArray[np.float64]
RETURNS = "ret_1"
MIN_SESSIONS = 20  # below this nothing is known of a correlation
FEW = 128  # names: up to here the whole matrix is solved as quickly
LEAST_SHRINK = 0.01  # below this the short way loses digits


@dataclass(frozen=True)
class Likeness:
    """Correlation of names, pulled towards none by `shrink`: of `unit`, (sessions, names), columns of length one, or
    of nothing where too little is known."""

    unit: Floats
    shrink: float

    @cached_property
    def matrix(self) -> Floats:
        """(names, names)."""
        size = self.unit.shape[1]
        if not self.unit.any():
            return np.eye(size)
        return (1.0 - self.shrink) * (self.unit.T @ self.unit) * (1.0 - np.eye(size)) + np.eye(size)

    def precise(self, values: Floats) -> Floats:
        """The correlation's inverse times `values`: what is left of each when the others' moves are accounted for."""
        sessions, names = self.unit.shape
        if names <= max(sessions, FEW) or not LEAST_SHRINK <= self.shrink < 1.0:
            return np.asarray(np.linalg.solve(self.matrix, values))
        own, across, inner = self._among_sessions
        return np.asarray(own * (values - self.unit.T @ np.linalg.solve(inner, across @ values)))

    @cached_property
    def _among_sessions(self) -> tuple[Floats, Floats, Floats]:
        """Many names have moved in few ways: by Woodbury's identity the system is one of sessions, not of names."""
        own = 1.0 / (1.0 - (1.0 - self.shrink) * (self.unit * self.unit).sum(axis=0))
        across = self.unit * own
        return own, across, across @ self.unit.T + np.eye(len(self.unit)) / (1.0 - self.shrink)


def known_risk(panel: FeaturePanel, row: int, active: NDArray[np.bool_], window: int, shrink: float) -> tuple[
        Likeness, Floats]:
    """(correlation, daily volatility) of the active names from the last `window` rows up to `row`.

    The correlation is pulled towards none by `shrink`, as so short a history makes too much of itself."""
    moves = panel.values[max(0, row - window + 1) : row + 1, :, panel.features.index(RETURNS)]
    return shrunk_risk(np.ascontiguousarray(moves[:, active]), shrink)


def shrunk_risk(moves: Floats, shrink: float) -> tuple[Likeness, Floats]:
    """From (sessions, names) returns. A gap is no move; a name with hardly any history is as wild as the wildest."""
    known = np.isfinite(moves)
    count = known.sum(axis=0)
    filled = np.where(known, moves, 0.0)
    size = moves.shape[1]
    vol = np.sqrt((filled * filled).sum(axis=0) / np.maximum(count, 1))
    enough = (count >= MIN_SESSIONS) & (vol > 0.0)
    if not enough.any():
        return Likeness(np.zeros_like(moves), shrink), np.ones(size)
    vol = np.where(enough, vol, vol[enough].max())
    centred = np.where(known, moves - filled.sum(axis=0) / np.maximum(count, 1), 0.0)
    length = np.sqrt((centred * centred).sum(axis=0))
    unit = np.where(enough, centred, 0.0) / np.where(enough, length, 1.0)
    return Likeness(unit, shrink), vol
