"""Weights that learn from outcomes, as plain arithmetic: of features, of timeframes, of indicators."""

from collections.abc import Mapping

TIMEFRAMES = {"M1": 1.0, "M5": 2.0, "M15": 3.0, "M30": 4.0}
INDICATORS = {"RSI": 1.0, "MACD": 1.0, "BB": 1.0, "MA": 1.0}
KEPT, FIRST_WEIGHT = 0.7, 0.5
NEUTRAL_PERFORMANCE = 0.5


def feature_weights(old: Mapping[str, float], scores: Mapping[str, float]) -> dict[str, float]:
    """0.7 of the old weight (0.5 where there is none) and 0.3 of the score; what has no score keeps its weight."""
    new = {name: KEPT * old.get(name, FIRST_WEIGHT) + (1.0 - KEPT) * score for name, score in scores.items()}
    return {**old, **new}


def weighted_features(raw: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, float]:
    return {name: value * weights.get(name, 1.0) for name, value in raw.items()}


def timeframe_weights(old: Mapping[str, float], performance: Mapping[str, float]) -> dict[str, float]:
    """Each times 0.9 + 0.2 of its performance (0.5 where there is none), then to a sum of one."""
    grown = {name: weight * (0.9 + 0.2 * performance.get(name, NEUTRAL_PERFORMANCE)) for name, weight in old.items()}
    total = sum(grown.values())
    if not total > 0.0:
        raise ValueError("weights of timeframes must sum to more than nothing")
    return {name: weight / total for name, weight in grown.items()}
