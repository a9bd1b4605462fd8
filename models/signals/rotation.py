"""Rotation among correlated names, on the very edges that the graph network is given: what it could know unlearned."""

import numpy as np

from models.features.panel import FeaturePanel
from models.gnn.config import GnnConfig
from models.gnn.graph import edges
from models.signals.alpha import Floats

LAG = "rotation:lag"  # the column that this is, where a panel holds it
MOVES, WEEK = "equity_v1:ret_1", "equity_v1:ret_5"
EDGES = GnnConfig()  # 60 rows, four neighbours: the network's own defaults
HISTORY = EDGES.graph_window


def lag_behind_neighbours(panel: FeaturePanel) -> Floats:
    """(rows, names): mean week of the names that moved most alike, less its own week. Positive has yet to follow.

    NaN where a name is not tradable, has no move, or the graph's window is less than half there."""
    moves, week = panel.column(MOVES), panel.column(WEEK)
    lag = np.full(week.shape, np.nan)
    for row in range(EDGES.graph_window // 2 - 1, len(week)):
        active = panel.tradable[row] & np.isfinite(moves[row]) & np.isfinite(week[row])
        if int(active.sum()) < 2:
            continue
        seen = np.ascontiguousarray(moves[max(0, row - EDGES.graph_window + 1) : row + 1, active])
        hears = edges(seen, np.array(panel.names)[active], EDGES) & ~np.eye(int(active.sum()), dtype=bool)
        around = np.where(hears, week[row, active][None, :], 0.0).sum(axis=1) / hears.sum(axis=1)
        lag[row, active] = around - week[row, active]
    return lag
