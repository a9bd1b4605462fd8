"""What every fit of the night starts from, saved once: the decision panel and the labels beside it."""

import hashlib
import io
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from pipelines import durable
from pipelines.home import Home

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Revisions:
    """Returns that were told otherwise when a fold began: (fold's first row, row, name) and what they were then."""

    places: NDArray[np.intp] = field(default_factory=lambda: np.zeros((0, 3), dtype=np.intp))
    values: Floats = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class Inputs:
    panel: FeaturePanel
    returns: Floats  # (sessions, names) open to next open as known now, NaN where not over yet
    revisions: Revisions = field(default_factory=Revisions)

    def as_known(self, begin: int) -> Floats:
        """The returns as a fold that begins at this row could know them: a split or a correction that came later is not
        in them. The very same array where nothing was revised."""
        mine = self.revisions.places[:, 0] == begin
        if not mine.any():
            return self.returns
        then = self.returns.copy()
        then[self.revisions.places[mine, 1], self.revisions.places[mine, 2]] = self.revisions.values[mine]
        return then

    @property
    def labelled(self) -> int:
        """Decision sessions whose label is over: the first so many rows."""
        known = np.flatnonzero(np.isfinite(self.returns).any(axis=1))
        return int(known[-1]) + 1 if len(known) else 0

    @cached_property
    def _digest(self) -> str:
        told = hashlib.sha256(repr((self.panel.names, self.panel.features)).encode())
        for part in (self.panel.values, self.returns):
            told.update(np.where(np.isnan(part), np.nan, part).tobytes())
        told.update(np.ascontiguousarray(self.panel.tradable).tobytes())
        if self.panel.shortable is not None:
            told.update(b"shortable" + np.ascontiguousarray(self.panel.shortable).tobytes())
        told.update(np.asarray(self.panel.sessions, dtype="datetime64[D]").astype(np.int64).tobytes())
        if len(self.revisions.values):
            told.update(self.revisions.places.astype(np.int64).tobytes() + self.revisions.values.tobytes())
        return told.hexdigest()

    def digest(self) -> str:
        return self._digest


def save(home: Home, inputs: Inputs) -> bool:
    """One file, replaced whole; unchanged inputs are not written again. Whether they were new."""
    path = home.work / "training" / "inputs.npz"
    if path.exists() and load(home).digest() == inputs.digest():
        return False
    panel, out = inputs.panel, io.BytesIO()
    np.savez(
        out, sessions=np.asarray(panel.sessions, dtype="datetime64[D]"), names=np.array(panel.names),
        features=np.array(panel.features), values=panel.values, tradable=panel.tradable, returns=inputs.returns,
        revised_places=inputs.revisions.places, revised_values=inputs.revisions.values,
        **({"shortable": panel.shortable} if panel.shortable is not None else {}),
    )
    durable.write_atomic(path, out.getvalue(), failpoint="training_inputs")
    return True


def load(home: Home) -> Inputs:
    with np.load(home.work / "training" / "inputs.npz", allow_pickle=False) as kept:
        panel = FeaturePanel(
            sessions=kept["sessions"], names=tuple(kept["names"].tolist()), features=tuple(kept["features"].tolist()),
            values=kept["values"], tradable=kept["tradable"],
            shortable=kept["shortable"] if "shortable" in kept.files else None,
        )
        return Inputs(panel, kept["returns"], Revisions(kept["revised_places"], kept["revised_values"])
                      if "revised_values" in kept.files else Revisions())
