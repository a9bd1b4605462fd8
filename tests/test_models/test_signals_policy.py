"""What a regime or a context switches on: the meta-strategy, the policies, the trade gate, the horizons."""

import datetime as dt

import numpy as np
import pytest

from models.features.panel import FeaturePanel
from models.signals.horizons import Horizon
from models.signals.meta import RegimeSwitch, believed
from models.signals.policy import POLICIES, Gated, Policy, PolicySwitch, passes
from models.signals.votes import Voting
from tests.test_models.signal_panels import market, told

NONE = float("nan")
TREND = {"technical_v2__vam_decay": 1.5, "technical_v1__adx_14": 50.0}
FADE = {"equity_v1__zscore_20": -2.5, "technical_v1__bollinger_position": -1.25, "statistical_v1__hurst_256": 0.25}


def of(columns: dict[str, float], count: int, **more: list[float]) -> FeaturePanel:
    return told(**{**{name: [value] * count for name, value in columns.items()}, **more})


def test_chop_with_high_volatility_switches_from_trend_to_reversion() -> None:
    panel = of({**TREND, **FADE}, 5, hmm__Bull=[0.7, 0.1, 0.1, 0.1, NONE], hmm__Bear=[0.1, 0.7, 0.1, 0.1, 0.3],
               hmm__HighVol_Chop=[0.1, 0.1, 0.7, 0.1, 0.3], hmm__LowVol_Chop=[0.1, 0.1, 0.1, 0.7, 0.4])
    said = RegimeSwitch().signal(panel)
    assert said.value[0] == pytest.approx([0.5, 0.5, 1.0, (0.5 + 0.5) / 1.5, 0.0])  # half each: .5 of full, 1 of half
    assert said.confidence[0] == pytest.approx([1.0, 1.0, 0.5, 0.75, 0.0])
    assert said.sizes[0, :4].tolist() == [1.25, 1.0, 1.0, 1.0]
    assert said.components["stop_scale"][0, :4].tolist() == [1.0, 1.0, 0.75, 1.5]
    assert said.at(0, 4).regime_filter == "NO_DATA"


def test_the_likeliest_state_is_believed() -> None:
    state, known = believed(np.array([[0.2, 0.5, 0.2, 0.1], [NONE, 1.0, 0.0, 0.0]]))
    assert state[0] == 1 and known.tolist() == [True, False]


def context(**more: list[float]) -> FeaturePanel:
    usual = {**TREND, **FADE, "equity_v1__rv_20": 0.25, "technical_v1__sma_gap_50": 0.1,
             "positioning_v1__pinned": 0.0, "positioning_v1__pin_1_distance": 0.002, "options_v1__share_0dte": 0.5}
    count = len(next(iter(more.values())))
    return of({name: value for name, value in usual.items() if name not in more}, count, **more)


def test_a_pin_comes_first_then_trend_then_memory_and_else_nothing() -> None:
    panel = context(positioning_v1__pinned=[1.0, 1.0, 0.0, 0.0, NONE],
                    options_v1__share_0dte=[0.3, 0.29, 0.5, 0.5, NONE],
                    technical_v1__adx_14=[50.0, 50.0, 20.0, 20.0, 50.0],
                    statistical_v1__hurst_256=[0.25, 0.25, 0.25, 0.6, 0.25])
    switch = PolicySwitch()
    assert [POLICIES[at] for at in switch.policies(panel)[0]] == [
        Policy.PINNING, Policy.TREND, Policy.MEAN_REVERSION, Policy.ASIDE, Policy.TREND]
    said = switch.signal(panel)
    assert said.value[0] == pytest.approx([0.4, 0.5, 1.0, 0.0, 0.5])
    assert said.confidence[0] == pytest.approx([0.4, 1.0, 0.5, 0.0, 1.0])
    assert [said.at(0, at).regime_filter for at in range(4)] == ["PINNING", "TRENDING", "MEAN_REVERTING",
                                                                 "REGIME_FILTER"]


def test_a_weak_trend_is_none() -> None:
    panel = context(technical_v1__sma_gap_50=[0.1, 0.01, -0.1], statistical_v1__hurst_256=[0.6] * 3)
    assert [POLICIES[at] for at in PolicySwitch().policies(panel)[0]] == [Policy.TREND, Policy.ASIDE, Policy.TREND]


def test_the_gate_lets_through_what_is_surer_than_seven_tenths() -> None:
    assert passes(np.array([0.69, 0.7, 0.71])).tolist() == [False, False, True]
    panel = market(8)
    free, gated = Voting().signal(panel), Gated(Voting()).signal(panel)
    sure = free.confidence > 0.7
    assert np.array_equal(gated.value, np.where(sure, free.value, 0.0)) and sure.any() and not sure.all()
    spoke = (free.value != 0.0) & ~sure
    assert {gated.at(*place).regime_filter for place in np.argwhere(spoke)} == {"THRESHOLD_FILTER"}


@pytest.mark.parametrize(("time", "expected"), [
    (dt.timedelta(seconds=20), Horizon.MICROSTRUCTURE), (dt.timedelta(minutes=5), Horizon.INTRADAY),
    (dt.timedelta(hours=6), Horizon.INTRADAY), (dt.timedelta(days=1), Horizon.SWING),
    (dt.timedelta(weeks=3), Horizon.SWING),
])
def test_a_horizon_follows_from_the_time_held(time: dt.timedelta, expected: Horizon) -> None:
    assert Horizon.holding(time) is expected
