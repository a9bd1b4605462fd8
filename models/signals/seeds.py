"""The rules under the names and signatures that people know, for one table of bars: thin shells over the alphas."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from models.features.panel import FeaturePanel
from models.features.technical.trend import decayed_pull
from models.signals.alpha import Alpha, AlphaSignal
from models.signals.factors import TYPES, MultiFactor
from models.signals.momentum import ADX, Momentum
from models.signals.regimes import (
    HISTORY,
    PRICE_REGIMES,
    REGIMES,
    STRATEGY_WEIGHTS,
    MarketRegime,
    RegimeRules,
    last_percentile,
)
from models.signals.reversion import HURST, ZSCORE, MeanReversion

FAMILIES = ("momentum", "mean_reversion", "vol_breakout")


class Bars(Protocol):
    """A DataFrame, or anything else whose columns are asked for by name: oldest bar first."""

    def __getitem__(self, name: str, /) -> Any: ...


def panel_of_bars(bars: Bars, features: Sequence[str], rows: int = 1) -> FeaturePanel:
    """The features of one name after each of its last `rows` bars; a missing open or volume is NaN."""
    from models.features.compute import compute_batch
    from models.features.inputs import derive
    from models.features.panel import BarPanel
    from models.features.registry import named, view_look_back

    wanted = named(tuple(features))
    close = np.asarray(bars["close"], dtype=np.float64)[:, None]
    raw = {"close": close, "split_factor": np.ones_like(close), "total_return_factor": np.ones_like(close)}
    for column in ("open", "high", "low", "volume"):
        try:
            raw[column] = np.asarray(bars[column], dtype=np.float64)[:, None]
        except KeyError:
            raw[column] = np.full_like(close, np.nan)
    recent = {name: values[-(view_look_back(wanted) + rows - 1) :] for name, values in raw.items()}
    count = len(recent["close"])
    days = np.arange(count).astype("datetime64[D]")
    told = compute_batch(BarPanel(days, ("asset",), derive("equity", recent)), wanted)
    values = np.stack([told[feature.name] for feature in wanted], axis=-1)[-rows:]
    return FeaturePanel(days[-rows:], ("asset",), tuple(features), values, np.ones(values.shape[:2], dtype=bool))


def _last(alpha: Alpha, bars: Bars) -> AlphaSignal:
    panel = panel_of_bars(bars, alpha.features, alpha.history)
    return alpha.signal(panel).at(len(panel.sessions) - 1, 0)


def _newest(bars: Bars, feature: str) -> float:
    return float(panel_of_bars(bars, (feature,)).column(feature)[-1, 0])


class MomentumAlphaModel:
    """The look-backs and their decay are those of the feature `vam_decay`; another choice is another feature."""

    def __init__(self, lookbacks: Sequence[int] = (5, 10, 20, 60), decay_lambda: float = 0.1,
                 adx_threshold: float = 25.0, max_signal: float = 3.0) -> None:
        if tuple(lookbacks) != (5, 10, 20, 60) or decay_lambda != 0.1:
            raise ValueError("vam_decay averages 5, 10, 20 and 60 sessions with a decay of 0.1: declare another "
                             "version of the feature for other ones")
        self.alpha = Momentum(adx_threshold, max_signal)

    def calculate_vam(self, returns: ArrayLike, lookback: int) -> float:
        """One look-back of the four that `vam_decay` averages; NaN while there are fewer returns."""
        newest_first = np.ascontiguousarray(np.asarray(returns, dtype=np.float64)[::-1])
        return float(decayed_pull(newest_first, lookback)) if len(newest_first) >= lookback else math.nan

    def calculate_adx(self, high: ArrayLike, low: ArrayLike, close: ArrayLike, period: int = 14) -> float:
        """`adx_14` after the last bar, by Wilder's means; NaN while its look-back is not full."""
        if period != 14:
            raise ValueError("adx_14 is of 14 sessions: declare another feature for other ones")
        return _newest({"high": high, "low": low, "close": close}, ADX)

    def generate_signal(self, ohlcv: Bars) -> AlphaSignal:
        return _last(self.alpha, ohlcv)


