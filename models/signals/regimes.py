"""Regimes by rule, name by name: trend, memory and where volatility stands in its own year."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.features.panel import FeaturePanel
from models.signals.alpha import Floats

VOL, ADX, HURST = "equity_v1:rv_20", "technical_v1:adx_14", "statistical_v1:hurst_256"
GAP = "technical_v1:sma_gap_50"
TREND_SESSIONS, YEAR_SESSIONS = 50.0, 252.0
HISTORY = 252  # rows of volatility that it is ranked among
LEAST_HISTORY = 20  # fewer say nothing of a rank: it is the middle
Codes = NDArray[np.int8]


class MarketRegime(StrEnum):
    TRENDING_UP = "TRENDING_UP"
    TRENDING_DOWN = "TRENDING_DOWN"
    MEAN_REVERTING = "MEAN_REVERTING"
    HIGH_VOLATILITY = "HIGH_VOLATILITY"
    LOW_VOLATILITY = "LOW_VOLATILITY"
    CRISIS = "CRISIS"
    NORMAL = "NORMAL"


class PriceRegime(StrEnum):
    STRONG_UPTREND = "STRONG_UPTREND"
    UPTREND = "UPTREND"
    NEUTRAL = "NEUTRAL"
    DOWNTREND = "DOWNTREND"
    STRONG_DOWNTREND = "STRONG_DOWNTREND"
    HIGH_VOLATILITY = "HIGH_VOLATILITY"
    LOW_VOLATILITY = "LOW_VOLATILITY"


REGIMES, PRICE_REGIMES = tuple(MarketRegime), tuple(PriceRegime)
# Shares of momentum, mean reversion and volatility breakout.
STRATEGY_WEIGHTS: dict[MarketRegime, tuple[float, float, float]] = {
    MarketRegime.TRENDING_UP: (0.7, 0.1, 0.2), MarketRegime.TRENDING_DOWN: (0.7, 0.1, 0.2),
    MarketRegime.MEAN_REVERTING: (0.1, 0.7, 0.2), MarketRegime.HIGH_VOLATILITY: (0.3, 0.2, 0.5),
    MarketRegime.LOW_VOLATILITY: (0.4, 0.5, 0.1), MarketRegime.CRISIS: (0.0, 0.0, 0.0),
    MarketRegime.NORMAL: (0.4, 0.4, 0.2),
}
# Two figures are stated: a fifth less in high volatility, a fifth more in a strong trend.
PRICE_REGIME_SIZE = {PriceRegime.HIGH_VOLATILITY: 0.8, PriceRegime.STRONG_UPTREND: 1.2,
                     PriceRegime.STRONG_DOWNTREND: 1.2}


@dataclass(frozen=True)
class RegimeRules:
    """The thresholds of the rule detector; what is not known counts as neither trend nor reversion."""

    vol_percentile_low: float = 25.0
    vol_percentile_high: float = 75.0
    crisis_percentile: float = 95.0
    crisis_trend: float = -0.5
    adx_threshold: float = 25.0
    hurst_threshold: float = 0.5

    def classify(self, percentile: Floats, adx: Floats, hurst: Floats, trend: Floats) -> Codes:
        """Places in REGIMES. The order of the questions is the seed's: crisis, trend, reversion, volatility."""
        adx, hurst, trend = np.nan_to_num(adx), np.nan_to_num(hurst, nan=0.5), np.nan_to_num(trend)
        trending = (adx > self.adx_threshold) & (hurst > self.hurst_threshold)
        asked = [
            ((percentile > self.crisis_percentile) & (trend < self.crisis_trend), MarketRegime.CRISIS),
            (trending & (trend > 0.0), MarketRegime.TRENDING_UP),
            (trending, MarketRegime.TRENDING_DOWN),
            (hurst < self.hurst_threshold, MarketRegime.MEAN_REVERTING),
            (percentile > self.vol_percentile_high, MarketRegime.HIGH_VOLATILITY),
            (percentile < self.vol_percentile_low, MarketRegime.LOW_VOLATILITY),
        ]
        return _chosen(asked, [REGIMES.index(regime) for _, regime in asked], REGIMES.index(MarketRegime.NORMAL))

    @property
    def features(self) -> tuple[str, ...]:
        return VOL, ADX, HURST, GAP

    @property
    def history(self) -> int:
        return HISTORY

    def of_panel(self, panel: FeaturePanel) -> Codes:
        vol = panel.column(VOL)
        return self.classify(percentile_of(vol), panel.column(ADX), panel.column(HURST), trend_of(panel))


