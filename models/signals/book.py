"""From what an alpha says to weights of capital: the same interface as every other strategy, from a panel alone."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from models.features import cross
from models.features.panel import FeaturePanel
from models.positions import borrowed
from models.signals.alpha import Alpha, Alphas, Floats
from models.signals.horizons import Horizon


@dataclass(frozen=True)
class AlphaBook:
    """Own names in proportion to an alpha's conviction, averaged over the last decisions. The book leans where the
    alpha leans: it is not made neutral. The largest size that a rule knows is the full `gross`."""

    name: str
    alpha: Alpha
    hold_sessions: int = 5
    gross: float = 1.0
    max_weight: float = 0.15
    most_size: float = 1.0
    horizon: Horizon = Horizon.SWING

    @property
    def features(self) -> tuple[str, ...]:
        return self.alpha.features

    @property
    def history(self) -> int:
        """Rows of the panel, the one decided on included, that determine a decision to the last bit."""
        return self.alpha.history + self.hold_sessions - 1

    def key(self) -> str:
        """Digest of all that is chosen; the name is not part of it."""
        told = {**told_of(self), "name": "", "horizon": self.horizon.name}
        return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def signal(self, panel: FeaturePanel) -> Alphas:
        return self.alpha.signal(panel)

    def weights(self, panel: FeaturePanel, rows: Sequence[int]) -> Floats:
        """(rows, names) of each of the panel's `rows`, from its last `history` rows only."""
        return self.decided(panel, rows)[1]

    def decided(self, panel: FeaturePanel, rows: Sequence[int]) -> tuple[Floats, Floats]:
        """(conviction that is held, weights), each (rows, names); 0 for what may not be traded."""
        if not len(rows):
            return np.zeros((0, len(panel.names))), np.zeros((0, len(panel.names)))
        first, last = max(0, min(rows) - self.history + 1), max(rows) + 1
        seen = panel.rows(first, last)
        said = self.signal(seen)
        held = averaged(said.conviction, self.hold_sessions)
        held = np.where(seen.tradable, held, 0.0)
        total = cross.total(np.abs(held))[0]
        spread = np.clip(held * (self.gross / np.where(total > 0.0, total, 1.0)), -self.max_weight, self.max_weight)
        sized = borrowed(spread * np.clip(said.sizes / self.most_size, 0.0, 1.0), seen.shortable)
        at = np.asarray(rows) - first
        return np.ascontiguousarray(held[at]) + 0.0, np.ascontiguousarray(sized[at]) + 0.0


def averaged(conviction: Floats, count: int) -> Floats:
    """Mean of the last `count` rows, of fewer at the start."""
    summed = conviction.copy()
    for back in range(1, min(count, len(conviction))):
        summed[back:] += conviction[:-back]
    known = np.minimum(np.arange(len(conviction)) + 1, count)
    mean: Floats = summed / known[:, None]
    return mean


def told_of(one: Any) -> Any:
    """A rule and those within it as JSON, each with the name of its kind."""
    if is_dataclass(one) and not isinstance(one, type):
        return {"rule": type(one).__name__, **{part.name: told_of(getattr(one, part.name)) for part in fields(one)}}
    return one.name if isinstance(one, Horizon) else one
