"""What walking forward decided, saved beside the judged returns: weights, raw scores and regimes by judged session.

The verdict stands on `JudgedNight` alone; this is what pictures, exports, drift and the bias price tag look at.
"""

import io
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines import durable
from pipelines.home import Home

Floats = NDArray[np.float64]
FILE = "decided.npz"


@dataclass(frozen=True)
class Decided:
    sessions: NDArray[np.datetime64]
    names: tuple[str, ...]
    keys: tuple[str, ...]  # of the candidates, in the order of the judged night
    weights: Floats  # (candidates, sessions, names)
    raw: dict[str, Floats]  # 'gbm' and 'gnn', each (sessions, names); NaN where a name was not scored
    regimes: Floats  # (sessions, states) filtered posterior
    states: tuple[str, ...]

    def of(self, key: str) -> Floats:
        return np.asarray(self.weights[self.keys.index(key)])

    def save(self, home: Home) -> None:
        """One file, so that a kill leaves all of it or none."""
        out = io.BytesIO()
        np.savez(out, sessions=self.sessions.astype("datetime64[D]").astype(np.int64), names=np.array(self.names),
                 keys=np.array(self.keys), weights=self.weights, regimes=self.regimes, states=np.array(self.states),
                 **{f"raw.{name}": values for name, values in self.raw.items()})
        durable.write_atomic(home.work / "judgement" / FILE, out.getvalue(), failpoint="decided")


def of_walk(walked: Any) -> Decided:
    """From what `walk_forward` returned (and the champion's own walk, where one was needed)."""
    return Decided(np.asarray(walked.sessions, "datetime64[D]"), walked.names,
                   tuple(one.key for one in walked.candidates),
                   np.stack([walked.weights[one.name] for one in walked.candidates]), dict(walked.raw),
                   walked.regimes, tuple(walked.states))


def load(home: Home) -> Decided:
    with np.load(home.work / "judgement" / FILE, allow_pickle=False) as kept:
        raw = {name.removeprefix("raw."): kept[name] for name in kept.files if name.startswith("raw.")}
        return Decided(kept["sessions"].astype("datetime64[D]"), tuple(kept["names"].tolist()),
                       tuple(kept["keys"].tolist()), kept["weights"], raw, kept["regimes"],
                       tuple(kept["states"].tolist()))


def digest(home: Home) -> str:
    return sha256((home.work / "judgement" / FILE).read_bytes()).hexdigest()
