"""What every fit of the night starts from, saved once: the decision panel and the labels beside it."""

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from pipelines import durable
from pipelines.home import Home

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Inputs:
    panel: FeaturePanel
    returns: Floats  # (sessions, names) open to next open, NaN where not over yet

    @property
    def labelled(self) -> int:
        """Decision sessions whose label is over: the first so many rows."""
        known = np.flatnonzero(np.isfinite(self.returns).any(axis=1))
        return int(known[-1]) + 1 if len(known) else 0

    def digest(self) -> str:
        told = hashlib.sha256(repr((self.panel.names, self.panel.features)).encode())
        for part in (self.panel.values, self.returns):
            told.update(np.where(np.isnan(part), np.nan, part).tobytes())
        told.update(np.ascontiguousarray(self.panel.tradable).tobytes())
        told.update(np.asarray(self.panel.sessions, dtype="datetime64[D]").astype(np.int64).tobytes())
        return told.hexdigest()


def save(home: Home, inputs: Inputs) -> None:
    """One file, replaced whole; unchanged inputs are not written again."""
    path = home.work / "training" / "inputs.npz"
    if path.exists() and load(home).digest() == inputs.digest():
        return
    panel, out = inputs.panel, io.BytesIO()
    np.savez(
        out, sessions=np.asarray(panel.sessions, dtype="datetime64[D]"), names=np.array(panel.names),
        features=np.array(panel.features), values=panel.values, tradable=panel.tradable, returns=inputs.returns,
    )
    durable.write_atomic(path, out.getvalue(), failpoint="training_inputs")


def load(home: Home) -> Inputs:
    with np.load(home.work / "training" / "inputs.npz", allow_pickle=False) as kept:
        panel = FeaturePanel(
            sessions=kept["sessions"], names=tuple(kept["names"].tolist()), features=tuple(kept["features"].tolist()),
            values=kept["values"], tradable=kept["tradable"],
        )
        return Inputs(panel, kept["returns"])
