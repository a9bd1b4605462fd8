"""What each feature says, on bars small enough to check by hand."""

import numpy as np
import pytest

from models.features import cross
from models.features.compute import compute_batch, compute_tail
from models.features.inputs import derive
from models.features.panel import BarPanel
from models.features.registry import DAILY, FEATURES, families, named


def panel(close: list[list[float]], **columns: list[list[float]]) -> BarPanel:
    closes = np.array(close, dtype=np.float64)
    raw = {name: np.array(columns.get(name, close), dtype=np.float64) for name in ("open", "high", "low", "close")}
    raw["volume"] = np.array(columns.get("volume", np.full(closes.shape, 100.0)))
    for name in ("split_factor", "total_return_factor"):
        raw[name] = np.array(columns.get(name, np.ones(closes.shape)))
    days = np.datetime64("2024-01-01") + np.arange(len(closes))
    return BarPanel(days, tuple("ABCDEFG"[: closes.shape[1]]), derive("equity", raw))


def last(name: str, bars: BarPanel) -> np.ndarray:
    return compute_tail(bars, named((name,)))[name]


def test_returns_go_from_close_to_close() -> None:
    assert last("ret_1", panel([[100.0], [110.0]])) == pytest.approx([0.10])
    assert last("ret_5", panel([[100.0], [1], [1], [1], [1], [120.0]])) == pytest.approx([0.20])


def test_a_split_and_a_dividend_are_no_return() -> None:
    # 2-for-1 over night: price halves, forward factor doubles. Then a dividend of 1 on 50: factor times 50/49.
    bars = panel([[100.0], [50.0], [49.0]], total_return_factor=[[1.0], [2.0], [2.0 * 50 / 49]])
    assert compute_batch(bars, named(("ret_1",)))["ret_1"][1:, 0] == pytest.approx([0.0, 0.0])


def test_a_split_is_no_surge_of_volume() -> None:
    volume = [[100.0 + n % 2] for n in range(19)] + [[202.0]]
    split = [[1.0]] * 19 + [[2.0]]
    assert abs(last("volume_z_20", panel([[10.0]] * 20, volume=volume, split_factor=split))[0]) < 1.5
    assert last("volume_z_20", panel([[10.0]] * 20, volume=volume))[0] > 4.0


def test_ranks_and_residuals_compare_the_names_that_have_a_value() -> None:
    closes = [[100.0, 100.0, 100.0, np.nan]] + [[100.0] * 4] * 4 + [[110.0, 100.0, 90.0, 500.0]]
    assert last("rank_ret_5", panel(closes)) == pytest.approx([1.0, 0.5, 0.0, np.nan], nan_ok=True)
    assert last("resid_ret_5", panel(closes)) == pytest.approx([0.10, 0.0, -0.10, np.nan], nan_ok=True)


def test_ties_share_the_middle_rank() -> None:
    assert cross.rank(np.array([[3.0, 1.0, 3.0, 3.0, np.nan]])) == pytest.approx(
        np.array([[2 / 3, 0.0, 2 / 3, 2 / 3, np.nan]]), nan_ok=True
    )


def test_relative_strength_of_only_gains_is_100() -> None:
    assert last("rsi_14", panel([[100.0 + n] for n in range(15)])) == pytest.approx([100.0])
    assert last("rsi_14", panel([[100.0 + n % 2] for n in range(15)])) == pytest.approx([50.0])


def test_true_range_reaches_over_the_gap() -> None:
    closes = [[100.0]] * 14 + [[120.0]]
    low, high = [[99.0]] * 14 + [[119.0]], [[101.0]] * 14 + [[121.0]]
    # 13 ranges of 2, one of 121 - 100.
    assert last("atr_14", panel(closes, low=low, high=high)) == pytest.approx([(13 * 2 + 21) / 14 / 120])


def test_where_a_bar_closed() -> None:
    bars = panel([[10.0, 12.0, 11.0, 10.0]], high=[[12.0, 12.0, 12.0, 10.0]], low=[[10.0, 10.0, 10.0, 10.0]])
    assert last("close_location", bars) == pytest.approx([-1.0, 1.0, 0.0, 0.0])


def test_the_gap_is_open_against_the_close_before() -> None:
    assert last("overnight_gap", panel([[100.0], [104.0]], open=[[100.0], [103.0]])) == pytest.approx([0.03])


def test_volatility_of_a_steady_swing() -> None:
    closes = 100 * np.cumprod([1.0] + [1.01, 1 / 1.01] * 10)[:, None]
    moves = closes[1:, 0] / closes[:-1, 0] - 1
    assert last("rv_20", panel(closes.tolist())) == pytest.approx([np.sqrt(252 * np.mean(moves**2))])
    momentum = last("vam_20", panel((closes * np.linspace(1, 1.2, 21)[:, None]).tolist()))
    assert momentum[0] > 0


def test_the_market_is_on_every_row_with_a_bar() -> None:
    bars = panel([[100.0, 100.0, 100.0], [110.0, 90.0, np.nan]])
    assert last("mkt_ret_1", bars) == pytest.approx([0.0, 0.0, np.nan], nan_ok=True)


def test_declarations_are_whole() -> None:
    refs = [feature.ref for feature in FEATURES]
    assert len(refs) == len(set(refs))
    # A bare name is one feature in several versions, never two things.
    for feature in FEATURES:
        assert {other.family for other in FEATURES if other.name == feature.name} == {feature.family}
    assert len({feature.cells for feature in FEATURES if feature.view == "equity_v1"}) == 1
    assert tuple(feature.ref for feature in named(DAILY)) == DAILY and len(DAILY) == 22
    for feature in FEATURES:
        assert feature.look_back >= 1 and feature.inputs and feature.description.endswith("."), feature.name
        assert feature.view in families()
    with pytest.raises(KeyError, match="no such feature: ret_7"):
        named(("ret_7",))
