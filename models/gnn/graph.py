"""Who listens to whom: the rolling-correlation graph and the node inputs of one session, from rows known by then."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.crosssection import zscore
from models.features.panel import FeaturePanel
from models.gnn.config import GnnConfig

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
MIN_PRESENT = 0.5


@dataclass(frozen=True)
class SessionGraph:
    """One session: the active names (names,), their inputs (active, inputs), and hears[i, j]: i listens to j."""

    active: Mask
    inputs: Floats
    hears: Mask


def correlation(returns: Floats) -> Floats:
    """(names, names) correlation of (sessions, names) returns less each session's mean; gaps count as no move."""
    known = np.isfinite(returns)
    per_session = np.maximum(known.sum(axis=1, keepdims=True), 1)
    market = np.where(known, returns, 0.0).sum(axis=1, keepdims=True) / per_session
    moves = np.where(known, returns - market, 0.0)
    moves = moves - np.where(known, moves.sum(axis=0) / np.maximum(known.sum(axis=0), 1), 0.0)
    length = np.sqrt((moves * moves).sum(axis=0))
    unit = moves / np.where(length > 1e-12, length, np.inf)
    return unit.T @ unit


def listeners(likeness: Floats, neighbours: int) -> Mask:
    """Each name hears itself and its `neighbours` most alike others."""
    size = len(likeness)
    others = likeness - 3.0 * np.eye(size)  # below any correlation: nobody is their own neighbour
    best = np.argsort(-others, axis=1, kind="stable")[:, : min(neighbours, size - 1)]
    hears = np.eye(size, dtype=bool)
    np.put_along_axis(hears, best, True, axis=1)
    return hears


def session_graph(panel: FeaturePanel, row: int, config: GnnConfig) -> SessionGraph:
    """Inputs are [features, their missing flags, the last returns oldest first], each standardised across names."""
    own = panel.values[row][:, [panel.features.index(name) for name in config.features]]
    moves = panel.values[max(0, row - config.graph_window + 1) : row + 1, :, panel.features.index(config.returns)]
    enough = len(moves) >= max(config.sequence, config.graph_window // 2)
    active = panel.tradable[row] & (np.isfinite(own).mean(axis=1) >= MIN_PRESENT) & np.isfinite(moves[-1]) & enough
    if not active.any():
        return SessionGraph(active, np.empty((0, 2 * len(config.features) + config.sequence)), np.empty((0, 0), bool))
    features = zscore(own[active])
    moves = np.ascontiguousarray(moves[:, active])
    sequence = zscore(moves[-config.sequence :].T)
    missing = np.isnan(features)
    inputs = np.hstack([np.where(missing, 0.0, features), missing.astype(np.float64), np.nan_to_num(sequence)])
    return SessionGraph(active, inputs, listeners(correlation(moves), config.neighbours))