class MeanReversionAlphaModel:
    def __init__(self, lookback: int = 20, entry_threshold: float = 2.0, hurst_threshold: float = 0.5,
                 max_signal: float = 2.5) -> None:
        if lookback != 20:
            raise ValueError("zscore_20 looks back 20 sessions: declare another feature for other ones")
        self.alpha = MeanReversion(entry_threshold, hurst_threshold, max_signal)

    def calculate_zscore(self, prices: ArrayLike) -> float:
        """`zscore_20` of the last price; NaN while there are fewer."""
        return _newest({"close": prices}, ZSCORE)

    def calculate_hurst(self, prices: ArrayLike) -> float:
        """`hurst_256`: of log returns, and less what a random walk shows on as few. Of prices, as is sometimes
        written, a random walk's is 1 and none ever passes for mean-reverting. NaN while there are not 257 prices."""
        return _newest({"close": prices}, HURST)

    def generate_signal(self, ohlcv: Bars) -> AlphaSignal:
        return _last(self.alpha, ohlcv)


class RegimeDetector:
    """Remembers the volatilities that it was asked about, a year of them at most."""

    def __init__(self, vol_lookback: int = 20, trend_lookback: int = 50, vol_percentile_low: float = 25,
                 vol_percentile_high: float = 75, adx_threshold: float = 25, hurst_threshold: float = 0.5) -> None:
        self.vol_lookback, self.trend_lookback = vol_lookback, trend_lookback
        self.rules = RegimeRules(vol_percentile_low, vol_percentile_high, adx_threshold=adx_threshold,
                                 hurst_threshold=hurst_threshold)
        self.vol_history: list[float] = []

    def classify(self, features: Mapping[str, float]) -> MarketRegime:
        """Of `realised_vol`, `adx`, `hurst` and `trend_direction`; what is not told is the middle."""
        self.vol_history = [*self.vol_history, _told(features, ("realised_vol", "realized_vol"), 0.15)][-HISTORY:]
        percentile = last_percentile(np.array(self.vol_history)[:, None])
        found = self.rules.classify(percentile, *(
            np.array([features.get(name, usual)])
            for name, usual in (("adx", 0.0), ("hurst", 0.5), ("trend_direction", 0.0))))
        return REGIMES[int(found[0])]

    def get_strategy_weights(self, regime: MarketRegime) -> dict[str, float]:
        return dict(zip(FAMILIES, STRATEGY_WEIGHTS[regime], strict=True))


def _told(features: Mapping[str, float], names: tuple[str, ...], usual: float) -> float:
    return next((features[name] for name in names if name in features), usual)


@dataclass(frozen=True)
class TradeSignal:
    """`stop_loss` and `take_profit` are prices; all three of the last are None where nothing is entered."""

    type: str
    strength: float
    confidence: float
    regime: str
    risk_reward: float | None
    stop_loss: float | None
    take_profit: float | None


class AdvancedSignalGenerator:
    def __init__(self, rules: MultiFactor | None = None) -> None:
        self.rules = rules or MultiFactor()

    def generate_signals(self, price_data: Bars) -> list[TradeSignal]:
        """One signal, of the newest bar."""
        plans = self.rules.plans(panel_of_bars(price_data, self.rules.features, self.rules.history))
        close, side = float(np.asarray(price_data["close"], dtype=np.float64)[-1]), float(plans.side[-1, 0])
        stop, target = float(plans.stop[-1, 0]), float(plans.target[-1, 0])
        levels = (target / stop, close * (1.0 - side * stop), close * (1.0 + side * target)) if side else (None,) * 3
        return [TradeSignal(str(TYPES[plans.types[-1, 0]]), float(plans.strength[-1, 0]),
                            float(plans.confidence[-1, 0]), str(PRICE_REGIMES[plans.regimes[-1, 0]]), *levels)]