@dataclass(frozen=True)
class PriceRegimeRules:
    """Seven regimes of a price, the loudest first: a wild market is one whatever its trend."""

    wild_percentile: float = 90.0
    calm_percentile: float = 10.0
    strong_trend: float = 0.5
    trend: float = 0.2
    adx_threshold: float = 25.0

    def classify(self, percentile: Floats, adx: Floats, trend: Floats) -> Codes:
        adx, trend = np.nan_to_num(adx), np.nan_to_num(trend)
        strong = (np.abs(trend) >= self.strong_trend) & (adx > self.adx_threshold)
        asked = [
            (percentile > self.wild_percentile, PriceRegime.HIGH_VOLATILITY),
            (strong & (trend > 0.0), PriceRegime.STRONG_UPTREND),
            (strong, PriceRegime.STRONG_DOWNTREND),
            (trend >= self.trend, PriceRegime.UPTREND),
            (trend <= -self.trend, PriceRegime.DOWNTREND),
            (percentile < self.calm_percentile, PriceRegime.LOW_VOLATILITY),
        ]
        return _chosen(asked, [PRICE_REGIMES.index(regime) for _, regime in asked],
                       PRICE_REGIMES.index(PriceRegime.NEUTRAL))

    @property
    def features(self) -> tuple[str, ...]:
        return VOL, ADX, GAP

    @property
    def history(self) -> int:
        return HISTORY

    def of_panel(self, panel: FeaturePanel) -> Codes:
        return self.classify(percentile_of(panel.column(VOL)), panel.column(ADX), trend_of(panel))


def _chosen(asked: Sequence[tuple[NDArray[np.bool_], StrEnum]], places: list[int], otherwise: int) -> Codes:
    return np.select([holds for holds, _ in asked], places, otherwise).astype(np.int8)


def strategy_weights(regimes: Codes) -> Floats:
    """(…, 3) shares of momentum, mean reversion and breakout."""
    return np.array([STRATEGY_WEIGHTS[regime] for regime in REGIMES])[regimes]


def price_regime_size(regimes: Codes) -> Floats:
    return np.array([PRICE_REGIME_SIZE.get(regime, 1.0) for regime in PRICE_REGIMES])[regimes]


def percentile_of(values: Floats, history: int = HISTORY) -> Floats:
    """Per cent of a name's last `history` rows that do not exceed its own, its equals counting half; 50 where nothing
    can be ranked."""
    return np.array([last_percentile(values[max(0, row - history + 1) : row + 1]) for row in range(len(values))])


def last_percentile(past: Floats) -> Floats:
    """The same of the last row alone, among these. A volatility that never changes is in the middle, not at the top."""
    known = np.isfinite(past).sum(axis=0)
    equals = np.maximum((past == past[-1]).sum(axis=0) - 1, 0)  # beside itself
    share = 100.0 * ((past <= past[-1]).sum(axis=0) - 0.5 * equals) / np.maximum(known, 1)
    return np.where((known >= LEAST_HISTORY) & np.isfinite(past[-1]), share, 50.0)


def trend_of(panel: FeaturePanel) -> Floats:
    """Gap to the mean of 50 closes, in moves that 50 sessions of today's volatility make; at most 1 either way."""
    with np.errstate(divide="ignore", invalid="ignore"):
        trend = panel.column(GAP) / (panel.column(VOL) * np.sqrt(TREND_SESSIONS / YEAR_SESSIONS))
    return np.clip(np.where(np.isfinite(trend), trend, np.nan), -1.0, 1.0)
