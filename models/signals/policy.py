"""Which policy a context calls for: follow a trend, fade a move, go to a pin, or stand aside; and the trade gate."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.signals.alpha import Alpha, Alphas, Filter, Floats, code, spoken, union
from models.signals.momentum import ADX, Momentum
from models.signals.regimes import GAP as AVERAGE_GAP
from models.signals.regimes import HURST, trend_of
from models.signals.regimes import VOL as REALISED
from models.signals.reversion import MeanReversion

PINNED, PIN_DISTANCE, SAME_DAY = "positioning_v1:pinned", "positioning_v1:pin_1_distance", "options_v1:share_0dte"


class Policy(StrEnum):
    TREND = "TREND"
    MEAN_REVERSION = "MEAN_REVERSION"
    PINNING = "PINNING"
    ASIDE = "ASIDE"


POLICIES = tuple(Policy)
PIN_REACH = 0.005  # share of the spot: the feature `pinned` looks no further


@dataclass(frozen=True)
class PolicySwitch:
    """A pinned index comes first (dealers long gamma, the pin near, much expiring today), then trend, then memory."""

    adx_threshold: float = 25.0
    least_trend: float = 0.2
    hurst_threshold: float = 0.5
    least_same_day: float = 0.3
    momentum: Momentum = Momentum()
    reversion: MeanReversion = MeanReversion()

    @property
    def features(self) -> tuple[str, ...]:
        return union((PINNED, PIN_DISTANCE, SAME_DAY, ADX, HURST, REALISED, AVERAGE_GAP), self.momentum.features,
                     self.reversion.features)

    @property
    def history(self) -> int:
        return 1

    def policies(self, panel: FeaturePanel) -> NDArray[np.int8]:
        """Places in POLICIES; a context without options data can be no pin."""
        adx, trend, hurst = panel.column(ADX), trend_of(panel), panel.column(HURST)
        pinned = (panel.column(PINNED) > 0.0) & (panel.column(SAME_DAY) >= self.least_same_day)
        asked = [pinned, (adx > self.adx_threshold) & (np.abs(trend) >= self.least_trend),
                 hurst < self.hurst_threshold]
        places = [POLICIES.index(one) for one in (Policy.PINNING, Policy.TREND, Policy.MEAN_REVERSION)]
        return np.select(asked, places, POLICIES.index(Policy.ASIDE)).astype(np.int8)

    def signal(self, panel: FeaturePanel) -> Alphas:
        policies = self.policies(panel)
        trend, fade = self.momentum.signal(panel), self.reversion.signal(panel)
        pull = np.nan_to_num(panel.column(PIN_DISTANCE)) / PIN_REACH
        of = [policies == POLICIES.index(one) for one in Policy]
        filters = np.select(of[:3], [trend.filters, fade.filters, np.int8(code(Filter.PINNING))],
                            np.int8(code(Filter.REGIME_FILTER))).astype(np.int8)
        return spoken(np.select(of[:3], [trend.value, fade.value, pull], 0.0),
                      np.select(of[:3], [trend.confidence, fade.confidence, np.abs(pull)], 0.0), filters, needs=(),
                      components={"policy": policies.astype(np.float64), **trend.components, **fade.components})


@dataclass(frozen=True)
class Gated:
    """The same alpha, silent unless it is more confident than `threshold`."""

    alpha: Alpha
    threshold: float = 0.7

    @property
    def features(self) -> tuple[str, ...]:
        return self.alpha.features

    @property
    def history(self) -> int:
        return self.alpha.history

    def signal(self, panel: FeaturePanel) -> Alphas:
        said = self.alpha.signal(panel)
        speaks = said.value != 0.0
        return spoken(said.value, said.confidence, said.filters, needs=(), components=said.components, size=said.size,
                      silenced=[(Filter.THRESHOLD_FILTER, speaks & ~passes(said.confidence, self.threshold))])


def passes(confidence: Floats, threshold: float = 0.7) -> NDArray[np.bool_]:
    """The trade gate: what is more confident than this may trade."""
    return confidence > threshold
