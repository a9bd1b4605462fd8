"""The confluence score: weights that sum to one, what is missing, the threshold and the ladder."""

import numpy as np
import pytest

from models.signals.confluence import BLOCKS, ITEMS, Confluence, between, ladder_size, ladder_step, normalised, score
from tests.test_models.signal_panels import told

NONE = float("nan")


def test_weights_are_normalised_and_each_block_keeps_its_own() -> None:
    """The technical items were told as 16 + 16 + 12 = 44 of a block of 27.5: they share it in that proportion."""
    weights = normalised()
    assert sum(weights.values()) == pytest.approx(1.0)
    for block, share in BLOCKS.items():
        assert sum(weights[item] for item in ITEMS[block]) == pytest.approx(share / 100.0)
    assert weights["gamma"] == pytest.approx(0.12) and weights["smart_money"] == pytest.approx(0.125)
    assert weights["vwap"] == pytest.approx(0.1) and weights["timeframes"] == pytest.approx(0.075)


def test_a_score_is_the_share_of_weight_on_the_stronger_side() -> None:
    bull = {item: np.array([1.0]) for item in normalised()}
    assert score(bull).percent[0] == pytest.approx(100.0)
    mixed = {**bull, "volume": np.array([-1.0]), "book": np.array([0.0])}
    told = score(mixed)  # 65 for, 20 against, 15 on both sides
    assert told.percent[0] == pytest.approx(65.0 + 7.5) and told.side[0] == 1.0 and told.known[0] == pytest.approx(1.0)
    bear = score({item: -side for item, side in mixed.items()})
    assert bear.percent[0] == pytest.approx(72.5) and bear.side[0] == -1.0


def test_what_is_missing_leaves_its_weight_to_the_others() -> None:
    found = score({"gamma": np.array([1.0, NONE]), "put_call": np.array([-1.0, NONE]), "volume": np.array([1.0, NONE])})
    assert found.known == pytest.approx([0.4, 0.0])
    assert found.percent == pytest.approx([100 * 0.32 / 0.4, 50.0]) and found.side.tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match="no such item: tea"):
        score({"tea": np.zeros(1)})


@pytest.mark.parametrize(("percent", "size", "name"), [
    (100.0, 2.0, "PREMIUM_SIGNAL"), (90.0, 2.0, "PREMIUM_SIGNAL"), (89.9, 1.5, "STRONG_SIGNAL"),
    (80.0, 1.5, "STRONG_SIGNAL"), (79.9, 1.0, "GOOD_SIGNAL"), (70.0, 1.0, "GOOD_SIGNAL"), (69.9, 0.5, "WEAK_SIGNAL"),
    (60.0, 0.5, "WEAK_SIGNAL"), (59.9, 0.0, "NO_TRADE"), (50.0, 0.0, "NO_TRADE"),
])
def test_the_ladder(percent: float, size: float, name: str) -> None:
    assert ladder_size(np.array([percent]))[0] == size and ladder_step(percent) == name


def test_a_ratio_of_puts_to_calls_is_bullish_below_and_bearish_above() -> None:
    assert between(np.array([0.5, 0.8, 1.0, 1.2, 2.0]), 0.8, 1.2) == pytest.approx([1.0, 1.0, 0.0, -1.0, -1.0])


COLUMNS = ("positioning_v1__gamma_balance", "options_v1__put_call_ratio", "options_v1__iv30",
           "positioning_v1__dealer_side", "auction_v1__volume_confirms", "auction_v1__large_net_share",
           "auction_v1__vwap_position", "auction_v1__tick_balance", "equity_v1__ret_1", "equity_v1__ret_5",
           "equity_v1__ret_20")


def test_a_session_is_traded_above_seventy_per_cent_and_by_the_ladder() -> None:
    bull = (1.0, 0.7, 0.12, 1.0, 1.0, 0.06, 3.0, 1.0, 0.01, 0.02, 0.03)
    bear = (-1.0, 1.3, 0.35, -1.0, 1.0, -0.06, -3.0, -1.0, -0.01, -0.02, -0.03)
    torn = (1.0, 0.7, 0.12, 1.0, -1.0, -0.06, 3.0, 1.0, 0.01, 0.02, 0.03)  # order flow against the rest
    bare = (NONE,) * 8 + (0.01, 0.02, 0.03)
    panel = told(**{name: [float(case[at]) for case in (bull, bear, torn, bare)] for at, name in enumerate(COLUMNS)})
    said = Confluence().signal(panel)
    assert said.value[0].tolist() == [1.0, -1.0, 0.0, 0.0]
    assert said.confidence[0] == pytest.approx([1.0, 1.0, 0.0, 0.0])
    assert said.sizes[0, :2].tolist() == [2.0, 2.0]
    assert [said.at(0, at).regime_filter for at in (2, 3)] == ["THRESHOLD_FILTER", "NO_DATA"]
    parts = said.at(0, 2).components
    assert parts["known"] == pytest.approx(0.85) and parts["score"] == pytest.approx(100 * 0.525 / 0.85)
    weaker = Confluence(at_least=60.0).signal(panel)
    assert weaker.value[0, 2] == 1.0 and weaker.sizes[0, 2] == 0.5
