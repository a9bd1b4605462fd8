"""Rules: alphas, regimes, ensembles and confluence, and the names that people know them by."""

from models.signals.alpha import Alpha, Alphas, AlphaSignal
from models.signals.horizons import Horizon
from models.signals.learned import AdaptiveStrategyWeights, FeatureImportanceTracker
from models.signals.regimes import MarketRegime, PriceRegime
from models.signals.seeds import (
    AdvancedSignalGenerator,
    MeanReversionAlphaModel,
    MomentumAlphaModel,
    RegimeDetector,
    TradeSignal,
)

__all__ = ["AdaptiveStrategyWeights", "AdvancedSignalGenerator", "Alpha", "AlphaSignal", "Alphas",
           "FeatureImportanceTracker", "Horizon", "MarketRegime", "MeanReversionAlphaModel", "MomentumAlphaModel",
           "PriceRegime", "RegimeDetector", "TradeSignal"]
