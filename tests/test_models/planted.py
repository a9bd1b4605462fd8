"""Synthetic feature panels with a planted linear effect of stated strength, for tests of the model families."""

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel

FEATURES = ("ret_1", "ret_5", "ret_20", "noise_a", "noise_b", "mkt_ret_1", "mkt_vol_20", "mkt_volume_z")
OWN = FEATURES[:5]
MARKET = FEATURES[5:]


def market(
    seed: int, *, sessions: int = 320, names: int = 20, strength: float = 0.3
) -> tuple[FeaturePanel, NDArray[np.float64]]:
    """(panel, label returns). Returns follow the names' own ret_20 and, less so, their sector peers' ret_5."""
    rng = np.random.default_rng(seed)
    sector = np.arange(names) % 4
    slow = np.zeros(names)
    sigma = 0.012
    moves = np.zeros((sessions + 1, names))
    drift = np.zeros((sessions + 1, names))
    for row in range(1, sessions + 1):
        recent = moves[max(0, row - 20) : row].sum(axis=0) / (sigma * np.sqrt(20))
        peers = moves[max(0, row - 5) : row].sum(axis=0) / (sigma * np.sqrt(5))
        slow = 0.8 * (recent - recent.mean()) + 0.4 * (np.array([peers[sector == s].mean() for s in sector]))
        drift[row] = strength * sigma * np.clip(slow, -2, 2)
        common = 0.5 * sigma * rng.standard_normal(4)[sector]
        moves[row] = 0.006 * rng.standard_normal() + common + sigma * rng.standard_normal(names) + drift[row]
    values = np.full((sessions, names, len(FEATURES)), np.nan)
    for row in range(sessions):  # features of event session `row`, label is the move of `row + 1`
        past = moves[: row + 1]
        values[row, :, 0] = past[-1]
        values[row, :, 1] = past[-5:].sum(axis=0) if row >= 5 else np.nan
        values[row, :, 2] = past[-20:].sum(axis=0) if row >= 20 else np.nan
        values[row, :, 3:5] = rng.standard_normal((names, 2))
        values[row, :, 5] = past[-1].mean()
        values[row, :, 6] = past[-20:].mean(axis=1).std() if row >= 20 else np.nan
        values[row, :, 7] = rng.standard_normal()
    returns = np.vstack([moves[2:], np.full((1, names), np.nan)])
    tradable = np.zeros((sessions, names), dtype=bool)
    tradable[25:] = True
    tradable[sessions // 2 :, -1] = False  # one name dies
    values[sessions // 2 :, -1, :5] = np.nan
    returns[sessions // 2 :, -1] = np.nan
    days = np.busday_offset(np.datetime64("2022-01-03"), np.arange(sessions))
    panel = FeaturePanel(sessions=days.astype("datetime64[D]"), names=tuple(f"N{i:02d}" for i in range(names)),
                         features=FEATURES, values=values, tradable=tradable)
    return panel, returns[:sessions]
