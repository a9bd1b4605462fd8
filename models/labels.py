"""What a decision earns: total return from its fill to the fill that closes it, and the life of that label."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel

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


@dataclass(frozen=True)
class TrainingSet:
    """What one fit may see: the panel up to its last training row, and the labels of `rows`."""

    panel: FeaturePanel
    returns: Floats  # (sessions, names); NaN outside `rows`
    rows: Rows

    @classmethod
    def cut(cls, panel: FeaturePanel, returns: Floats, rows: Sequence[int] | Rows) -> "TrainingSet":
        """Nothing after the last training row is even in memory of the fit; nor is a name not yet tradable by then."""
        kept = np.asarray(rows, dtype=np.intp)
        stop = int(kept.max()) + 1
        names = np.flatnonzero(panel.tradable[:stop].any(axis=0))
        seen = panel.upto(stop)
        labels = np.full((stop, len(names)), np.nan)
        labels[kept] = returns[kept][:, names]
        known = FeaturePanel(
            sessions=seen.sessions, names=tuple(seen.names[i] for i in names), features=seen.features,
            values=np.ascontiguousarray(seen.values[:, names]), tradable=np.ascontiguousarray(seen.tradable[:, names]),
        )
        return cls(known, labels, kept)

    def digest(self, features: Sequence[str]) -> str:
        """SHA-256 of everything a fit on `features` can depend on."""
        columns = [self.panel.features.index(name) for name in features]
        told = hashlib.sha256(repr((self.panel.names, tuple(features), self.panel.values.shape[:2])).encode())
        for part in (self.panel.values[:, :, columns], self.returns):
            told.update(np.where(np.isnan(part), np.nan, part).tobytes())  # one NaN, whatever its payload
        told.update(np.ascontiguousarray(self.panel.tradable).tobytes())
        told.update(np.asarray(self.panel.sessions, dtype="datetime64[D]").astype(np.int64).tobytes())
        told.update(self.rows.astype(np.int64).tobytes())
        return told.hexdigest()
