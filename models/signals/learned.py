"""`AdaptiveStrategyWeights` and `FeatureImportanceTracker`: weights that learn from outcomes, remembered."""

from collections.abc import Generator, Mapping, Sequence
from typing import Protocol

import numpy as np

from models.signals.adaptive import INDICATORS, TIMEFRAMES, feature_weights, timeframe_weights, weighted_features

LEAST_OUTCOMES = 30  # a forest on fewer says nothing


class Weights(dict[str, float]):
    """Weights that are there already; people who know the call as a coroutine may await them all the same."""

    def __await__(self) -> Generator[None, None, "Weights"]:
        yield from ()
        return self


class Outcome(Protocol):
    """`live.SignalOutcome` is one."""

    @property
    def feature_names(self) -> tuple[str, ...]: ...

    @property
    def feature_vector(self) -> list[float]: ...

    @property
    def r_multiple(self) -> float: ...


class AdaptiveStrategyWeights:
    def __init__(self) -> None:
        self.timeframe_weights, self.indicator_weights = dict(TIMEFRAMES), dict(INDICATORS)

    def adapt_weights(self, performance_data: Mapping[str, float]) -> Weights:
        """From `M1_performance` and so on, one for each timeframe that there is something to tell of."""
        told = {name: performance_data[f"{name}_performance"] for name in self.timeframe_weights
                if f"{name}_performance" in performance_data}
        self.timeframe_weights = timeframe_weights(self.timeframe_weights, told)
        return Weights(self.timeframe_weights)


class FeatureImportanceTracker:
    def __init__(self, seed: int = 7) -> None:
        self.feature_weights: dict[str, float] = {}
        self._seed = seed

    def update_weights(self, outcomes: Sequence[Outcome] | Mapping[str, float]) -> Weights:
        """From outcomes, by a random forest; or from scores by feature that were worked out elsewhere."""
        scores = outcomes if isinstance(outcomes, Mapping) else self.calculate_feature_importance(outcomes)
        self.feature_weights = feature_weights(self.feature_weights, scores)
        return Weights(self.feature_weights)

    def calculate_feature_importance(self, outcomes: Sequence[Outcome]) -> dict[str, float]:
        """Each feature's share of what a random forest gains by it in telling the R of these outcomes. Nothing of fewer
        than 30 of one strategy's, whose features are the newest one's."""
        from models.gbm.importance import forest_shares

        names = outcomes[-1].feature_names if outcomes else ()
        known = [one for one in outcomes if one.feature_names == names and np.isfinite(one.r_multiple)]
        if not names or len(known) < LEAST_OUTCOMES:
            return {}
        return forest_shares(np.array([one.feature_vector for one in known], dtype=np.float64),
                             np.array([one.r_multiple for one in known]), names, self._seed)

    def get_weighted_features(self, raw_features: Mapping[str, float]) -> dict[str, float]:
        return weighted_features(raw_features, self.feature_weights)
