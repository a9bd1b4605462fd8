"""Seven textbook indicators as votes of -1, 0 or 1, and the rules that count them."""

from dataclasses import dataclass

import numpy as np

from models.features.panel import FeaturePanel
from models.signals.alpha import Alphas, Filter, Floats, spoken

RSI, MACD, BANDS = "technical_v1:rsi", "technical_v1:macd_histogram", "technical_v1:bollinger_position"
GAP, LONG_GAP = "technical_v1:sma_gap_50", "technical_v1:sma_gap_200"
VOLUME, MOMENTUM, AWAY = "technical_v1:signed_volume_20", "equity_v1:vam_20", "equity_v1:zscore_20"
VOL_REGIME = "technical_v1:vol_regime"
VOTERS: dict[str, tuple[str, float]] = {  # name -> column, and how far from rest it must be to speak
    "rsi": (RSI, 20.0), "macd": (MACD, 0.0), "average": (GAP, 0.0), "bands": (BANDS, 1.0),
    "volume": (VOLUME, 0.1), "momentum": (MOMENTUM, 0.5), "reversion": (AWAY, 2.0),
}
AGAINST = ("rsi", "bands", "reversion")  # these speak against the move that they see
RSI_REST = 50.0
LEAST_VOICES = 3


def votes(panel: FeaturePanel) -> dict[str, Floats]:
    """Each voter's side by row and name; NaN where it knows nothing."""
    told = {}
    for name, (column, reach) in VOTERS.items():
        seen = panel.column(column) - (RSI_REST if name == "rsi" else 0.0)
        side = np.where(np.abs(seen) > reach, np.sign(seen), 0.0) * (-1.0 if name in AGAINST else 1.0)
        told[name] = np.where(np.isfinite(seen), side + 0.0, np.nan)
    return told


@dataclass(frozen=True)
class Tally:
    """Of the voices that took a side: their number, the side of the more, and its share of them."""

    voices: Floats
    side: Floats
    agreeing: Floats
    known: Floats


def tally(told: dict[str, Floats]) -> Tally:
    each = np.stack(list(told.values()))
    ups, downs = (each > 0.0).sum(axis=0), (each < 0.0).sum(axis=0)
    voices = ups + downs
    share = np.maximum(ups, downs) / np.maximum(voices, 1)
    return Tally(voices.astype(np.float64), np.sign(ups - downs).astype(np.float64), share,
                 np.isfinite(each).sum(axis=0).astype(np.float64))


@dataclass(frozen=True)
class Voting:
    """The side of the more, where at least `quorum` of those that speak are on it."""

    quorum: float = 0.7

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(column for column, _ in VOTERS.values())

    @property
    def history(self) -> int:
        return 1

    def signal(self, panel: FeaturePanel) -> Alphas:
        told = votes(panel)
        counted = tally(told)
        silent = [(Filter.NO_DATA, counted.known < LEAST_VOICES),
                  (Filter.THRESHOLD_FILTER, (counted.voices < LEAST_VOICES) | (counted.agreeing < self.quorum))]
        return spoken(counted.side, 2.0 * counted.agreeing - 1.0, Filter.COMBINED, needs=(), silenced=silent,
                      components=told)


@dataclass(frozen=True)
class TrendAndVolatility:
    """With the trend where two averages tell the same, and only while volatility is not high."""

    full_gap: float = 0.1  # from the long average at which the value is whole

    @property
    def features(self) -> tuple[str, ...]:
        return GAP, LONG_GAP, VOL_REGIME

    @property
    def history(self) -> int:
        return 1

    def signal(self, panel: FeaturePanel) -> Alphas:
        near, far, regime = (panel.column(name) for name in self.features)
        value = np.sign(far) * np.minimum(np.abs(far) / self.full_gap, 1.0)
        return spoken(value, np.where(regime < 0.0, 1.0, 0.5), Filter.TRENDING, needs=(near, far, regime),
                      silenced=[(Filter.REGIME_FILTER, regime > 0.0),
                                (Filter.THRESHOLD_FILTER, np.sign(near) != np.sign(far))],
                      components={"gap_50": near, "gap_200": far, "vol_regime": regime})
