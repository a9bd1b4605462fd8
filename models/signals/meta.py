"""What the hidden Markov model's regime switches: which alphas may speak, how much is held, how far a stop lies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.hmm.config import STATES
from models.signals.alpha import Alphas, Filter, Floats, spoken, union
from models.signals.ensemble import combined
from models.signals.momentum import Momentum
from models.signals.reversion import MeanReversion

POSTERIOR = "hmm:"  # columns of the filtered posterior, one a state, the same on every name's row
COLUMNS = tuple(POSTERIOR + state for state in STATES)
# Shares of trend and mean reversion by state: in chop with high volatility no trend is followed.
SHARES = {"Bull": (1.0, 0.0), "Bear": (1.0, 0.0), "HighVol_Chop": (0.0, 1.0), "LowVol_Chop": (0.5, 0.5)}
SIZE = {"Bull": 1.25, "Bear": 1.0, "HighVol_Chop": 1.0, "LowVol_Chop": 1.0}
STOP_SCALE = {"Bull": 1.0, "Bear": 1.0, "HighVol_Chop": 0.75, "LowVol_Chop": 1.5}


def believed(posteriors: Floats) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """(state, known): place of the likeliest state along the last axis; the first among equals."""
    known = np.asarray(np.isfinite(posteriors).all(axis=-1))
    return np.argmax(np.where(known[..., None], posteriors, 0.0), axis=-1), known


@dataclass(frozen=True)
class RegimeSwitch:
    """Trend in Bull and Bear, reversion in HighVol_Chop, half of each in LowVol_Chop; larger in Bull."""

    momentum: Momentum = Momentum()
    reversion: MeanReversion = MeanReversion()

    @property
    def features(self) -> tuple[str, ...]:
        return union(self.momentum.features, self.reversion.features, COLUMNS)

    @property
    def history(self) -> int:
        return 1

    def signal(self, panel: FeaturePanel) -> Alphas:
        state, known = believed(np.stack([panel.column(name) for name in COLUMNS], axis=-1))
        signals = [self.momentum.signal(panel), self.reversion.signal(panel)]
        value, confidence = combined(signals, np.array([SHARES[one] for one in STATES])[state])
        stops = np.array([STOP_SCALE[one] for one in STATES])[state]
        return spoken(value, confidence, Filter.COMBINED, needs=(np.where(known, 0.0, np.nan),),
                      silenced=[(Filter.REGIME_FILTER, confidence == 0.0)],
                      components={"state": np.where(known, state * 1.0, np.nan), "stop_scale": stops},
                      size=np.array([SIZE[one] for one in STATES])[state])
