"""Who listens to whom: the graph and the node inputs of one session, from rows known by then.

Edges move with the market (rolling correlation, who foretells whom) or stand still (groups that the desk knows)."""

from dataclasses import dataclass
from functools import cached_property

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

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """[speaker, listener] of every edge; a fit comes back to it in each epoch."""
        listener, speaker = np.nonzero(self.hears)
        return np.stack([speaker, listener])


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
    """Each name hears itself and its `neighbours` most alike others; of equals the first."""
    size = len(likeness)
    count = min(neighbours, size - 1)
    if count < 1:
        return np.eye(size, dtype=bool)
    others = likeness.copy()
    np.fill_diagonal(others, others.diagonal() - 3.0)  # below any correlation: nobody is their own neighbour
    others.partition(size - count, axis=1)  # nobody sorts the rest
    least = others[:, size - count, None]
    heard: Mask = likeness >= least
    np.fill_diagonal(heard, True)
    (crowded,) = np.nonzero(np.count_nonzero(heard, axis=1) != count + 1)
    if len(crowded):  # several stand at the last place, or nothing is known of a name
        own = likeness[crowded]
        own[np.arange(len(crowded)), crowded] -= 3.0
        more, equal = own > least[crowded], own == least[crowded]
        room = count - np.count_nonzero(more, axis=1)
        equal &= np.cumsum(equal, axis=1) <= room[:, None]
        heard[crowded] = more | equal
        np.fill_diagonal(heard, True)
    return heard


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
    if config.refresh == "weekly":
        drawn = week_begins(panel.sessions, row)
        begun = max(0, drawn - config.graph_window + 1)
        week = panel.values[begun : drawn + 1, :, panel.features.index(config.returns)]
        moves = np.ascontiguousarray(week[:, active])
    return SessionGraph(active, inputs, edges(moves, np.array(panel.names)[active], config))


def week_begins(sessions: NDArray[np.datetime64], row: int) -> int:
    """Row of the first decision in the week of `row`, or the first that is still in memory."""
    first = max(0, row - 4)
    weeks = (np.asarray(sessions[first : row + 1], dtype="datetime64[D]").astype(np.int64) + 3) // 7  # from Mondays
    return first + int(np.argmax(weeks == weeks[-1]))


def edges(moves: Floats, names: NDArray[np.str_], config: GnnConfig) -> Mask:
    """(names, names) from (sessions, names) of returns, with what the configuration asks for beside the most alike."""
    likeness = correlation(moves)
    hears = listeners(likeness, config.neighbours)
    if config.alike is not None:
        hears |= likeness > config.alike
    if config.granger:
        from models.features.graph.edges import granger  # which draws its own edges with this module

        hears |= granger(np.ascontiguousarray(np.nan_to_num(moves).T), ~np.eye(len(names), dtype=bool))
    for group in config.groups:
        inside = np.isin(names, group)
        hears |= inside[:, None] & inside[None, :]
    return hears
