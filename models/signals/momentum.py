"""Trend following: momentum in units of its own volatility, where the trend is strong enough to be one."""

from dataclasses import dataclass

import numpy as np

from models.features.panel import FeaturePanel
from models.signals.alpha import Alphas, Filter, spoken

VAM, ADX = "technical_v2:vam_decay", "technical_v1:adx_14"
ADX_REACH = 25.0  # points of ADX above the threshold at which confidence is full


@dataclass(frozen=True)
class Momentum:
    """Exponentially weighted returns over their deviation, averaged over four look-backs; silent without a trend."""

    adx_threshold: float = 25.0
    max_signal: float = 3.0

    @property
    def features(self) -> tuple[str, ...]:
        return VAM, ADX

    @property
    def history(self) -> int:
        return 1

    def signal(self, panel: FeaturePanel) -> Alphas:
        vam, adx = panel.column(VAM), panel.column(ADX)
        value = np.clip(vam, -self.max_signal, self.max_signal) / self.max_signal
        return spoken(value, (adx - self.adx_threshold) / ADX_REACH, Filter.TRENDING, needs=(vam, adx),
                      silenced=[(Filter.ADX_FILTER, adx <= self.adx_threshold)],
                      components={"vam": vam, "adx": adx})
