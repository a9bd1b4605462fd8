"""Rules that need no training: what a learned strategy must beat, through the same position rule."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from models.crosssection import zscore
from models.features.panel import FeaturePanel
from models.positions import dollar_neutral

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RuleConfig:
    """Own names in proportion to `sign` × one feature, averaged over the last decisions."""

    name: str
    feature: str
    sign: float
    hold_sessions: int = 5
    gross: float = 1.0
    max_weight: float = 0.15

    def key(self) -> str:
        """Digest of all that is chosen; the name is not part of it."""
        told = {**asdict(self), "name": "", "rule": True}
        return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


MOMENTUM = RuleConfig("momentum", "vam_20", 1.0)
REVERSAL = RuleConfig("reversal", "zscore_20", -1.0)


def rule_weights(rule: RuleConfig, panel: FeaturePanel, rows: Sequence[int]) -> Floats:
    """(rows, names) dollar-neutral weights; a name without the feature, or not tradable, gets 0."""
    raw = np.where(panel.tradable, rule.sign * panel.column(rule.feature), np.nan)
    scored: dict[int, Floats] = {}  # a row's score serves all decisions that average over it
    weights = np.zeros((len(rows), len(panel.names)))
    for at, row in enumerate(rows):
        back = range(max(0, row - rule.hold_sessions + 1), row + 1)
        scored.update({one: zscore(raw[one]) for one in back if one not in scored})
        held = np.stack([scored[one] for one in back])
        known = np.isfinite(held)
        mean = np.where(known, held, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        weights[at] = dollar_neutral(np.where(known[-1], mean, np.nan), rule.gross, rule.max_weight,
                                     None if panel.shortable is None else panel.shortable[row])
    return weights


def buy_and_hold(panel: FeaturePanel, rows: Sequence[int]) -> Floats:
    """(rows, names) equal weights of what is tradable: the market a desk could simply own."""
    tradable = panel.tradable[list(rows)].astype(np.float64)
    weights: Floats = tradable / np.maximum(tradable.sum(axis=1, keepdims=True), 1.0)
    return weights
