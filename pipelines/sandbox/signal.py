"""The planted effect: a name far from its recent mean comes back, the more so the less its sector went along.

At `strong` an oracle's net Sharpe is 6.6 on average (standard deviation 0.8 over ten seeds: two judged years are few)
and about four fifths of that is within reach of a model; `modest` gives a little less than half of it.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.sandbox.cast import Company
from pipelines.settings import Settings

WINDOW = 20  # sessions: slow enough to be traded over several of them
NEIGHBOUR_SHARE = 0.45  # of the mean stretch of the sector around it, against 1 of the own
STRONG = 0.116  # daily drift at strength 1, in units of the name's own residual volatility
PRESETS = {"strong": 1.0, "modest": 0.5, "zero": 0.0}
_TUNED_FOR_NAMES = 20


def strength(settings: Settings) -> float:
    """The factor on the drift; more names earn more from the same drift, so it shrinks with their number."""
    asked = settings.sandbox.signal
    factor = PRESETS[asked] if isinstance(asked, str) else float(asked)
    return factor * float(np.sqrt(_TUNED_FOR_NAMES / settings.sandbox.names))


class Stretch:
    """How far each name stands from its mean of the last sessions, in its own deviations, ranked across names."""

    def __init__(self, cast: Sequence[Company]) -> None:
        sectors = np.array([company.sector for company in cast])
        self._mates = (sectors[:, None] == sectors[None, :]) & ~np.eye(len(cast), dtype=bool)
        self._values = np.full((WINDOW, len(cast)), np.nan)

    def close(self, growth: np.ndarray, alive: np.ndarray) -> None:
        """A session ended; `growth` is each name's total return from the close before, plus one."""
        last = np.where(np.isfinite(self._values[-1]), self._values[-1], 1.0)
        self._values = np.vstack([self._values[1:], np.where(alive, last * growth, np.nan)])

    def drift(self, alive: np.ndarray) -> np.ndarray:
        """Standardised expected move of each living name over the next open to open; it sums to zero."""
        known = alive & np.isfinite(self._values).all(axis=0)
        if not known.any():
            return np.zeros(len(alive))
        values = np.where(known, self._values, np.arange(WINDOW)[:, None])
        stretch = (values[-1] - values.mean(axis=0)) / values.std(axis=0)
        order = np.argsort(np.argsort(np.where(known, stretch, np.inf)))
        rank = np.where(known, ((order + 0.5) / known.sum() - 0.5) * np.sqrt(12), 0.0)
        mates = self._mates & known[None, :]
        around = (mates @ rank) / np.maximum(mates.sum(axis=1), 1)
        raw = np.where(known, NEIGHBOUR_SHARE * around - rank, 0.0)
        return np.where(known, raw - raw.sum() / known.sum(), 0.0)
