"""Votes, what counts them, and the plan that comes of them, on names told one by one."""

import numpy as np
import pytest

from models.features.panel import FeaturePanel
from models.signals.factors import TYPES, MultiFactor
from models.signals.regimes import PRICE_REGIMES, PriceRegime
from models.signals.votes import TrendAndVolatility, Voting, tally, votes
from tests.test_models.signal_panels import told

NONE = float("nan")
RESTING = {"technical_v1__rsi": 50.0, "technical_v1__macd_histogram": 0.0, "technical_v1__sma_gap_50": 0.0,
           "technical_v1__bollinger_position": 0.0, "technical_v1__signed_volume_20": 0.0, "equity_v1__vam_20": 0.0,
           "equity_v1__zscore_20": 0.0, "equity_v1__rv_20": 0.25, "technical_v1__adx_14": 30.0,
           "equity_v1__atr_14": 0.02}
UP = {"technical_v1__macd_histogram": 0.1, "technical_v1__sma_gap_50": 0.01, "technical_v1__signed_volume_20": 0.2,
      "equity_v1__vam_20": 0.6}
STRETCHED = {"technical_v1__rsi": 75.0, "technical_v1__bollinger_position": 1.1, "equity_v1__zscore_20": 2.2}


def name(*changes: dict[str, float], sign: float = 1.0) -> dict[str, float]:
    """One name at rest but for these, in the mirror where `sign` is negative."""
    moved = {key: value for change in changes for key, value in change.items()}
    mirrored = {key: 100.0 - value if key.endswith("rsi") else -value for key, value in moved.items()}
    return {**RESTING, **(moved if sign > 0 else mirrored)}


def names(*each: dict[str, float]) -> FeaturePanel:
    return told(**{key: [one[key] for one in each] for key in RESTING})


def test_each_indicator_votes_beyond_its_reach_and_three_of_them_against_the_move() -> None:
    panel = names(name(UP, STRETCHED), name(UP, STRETCHED, sign=-1.0), name(),
                  name({"technical_v1__rsi": 70.0, "equity_v1__vam_20": 0.5, "technical_v1__macd_histogram": NONE}))
    found = {voter: side[0].tolist() for voter, side in votes(panel).items()}
    assert found["rsi"] == [-1.0, 1.0, 0.0, 0.0] and found["momentum"] == [1.0, -1.0, 0.0, 0.0]
    assert found["bands"] == found["reversion"] == [-1.0, 1.0, 0.0, 0.0]
    assert found["macd"][:3] == found["average"][:3] == found["volume"][:3] == [1.0, -1.0, 0.0]
    assert np.isnan(found["macd"][3])
    counted = tally(votes(panel))
    assert counted.voices[0].tolist() == [7, 7, 0, 0] and counted.side[0].tolist() == [1, -1, 0, 0]
    assert counted.agreeing[0, :2] == pytest.approx([4 / 7, 4 / 7]) and counted.known[0].tolist() == [7, 7, 7, 6]


def test_a_consensus_needs_seven_tenths_of_at_least_three_voices() -> None:
    two = {"technical_v1__macd_histogram": 0.1, "equity_v1__vam_20": 0.6}
    panel = names(name(UP), name(UP, sign=-1.0), name(UP, STRETCHED), name(two), name(dict.fromkeys(RESTING, NONE)),
                  name(UP, {"technical_v1__rsi": 75.0}))
    said = Voting().signal(panel)
    assert said.value[0].tolist() == [1.0, -1.0, 0.0, 0.0, 0.0, 1.0]
    assert said.confidence[0] == pytest.approx([1.0, 1.0, 0.0, 0.0, 0.0, 2 * 0.8 - 1])
    assert [said.at(0, at).regime_filter for at in (2, 3, 4)] == ["THRESHOLD_FILTER", "THRESHOLD_FILTER", "NO_DATA"]


def test_a_trend_is_followed_where_averages_agree_and_volatility_is_not_high() -> None:
    said = TrendAndVolatility().signal(told(
        technical_v1__sma_gap_50=[0.02, -0.02, 0.02, 0.02, 0.02, NONE],
        technical_v1__sma_gap_200=[0.05, -0.3, -0.1, 0.1, 0.1, 0.1], technical_v1__vol_regime=[0, -1, 0, 1, -1, 0]))
    assert said.value[0] == pytest.approx([0.5, -1.0, 0.0, 0.0, 1.0, 0.0])
    assert said.confidence[0] == pytest.approx([0.5, 1.0, 0.0, 0.0, 1.0, 0.0])
    assert [said.at(0, at).regime_filter for at in (2, 3, 5)] == ["THRESHOLD_FILTER", "REGIME_FILTER", "NO_DATA"]


def test_a_plan_says_what_to_do_how_strongly_and_where_it_ends() -> None:
    split = {**UP, **STRETCHED}
    del split["technical_v1__signed_volume_20"]  # three against three
    panel = names(name(UP), name(UP, sign=-1.0), name(split), name(), name(UP, {"equity_v1__atr_14": NONE}))
    plans = MultiFactor().plans(panel)
    assert [str(TYPES[at]) for at in plans.types[0]] == ["entry_long", "entry_short", "exit", "hold", "hold"]
    assert plans.strength[0] == pytest.approx([4 / 7, 4 / 7, 6 / 7, 0.0, 0.0])
    assert plans.confidence[0] == pytest.approx([1.0, 1.0, 0.5, 0.0, 0.0])
    assert plans.stop[0, :2] == pytest.approx([0.04, 0.04]) and plans.target[0, :2] == pytest.approx([0.1, 0.1])
    assert plans.reward_risk[0, :2] == pytest.approx([2.5, 2.5]) and np.isnan(plans.stop[0, 2:]).all()
    said = MultiFactor().signal(panel)
    assert said.value[0] == pytest.approx([4 / 7, -4 / 7, 0.0, 0.0, 0.0])


def test_stops_are_tighter_and_sizes_smaller_where_it_is_wild() -> None:
    """300 quiet rows, then one of triple volatility, and one of a tenth."""
    calm = name(UP)
    rows = [calm] * 300 + [{**calm, "equity_v1__rv_20": 0.75}, {**calm, "equity_v1__rv_20": 0.025,
                                                               "technical_v1__sma_gap_50": 1e-4}]
    for at, row in enumerate(rows[:300]):
        rows[at] = {**row, "equity_v1__rv_20": 0.25 + 1e-4 * (at % 7)}
    plans = MultiFactor().plans(told(**{key: [[row[key]] for row in rows] for key in RESTING}))
    assert [PRICE_REGIMES[at] for at in plans.regimes[-2:, 0]] == [PriceRegime.HIGH_VOLATILITY,
                                                                   PriceRegime.LOW_VOLATILITY]
    assert plans.stop[-2:, 0] == pytest.approx([0.03, 0.05]) and plans.size[-2:, 0].tolist() == [0.8, 1.0]
    assert plans.reward_risk[-2:, 0] == pytest.approx([10 / 3, 2.0])
