"""The planted effect: a name gives back its recent move relative to the market, and follows its sector's neighbours."""

from collections.abc import Sequence

import numpy as np

from pipelines.sandbox.cast import Company
from pipelines.settings import Settings

MEMORY = 13 / 14  # daily weight left of a move: slow enough to be traded over several sessions
NEIGHBOUR_SHARE = 0.65  # of the sector's mean move, against 1 of the own: about 30 % of the effect's variance
STRONG = 0.126  # daily drift at strength 1, in units of the name's own residual volatility
PRESETS = {"strong": 1.0, "modest": 0.5, "zero": 0.0}
_TUNED_FOR_NAMES = 20


def strength(settings: Settings) -> float:
    """The factor on the drift; more names earn more from the same drift, so it shrinks with their number."""
    asked = settings.sandbox.signal
    factor = PRESETS[asked] if isinstance(asked, str) else float(asked)
    return factor * float(np.sqrt(_TUNED_FOR_NAMES / settings.sandbox.names))


class SlowMoves:
    """Each name's decayed sum of moves in units of its own volatility, from closed sessions, ranked across names."""

    def __init__(self, cast: Sequence[Company]) -> None:
        sectors = np.array([company.sector for company in cast])
        self._mates = (sectors[:, None] == sectors[None, :]) & ~np.eye(len(cast), dtype=bool)
        self._state = np.zeros(len(cast))

    def close(self, moves: np.ndarray, alive: np.ndarray) -> None:
        """A session ended: `moves` in units of each name's volatility."""
        self._state = np.where(alive, MEMORY * self._state + moves, 0.0)

    def drift(self, alive: np.ndarray) -> np.ndarray:
        """Standardised expected move of each living name over the next open to open; it sums to zero."""
        count = alive.sum()
        order = np.argsort(np.argsort(np.where(alive, self._state, np.inf)))
        rank = np.where(alive & (self._state != 0), ((order + 0.5) / count - 0.5) * np.sqrt(12), 0.0)
        mates = self._mates & alive[None, :]
        around = (mates @ rank) / np.maximum(mates.sum(axis=1), 1)
        raw = np.where(alive, NEIGHBOUR_SHARE * around - rank, 0.0)
        return np.where(alive, raw - raw.sum() / count, 0.0)
