"""The shells under familiar names: a table of bars in, the same answer as the rule over features, and the seeds' own
formulas where these are right."""

import math

import numpy as np
import pandas as pd
import pytest

from models.signals import (
    AdaptiveStrategyWeights,
    AdvancedSignalGenerator,
    FeatureImportanceTracker,
    MarketRegime,
    MeanReversionAlphaModel,
    MomentumAlphaModel,
    RegimeDetector,
)
from models.signals.momentum import Momentum
from models.signals.reversion import MeanReversion
from models.signals.seeds import panel_of_bars
from tests.test_models.little_bars import bars


def frame(seed: int = 7, sessions: int = 420) -> pd.DataFrame:
    return pd.DataFrame(bars(seed, sessions))


def trending(step: float) -> pd.DataFrame:
    """A price that goes one way nearly every day."""
    moves = step * (1.0 + 0.4 * np.sin(np.arange(300)))
    close = 50.0 * np.cumprod(1.0 + moves)
    return pd.DataFrame({"high": close * 1.004, "low": close * 0.996, "close": close})


def vam_as_written(close: np.ndarray) -> float:
    """Mean over four look-backs of decayed log returns over their deviation."""
    moves, found = np.diff(np.log(close)), []
    for count in (5, 10, 20, 60):
        weights = np.exp(-0.1 * np.arange(count))[::-1]
        recent = moves[-count:]
        found.append((weights / weights.sum() * recent).sum() / recent.std())
    return float(np.mean(found))


@pytest.mark.parametrize("step", [0.004, -0.004])
def test_momentum_is_the_formula_as_written_where_there_is_a_trend(step: float) -> None:
    table = trending(step)
    said = MomentumAlphaModel().generate_signal(table)
    vam = vam_as_written(table["close"].to_numpy())
    assert said.regime_filter == "TRENDING" and said.components["vam"] == pytest.approx(vam, rel=1e-9)
    assert said.value == pytest.approx(np.clip(vam, -3, 3) / 3, rel=1e-9) and math.copysign(1.0, step) * said.value > 0
    assert said.confidence == min((said.components["adx"] - 25.0) / 25.0, 1.0) > 0.5


def test_shells_are_the_rules_over_the_registered_features() -> None:
    table = frame()
    for end in (300, 350, 420):
        part = table.iloc[:end]
        for shell, rule in ((MomentumAlphaModel(), Momentum()), (MeanReversionAlphaModel(), MeanReversion())):
            panel = panel_of_bars(table, rule.features, 421 - 300)
            assert shell.generate_signal(part) == rule.signal(panel).at(end - 300, 0)


def test_reversion_fades_a_fall_out_of_a_mean_reverting_price() -> None:
    rng, level = np.random.default_rng(5), np.zeros(400)
    for at in range(1, 400):
        level[at] = 0.3 * level[at - 1] + 0.01 * rng.standard_normal()
    close = 100.0 * np.exp(level)
    close[-1] = close[-20:-1].mean() - 4.0 * close[-20:-1].std()
    said = MeanReversionAlphaModel().generate_signal({"close": close})
    recent = close[-20:]
    assert said.components["zscore"] == pytest.approx((close[-1] - recent.mean()) / recent.std())
    assert said.components["hurst"] < 0.5 and said.value == 1.0 and said.regime_filter == "MEAN_REVERTING"
    assert said.confidence == pytest.approx((0.5 - said.components["hurst"]) / 0.5)


def test_too_few_bars_say_nothing() -> None:
    said = MomentumAlphaModel().generate_signal(frame(sessions=100))
    assert (said.value, said.confidence, said.regime_filter) == (0.0, 0.0, "NO_DATA")
    (signal,) = AdvancedSignalGenerator().generate_signals(frame(sessions=10))
    assert signal.type == "hold" and signal.stop_loss is None


def test_another_choice_of_look_backs_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="another version of the feature"):
        MomentumAlphaModel(lookbacks=(5, 10))
    with pytest.raises(ValueError, match="zscore_20"):
        MeanReversionAlphaModel(lookback=50)


def test_the_detector_remembers_a_year_of_volatilities() -> None:
    detector = RegimeDetector()
    for at in range(300):
        assert detector.classify({"realised_vol": 0.15 + 1e-4 * (at % 50)}) in MarketRegime
    assert len(detector.vol_history) == 252
    assert detector.classify({"realised_vol": 0.9, "trend_direction": -0.6}) is MarketRegime.CRISIS
    assert detector.classify({"realized_vol": 0.17, "adx": 30.0, "hurst": 0.6, "trend_direction": 0.1}) \
        is MarketRegime.TRENDING_UP
    assert detector.get_strategy_weights(MarketRegime.HIGH_VOLATILITY) == {
        "momentum": 0.3, "mean_reversion": 0.2, "vol_breakout": 0.5}
    assert not any(detector.get_strategy_weights(MarketRegime.CRISIS).values())


def test_the_generator_gives_prices_for_stop_and_target() -> None:
    """A long rise whose last week keeps within its bands: trend voters agree, the others are silent."""
    table = frame(seed=3, sessions=400)
    drift = 1.0 + 0.0025 * np.arange(400)
    for column in ("open", "high", "low", "close"):
        table[column] *= drift
    found = [(end, AdvancedSignalGenerator().generate_signals(table.iloc[:end])[0]) for end in range(300, 401, 5)]
    entered = [(end, one) for end, one in found if one.type == "entry_long"]
    assert entered
    for end, one in entered:
        close = table["close"].iloc[end - 1]
        assert one.stop_loss is not None and one.take_profit is not None and one.risk_reward is not None
        assert one.stop_loss < close < one.take_profit and one.confidence > 0.7 and 0.0 < one.strength <= 1.0
        assert one.risk_reward == pytest.approx((one.take_profit - close) / (close - one.stop_loss))


def test_weights_of_timeframes_move_with_performance_and_sum_to_one() -> None:
    weights = AdaptiveStrategyWeights()
    assert weights.timeframe_weights == {"M1": 1.0, "M5": 2.0, "M15": 3.0, "M30": 4.0}
    weights.adapt_weights({"M1_performance": 1.0, "M30_performance": 0.0})
    total = 1.1 + 2.0 + 3.0 + 3.6
    assert weights.timeframe_weights == pytest.approx({"M1": 1.1 / total, "M5": 2 / total, "M15": 3 / total,
                                                       "M30": 3.6 / total})
    assert set(weights.indicator_weights.values()) == {1.0}


def test_weights_of_features_keep_seven_tenths_of_what_they_were() -> None:
    tracker = FeatureImportanceTracker()
    tracker.update_weights({"rsi": 1.0, "macd": 0.0})
    assert tracker.feature_weights == pytest.approx({"rsi": 0.65, "macd": 0.35})
    tracker.update_weights({"rsi": 0.5})
    assert tracker.feature_weights == pytest.approx({"rsi": 0.605, "macd": 0.35})
    assert tracker.get_weighted_features({"rsi": 2.0, "new": 3.0}) == pytest.approx({"rsi": 1.21, "new": 3.0})
