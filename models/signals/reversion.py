"""Mean reversion: against a price far from its mean, where the series has the memory of one that comes back."""

from dataclasses import dataclass

import numpy as np

from models.features.panel import FeaturePanel
from models.signals.alpha import Alphas, Filter, spoken

ZSCORE, BANDS, HURST = "equity_v1:zscore_20", "technical_v1:bollinger_position", "statistical_v1:hurst_256"


@dataclass(frozen=True)
class MeanReversion:
    """The Hurst exponent is of log returns, less what a random walk shows on as few: on prices nothing would pass."""

    entry_threshold: float = 2.0
    hurst_threshold: float = 0.5
    max_signal: float = 2.5

    @property
    def features(self) -> tuple[str, ...]:
        return ZSCORE, BANDS, HURST

    @property
    def history(self) -> int:
        return 1

    def signal(self, panel: FeaturePanel) -> Alphas:
        away, bands, hurst = panel.column(ZSCORE), panel.column(BANDS), panel.column(HURST)
        value = -np.clip(away, -self.max_signal, self.max_signal) / self.max_signal
        return spoken(
            value, (self.hurst_threshold - hurst) / self.hurst_threshold, Filter.MEAN_REVERTING, needs=(away, hurst),
            silenced=[(Filter.HURST_FILTER, hurst >= self.hurst_threshold),
                      (Filter.THRESHOLD_FILTER, np.abs(away) < self.entry_threshold)],
            components={"hurst": hurst, "zscore": away, "bollinger": bands},
        )
