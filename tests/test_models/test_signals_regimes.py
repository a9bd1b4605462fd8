"""Regimes by rule against the rules as they were written down, one name at a time."""

import numpy as np
import pytest
from scipy.stats import percentileofscore

from models.signals.regimes import (
    PRICE_REGIMES,
    REGIMES,
    STRATEGY_WEIGHTS,
    MarketRegime,
    PriceRegime,
    PriceRegimeRules,
    RegimeRules,
    percentile_of,
    price_regime_size,
    strategy_weights,
    trend_of,
)
from models.signals.seeds import RegimeDetector
from tests.test_models.signal_panels import market, told


def plainly(percentile: float, adx: float, hurst: float, trend: float) -> str:
    if percentile > 95 and trend < -0.5:
        return "CRISIS"
    if adx > 25 and hurst > 0.5:
        return "TRENDING_UP" if trend > 0 else "TRENDING_DOWN"
    if hurst < 0.5:
        return "MEAN_REVERTING"
    return "HIGH_VOLATILITY" if percentile > 75 else "LOW_VOLATILITY" if percentile < 25 else "NORMAL"


def test_the_detector_is_the_rule_as_it_was_written() -> None:
    rng = np.random.default_rng(1)
    asked = np.stack([rng.uniform(0, 100, 4000), rng.uniform(0, 50, 4000), rng.choice([0.4, 0.5, 0.6], 4000),
                      rng.uniform(-1, 1, 4000)])
    found = RegimeRules().classify(*asked)
    assert [str(REGIMES[at]) for at in found] == [plainly(*one) for one in asked.T]
    assert len(set(found.tolist())) == len(REGIMES)


@pytest.mark.parametrize(("percentile", "adx", "hurst", "trend", "expected"), [
    (96.0, 40.0, 0.7, -0.6, MarketRegime.CRISIS), (95.0, 40.0, 0.7, -0.6, MarketRegime.TRENDING_DOWN),
    (50.0, 25.0, 0.7, 0.9, MarketRegime.NORMAL), (50.0, 25.1, 0.7, 0.9, MarketRegime.TRENDING_UP),
    (80.0, 40.0, 0.5, 0.9, MarketRegime.HIGH_VOLATILITY), (75.0, 0.0, 0.5, 0.0, MarketRegime.NORMAL),
    (24.9, 0.0, 0.5, 0.0, MarketRegime.LOW_VOLATILITY), (99.0, np.nan, np.nan, np.nan, MarketRegime.HIGH_VOLATILITY),
])
def test_edges_of_regimes(percentile: float, adx: float, hurst: float, trend: float, expected: MarketRegime) -> None:
    (found,) = RegimeRules().classify(*(np.array([one]) for one in (percentile, adx, hurst, trend)))
    assert REGIMES[found] is expected


def test_shares_of_the_three_families_by_regime() -> None:
    found = strategy_weights(np.arange(len(REGIMES)))
    assert found.tolist() == [[0.7, 0.1, 0.2], [0.7, 0.1, 0.2], [0.1, 0.7, 0.2], [0.3, 0.2, 0.5], [0.4, 0.5, 0.1],
                              [0.0, 0.0, 0.0], [0.4, 0.4, 0.2]]
    assert all(sum(shares) in (0.0, pytest.approx(1.0)) for shares in STRATEGY_WEIGHTS.values())


def test_a_percentile_is_that_of_scipy_over_the_last_year() -> None:
    values = np.random.default_rng(3).lognormal(size=(400, 2))
    values[37, 0] = np.nan
    found = percentile_of(values)
    for row in (19, 60, 251, 252, 399):
        for name in range(2):
            past = values[max(0, row - 251) : row + 1, name]
            assert found[row, name] == pytest.approx(
                percentileofscore(past[np.isfinite(past)], values[row, name], kind="weak"))
    assert found[37, 0] == 50.0 and (found[:19] == 50.0).all()


def test_a_volatility_that_never_changes_is_neither_high_nor_a_crisis() -> None:
    still = percentile_of(np.full((300, 1), 0.15))
    assert (abs(still - 50.0) < 3.0).all()
    found = PriceRegimeRules().classify(still[-1], np.array([0.0]), np.array([np.nan]))
    assert PRICE_REGIMES[found[0]] is PriceRegime.NEUTRAL
    detector = RegimeDetector()
    falling = {"realized_vol": 0.15, "adx": 10.0, "hurst": 0.5, "trend_direction": -0.9}
    assert {detector.classify(falling) for _ in range(60)} == {MarketRegime.NORMAL}


def test_a_trend_is_a_gap_in_moves_of_fifty_sessions() -> None:
    panel = told(technical_v1__sma_gap_50=[0.05, -0.5, 0.1, np.nan], equity_v1__rv_20=[0.252, 0.1, 0.0, 0.2])
    assert trend_of(panel)[0] == pytest.approx([0.05 / (0.252 * np.sqrt(50 / 252)), -1.0, np.nan, np.nan], nan_ok=True)


@pytest.mark.parametrize(("percentile", "adx", "trend", "expected", "size"), [
    (95.0, 40.0, 0.9, PriceRegime.HIGH_VOLATILITY, 0.8), (50.0, 30.0, 0.5, PriceRegime.STRONG_UPTREND, 1.2),
    (50.0, 30.0, -0.7, PriceRegime.STRONG_DOWNTREND, 1.2), (50.0, 20.0, 0.9, PriceRegime.UPTREND, 1.0),
    (50.0, 30.0, -0.2, PriceRegime.DOWNTREND, 1.0), (5.0, 30.0, 0.1, PriceRegime.LOW_VOLATILITY, 1.0),
    (50.0, 30.0, 0.1, PriceRegime.NEUTRAL, 1.0), (50.0, np.nan, np.nan, PriceRegime.NEUTRAL, 1.0),
])
def test_seven_regimes_of_a_price_and_their_sizes(
        percentile: float, adx: float, trend: float, expected: PriceRegime, size: float) -> None:
    found = PriceRegimeRules().classify(*(np.array([one]) for one in (percentile, adx, trend)))
    assert PRICE_REGIMES[found[0]] is expected and price_regime_size(found)[0] == size


def test_a_panel_is_classified_from_a_year_of_it() -> None:
    panel = market(11)
    for rules in (RegimeRules(), PriceRegimeRules()):
        whole = rules.of_panel(panel)
        assert np.array_equal(rules.of_panel(panel.upto(311).tail(rules.history))[-1], whole[310])
        assert len(set(whole.ravel().tolist())) >= 5
