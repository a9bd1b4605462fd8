"""Rules on bars: a state that can be put away and taken up, one answer for many bars and for each, keys that stand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.intraday import Intraday, Size, StopRule
from models.signals.intraday import RULES, EmaCross, Reversion, sides
from models.strategy import StrategyConfig

closes = st.lists(st.floats(50.0, 150.0), min_size=1, max_size=60)


@given(closes, st.sampled_from([EmaCross(2, 5), EmaCross(3, 8, short=True), Reversion(6, 1.0)]), st.integers(0, 59))
def test_many_bars_at_once_are_the_bars_one_by_one_and_memory_is_all_there_is(
    path: list[float], rule: EmaCross | Reversion, cut: int
) -> None:
    told = sides(rule, np.array(path)[:, None])[:, 0]
    follower = rule.start()
    for row, close in enumerate(path):
        if row == cut:
            memory = tuple(json.loads(json.dumps(follower.memory)))
            follower = rule.start()
            follower.recall(memory)
        side = follower.step(close)
        assert (np.isnan(told[row]) and side is None) or told[row] == side


def test_a_cross_is_where_a_hand_written_loop_has_it() -> None:
    rng = np.random.default_rng(2)
    path = 100.0 * np.exp(np.cumsum(rng.normal(0, 0.001, 3_000)))
    fast = slow = path[0]
    was, side, expected = 0, np.nan, []
    for row, close in enumerate(path):
        fast, slow = fast + (close - fast) * (2 / 11), slow + (close - slow) * (2 / 21)
        now = 1 if fast > slow else -1
        if row >= 20 and was and now != was:
            side = 1.0 if now > 0 else 0.0
        was = now
        expected.append(side)
    np.testing.assert_array_equal(sides(EmaCross(), path[:, None])[:, 0], expected)


def test_reversion_leans_against_a_leap_until_it_is_back() -> None:
    calm = [100.0, 100.1] * 6
    path = np.array([*calm, 103.0, 102.9, 100.0, 100.05])[:, None]
    told = sides(Reversion(12, 2.0), path)[:, 0]
    assert np.isnan(told[10]) and told[11] == 0.0 and told[12] == told[13] == -1.0 and told[14] == 0.0


def test_a_strategy_says_in_its_slot_whether_it_decides_inside_the_session() -> None:
    inside = StrategyConfig(name="x", slot="intraday-equity", intraday=Intraday(
        rule=EmaCross(5, 9), size=Size("shares", 100), stop=StopRule("trailing", pct=0.01)))
    assert StrategyConfig.from_json(inside.to_json()) == inside
    for odd in ({"slot": "intraday-equity"}, {"intraday": Intraday()}):
        with pytest.raises(ValueError, match="slot"):
            StrategyConfig(name="x", **odd)  # type: ignore[arg-type]
    assert set(RULES) == {"ema_cross", "reversion"}


def test_a_daily_strategy_has_the_key_it_always_had() -> None:
    assert StrategyConfig(name="any").key().startswith("b8f219f5585844f8")
    assert "intraday" not in StrategyConfig(name="any").to_json()
