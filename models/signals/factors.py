"""The multi-factor generator: what to do with a name, how strongly and how surely, and where stop and target lie."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.signals.alpha import Alphas, Filter, Floats, spoken, union
from models.signals.regimes import PRICE_REGIMES, Codes, PriceRegime, PriceRegimeRules, price_regime_size
from models.signals.votes import LEAST_VOICES, VOTERS, tally, votes

ATR = "equity_v1:atr_14"


class SignalType(StrEnum):
    ENTRY_LONG = "entry_long"
    ENTRY_SHORT = "entry_short"
    EXIT = "exit"
    HOLD = "hold"


TYPES = tuple(SignalType)
# Tighter where the market is wild, wider where it is quiet; in multiples of the usual stop.
STOP_SCALE = {PriceRegime.HIGH_VOLATILITY: 0.75, PriceRegime.LOW_VOLATILITY: 1.25}


@dataclass(frozen=True)
class Plans:
    """By row and name. `stop` and `target` are distances as shares of the close, NaN where nothing is entered."""

    types: NDArray[np.int8]  # places in TYPES
    side: Floats
    strength: Floats
    confidence: Floats
    regimes: Codes  # places in PRICE_REGIMES
    stop: Floats
    target: Floats
    size: Floats

    @property
    def reward_risk(self) -> Floats:
        return self.target / self.stop


@dataclass(frozen=True)
class MultiFactor:
    """Enter where more than `gate` of the factors that speak agree, at least three; leave where under `leave` do."""

    gate: float = 0.7
    leave: float = 0.6
    stop_atr: float = 2.0
    target_atr: float = 5.0
    regimes: PriceRegimeRules = PriceRegimeRules()

    @property
    def features(self) -> tuple[str, ...]:
        return union(tuple(column for column, _ in VOTERS.values()), self.regimes.features, (ATR,))

    @property
    def history(self) -> int:
        return self.regimes.history

    def plans(self, panel: FeaturePanel) -> Plans:
        counted, regimes, atr = tally(votes(panel)), self.regimes.of_panel(panel), panel.column(ATR)
        enough = (counted.voices >= LEAST_VOICES) & np.isfinite(atr) & (atr > 0.0)
        confidence = np.where(enough, counted.agreeing, 0.0)
        enters = enough & (confidence > self.gate) & (counted.side != 0.0)
        types = np.select(
            [enters & (counted.side > 0.0), enters, enough & (confidence < self.leave)],
            [TYPES.index(SignalType.ENTRY_LONG), TYPES.index(SignalType.ENTRY_SHORT), TYPES.index(SignalType.EXIT)],
            TYPES.index(SignalType.HOLD)).astype(np.int8)
        scale = np.array([STOP_SCALE.get(regime, 1.0) for regime in PRICE_REGIMES])[regimes]
        return Plans(types, np.where(enters, counted.side, 0.0), np.where(enough, counted.voices / len(VOTERS), 0.0),
                     confidence, regimes, np.where(enters, self.stop_atr * scale * atr, np.nan),
                     np.where(enters, self.target_atr * atr, np.nan), price_regime_size(regimes))

    def signal(self, panel: FeaturePanel) -> Alphas:
        plans = self.plans(panel)
        silent = [(Filter.NO_DATA, plans.strength == 0.0), (Filter.THRESHOLD_FILTER, plans.side == 0.0)]
        return spoken(plans.side * plans.strength, plans.confidence, Filter.COMBINED, needs=(), silenced=silent,
                      size=plans.size, components={"strength": plans.strength, "reward_risk": plans.reward_risk,
                                                   "stop": plans.stop, "target": plans.target})
