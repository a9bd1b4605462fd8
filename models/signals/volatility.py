"""What volatility says: its regime, the breakout from quiet ground, and how much to hold while it is calm."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.signals.alpha import Alphas, Filter, Floats, spoken

REGIME, FORECAST = "technical_v1:vol_regime", "garch_v1:garch_vol"
BANDS, PACE = "technical_v1:bollinger_position", "technical_v1:vol_ratio_5_60"


class VolatilityRegime(StrEnum):
    LOW_VOL = "LOW_VOL"
    NORMAL = "NORMAL"
    HIGH_VOL = "HIGH_VOL"


def volatility_regime(vol: Floats, mean: Floats, deviation: Floats) -> NDArray[np.int8]:
    """-1 below the mean by more than half a deviation, 1 above it by more, else 0; NaN is no regime: 0.

    The feature `vol_regime` is this of 20-session volatility over 252 sessions."""
    with np.errstate(invalid="ignore"):
        return (vol > mean + 0.5 * deviation).astype(np.int8) - (vol < mean - 0.5 * deviation).astype(np.int8)


def regime_of(step: float) -> VolatilityRegime:
    return (VolatilityRegime.LOW_VOL, VolatilityRegime.NORMAL, VolatilityRegime.HIGH_VOL)[int(step) + 1]


@dataclass(frozen=True)
class Breakout:
    """With a close outside its Bollinger band while a week's volatility outruns the quarter's: a move that begins."""

    entry: float = 1.0  # in half-widths of the band
    full: float = 2.0
    pace: float = 1.0  # of a week's volatility over 60 sessions'

    @property
    def features(self) -> tuple[str, ...]:
        return BANDS, PACE

    @property
    def history(self) -> int:
        return 1

    def signal(self, panel: FeaturePanel) -> Alphas:
        place, pace = panel.column(BANDS), panel.column(PACE)
        value = np.sign(place) * np.minimum(np.abs(place) / self.full, 1.0)
        return spoken(value, pace - self.pace, Filter.BREAKOUT, needs=(place, pace),
                      silenced=[(Filter.THRESHOLD_FILTER, np.abs(place) <= self.entry),
                                (Filter.REGIME_FILTER, pace <= self.pace)],
                      components={"bollinger": place, "vol_ratio": pace})


@dataclass(frozen=True)
class Calm:
    """Long what is not in a regime of high volatility, each at the size at which GARCH foretells `target_vol`."""

    target_vol: float = 0.15

    @property
    def features(self) -> tuple[str, ...]:
        return REGIME, FORECAST

    @property
    def history(self) -> int:
        return 1

    def signal(self, panel: FeaturePanel) -> Alphas:
        regime, forecast = panel.column(REGIME), panel.column(FORECAST)
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.where(forecast > 0.0, np.minimum(self.target_vol / forecast, 1.0), 0.0)
        ones = np.ones_like(regime)
        return spoken(ones, ones, Filter.CALM, needs=(regime, forecast), size=size,
                      silenced=[(Filter.REGIME_FILTER, regime > 0.0)],
                      components={"vol_regime": regime, "garch_vol": forecast})
