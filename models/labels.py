"""What a decision earns: total return from its fill to the fill that closes it, and the life of that label."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.risk import known_risk

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def open_to_open(opens: Floats, closes: Floats) -> Floats:
    """(sessions, names) return from the open of each session to the next one's.

    Prices carry dividends and splits (raw × total return factor), NaN where a name did not trade. A position that
    cannot be closed at the next open is worth its last close, which is also what a delisted name ends at."""
    marks = opens.copy()
    last = np.full(opens.shape[1], np.nan)
    for row in range(len(opens)):
        session_open = bool(np.isfinite(opens[row]).any())  # the coming session has no price yet, for anyone
        marks[row] = np.where(np.isfinite(opens[row]), opens[row], last if session_open else np.nan)
        last = np.where(np.isfinite(closes[row]), closes[row], last)
    earned = np.full(opens.shape, np.nan)
    earned[:-1] = np.where(np.isfinite(opens[:-1]), marks[1:] / marks[:-1] - 1.0, np.nan)
    return earned


def label_lives(sessions: int, horizon: int = 1) -> Rows:
    """(sessions, 2) first and last row whose prices make the label of each decision row, both included."""
    first = np.arange(sessions)
    return np.stack([first, first + horizon], axis=1)


def held(returns: Floats, horizon: int) -> Floats:
    """(sessions, names) return of holding from each session's open over `horizon` opens; NaN where not over yet.

    A name that dies on the way earns what it earned until then."""
    over = np.isfinite(returns).any(axis=1)
    growth = np.log1p(np.where(np.isfinite(returns), returns, 0.0))
    path = np.vstack([np.zeros((1, returns.shape[1])), np.cumsum(growth, axis=0)])
    earned = np.full(returns.shape, np.nan)
    count = len(returns) - horizon + 1
    if count > 0:
        whole = np.lib.stride_tricks.sliding_window_view(over, horizon).min(axis=1)
        moved = np.expm1(path[horizon : horizon + count] - path[:count])
        earned[:count] = np.where(whole[:, None] & np.isfinite(returns[:count]), moved, np.nan)
    return earned


def precision_targets(panel: FeaturePanel, returns: Floats, horizon: int, window: int, shrink: float) -> Floats:
    """(sessions, names) what a fit learns: held returns in units of risk, less what the other names explain.

    Raw returns of a cross-section are mostly common moves, which no score of single names can foresee; taking them
    out by the correlation known at the decision leaves the same signal under much less noise."""
    earned = held(returns, horizon)
    targets = np.full(returns.shape, np.nan)
    for row in range(len(returns)):
        active = panel.tradable[row] & np.isfinite(earned[row])
        if int(active.sum()) > 1:
            likeness, vol = known_risk(panel, row, active, window, shrink)
            scaled = earned[row][active] / vol
            targets[row][active] = likeness.precise(scaled - scaled.mean())
    return targets


@dataclass(frozen=True)
class TrainingSet:
    """What one fit may see: the panel up to its last training row, and the targets of `rows`."""

    panel: FeaturePanel
    targets: Floats  # (sessions, names); NaN outside `rows`
    rows: Rows

    @classmethod
    def cut(cls, panel: FeaturePanel, targets: Floats, rows: Sequence[int] | Rows) -> "TrainingSet":
        """Nothing after the last training row is even in memory of the fit; nor is a name not yet tradable by then."""
        kept = np.asarray(rows, dtype=np.intp)
        stop = int(kept.max()) + 1
        names = np.flatnonzero(panel.tradable[:stop].any(axis=0))
        seen = panel.upto(stop)
        labels = np.full((stop, len(names)), np.nan)
        labels[kept] = targets[kept][:, names]
        known = FeaturePanel(
            sessions=seen.sessions, names=tuple(seen.names[i] for i in names), features=seen.features,
            values=np.ascontiguousarray(seen.values[:, names]), tradable=np.ascontiguousarray(seen.tradable[:, names]),
        )
        return cls(known, labels, kept)

    def digest(self, features: Sequence[str]) -> str:
        """SHA-256 of everything a fit on `features` can depend on."""
        columns = [self.panel.features.index(name) for name in features]
        told = hashlib.sha256(repr((self.panel.names, tuple(features), self.panel.values.shape[:2])).encode())
        for part in (self.panel.values[:, :, columns], self.targets):
            told.update(np.where(np.isnan(part), np.nan, part).tobytes())  # one NaN, whatever its payload
        told.update(np.ascontiguousarray(self.panel.tradable).tobytes())
        told.update(np.asarray(self.panel.sessions, dtype="datetime64[D]").astype(np.int64).tobytes())
        told.update(self.rows.astype(np.int64).tobytes())
        return told.hexdigest()
