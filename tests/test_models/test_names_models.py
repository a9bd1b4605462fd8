"""Shells under the names that people know, held to the one implementation behind each."""

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import models
from models.features import VolumeProfileImbalanceDetector, VWAPBandsCalculator
from models.features.tape import kernels
from models.features.tape.window import Minutes
from models.market.prints import LARGE_LOTS
from models.market.tape import session_row
from models.portfolio import Allocation, BacktestEngine, Known, PortfolioBacktester, PortfolioOptimizer
from models.portfolio.allocation import METHODS
from models.signals import MeanReversionAlphaModel, MomentumAlphaModel
from models.signals.seeds import panel_of_bars
from models.validation import WalkForwardValidator, monte_carlo
from models.volatility_sizer import VolatilityTargetedSizer
from models.voltarget import VolatilityTarget, cap_portfolio_vol, portfolio_vol
from tests.test_models.little_bars import bars
from tests.test_models.test_market_tape import SESSION, tape


def test_the_sizer_is_volatility_targeting() -> None:
    sizer, target = VolatilityTargetedSizer(), VolatilityTarget()
    returns = np.random.default_rng(3).normal(0.0, 0.02, 60)
    assert sizer.calculate_realized_vol(returns) == target.realized_vol(returns)
    assert sizer.calculate_realized_vol(returns, annualize=False) == target.realized_vol(returns) / math.sqrt(252)
    told = sizer.size_position(1.0, 0.30, 100_000.0)
    assert told == target.size(1.0, 0.30, 100_000.0)
    assert (told.percent_of_nav, told.dollar_amount) == (0.5, 50_000.0)
    assert sizer.size_position(1.0, 0.01, 1e5, 2.0).capped and sizer.size_position(0.01, 0.9, 1e5).dollar_amount == 0.0


@pytest.mark.parametrize(("vol", "together"), [(0.30, 0.30), (0.05, 0.05)])
def test_two_assets_that_move_as_one_are_as_wild_together_as_each(vol: float, together: float) -> None:
    """The product of scalar and target would tell 7.5 % of two assets of 30 %, and 45 % of two of 5 %."""
    sizer, alike = VolatilityTargetedSizer(), np.ones((2, 2))
    held = {name: models.PositionSize(0.5, 5e5, 0.15 / vol, 1.0, False) for name in "ab"}
    assert portfolio_vol(np.array([0.5, 0.5]), np.array([vol, vol]), alike) == pytest.approx(together)
    told = sizer.adjust_for_correlation(held, alike, max_portfolio_vol=0.5 * together)
    assert told == cap_portfolio_vol(held, [0.15 / one.vol_scalar for one in held.values()], alike, 0.5 * together)
    assert [one.percent_of_nav for one in told.values()] == pytest.approx([0.25, 0.25])
    assert held["a"].percent_of_nav == 0.5  # what was given stays what it was
    assert sizer.adjust_for_correlation(held, alike, 2.0 * together) == held


def test_an_asset_beyond_the_bounds_is_told_as_it_is() -> None:
    sizer = VolatilityTargetedSizer()
    held = {"a": sizer.size_position(1.0, 3.0, 1e6)}  # sized as if it were at the ceiling of 100 %
    alone = np.ones((1, 1))
    assert sizer.adjust_for_correlation(held, alone, 0.15)["a"].percent_of_nav == pytest.approx(0.15)
    assert sizer.adjust_for_correlation(held, alone, 0.15, [3.0])["a"].percent_of_nav == pytest.approx(0.05)


def test_shuffled_trades_tell_how_deep_other_orders_fell() -> None:
    trades = np.random.default_rng(1).normal(0.001, 0.02, 80)
    told = WalkForwardValidator().monte_carlo(trades.tolist(), 200)
    assert told == monte_carlo(trades, 200, seed=7).max_drawdown and told.low <= told.median <= told.high


@pytest.mark.parametrize("method", METHODS)
def test_the_optimizer_is_the_allocation_by_name(method: str) -> None:
    moves = np.random.default_rng(5).normal(0.0008, 0.01, (130, 3))
    frame = pd.DataFrame(moves, columns=list("xyz"))
    told = PortfolioOptimizer().optimize(frame, method)
    assert list(told.values()) == Allocation(method=method).shares(moves).tolist() and list(told) == ["x", "y", "z"]
    assert 0.0 < sum(told.values()) <= 1.0 + 1e-12
    with pytest.raises(ValueError, match="finite"):
        PortfolioOptimizer().optimize({"x": [0.1, math.nan]})


def test_bands_are_those_of_the_tape_s_features() -> None:
    rng = np.random.default_rng(2)
    close = 100.0 + np.cumsum(rng.normal(0.0, 0.1, 60))
    volume = rng.integers(0, 50, 60).astype(float)
    turnover = volume * (close + rng.normal(0.0, 0.05, 60))
    frame = pd.DataFrame({"close": close, "volume": volume, "turnover": turnover})
    window = Minutes({name: np.ascontiguousarray(frame[name].to_numpy())[None, None] for name in frame})
    for span in (20, 30):
        told = VWAPBandsCalculator().calculate_vwap_bands(frame, span)
        with np.errstate(divide="ignore", invalid="ignore"):
            assert told["price_position"] == kernels.vwap_position(window, span)[0, 0]
            assert told["slope"] == kernels.vwap_slope(window, span)[0, 0]
        assert told["vwap"] == pytest.approx(turnover[-span:].sum() / volume[-span:].sum())
        deviation = told["sd1_up"] - told["vwap"]
        assert deviation > 0 and told["sd2_up"] - told["vwap"] == pytest.approx(2 * deviation)
        assert told["vwap"] - told["sd1_down"] == pytest.approx(deviation)
        assert (close[-1] - told["vwap"]) / deviation == pytest.approx(told["price_position"])


def test_bands_by_hand_of_a_table_without_turnover_and_of_too_few_bars() -> None:
    frame = {"high": [11.0, 13.0], "low": [9.0, 11.0], "close": [10.0, 12.0], "volume": [1.0, 3.0]}
    told = VWAPBandsCalculator().calculate_vwap_bands(frame, 2)
    assert told["vwap"] == 11.5 and told["sd1_up"] == pytest.approx(11.5 + math.sqrt(0.75))
    assert math.isnan(told["slope"])
    assert all(map(math.isnan, VWAPBandsCalculator().calculate_vwap_bands(frame).values()))
    with pytest.raises(ValueError, match="finite close"):
        VWAPBandsCalculator().calculate_vwap_bands({**frame, "close": [10.0, math.nan]}, 2)


def profile(trades: pa.Table, tick: float) -> dict[str, object]:
    told: dict[str, dict[float, int]] = {"volumes": {}, "delta": {}, "large": {}}
    for price, size, side in zip(*(trades[name].to_pylist() for name in ("price", "size", "side")), strict=True):
        signed = {"B": size, "A": -size}.get(side, 0)
        for name, lots in (("volumes", size), ("delta", signed), ("large", size if size > LARGE_LOTS else 0)):
            told[name][price] = told[name].get(price, 0) + lots
    return {"tick": tick, **told}


def test_imbalances_are_those_of_the_session_s_row() -> None:
    rng = np.random.default_rng(11)
    for _ in range(20):
        count = int(rng.integers(3, 60))
        prices, sizes = 100.0 + 0.25 * rng.integers(-12, 13, count), rng.choice([1, 7, 40, 150], count)
        sides = rng.choice([*"BAN"], count)
        rows = list(zip(range(count), prices.tolist(), sizes.tolist(), sides.tolist(), strict=True))
        trades = tape(*rows)
        row = session_row(trades, SESSION, 0.25)
        told = VolumeProfileImbalanceDetector().detect_imbalances(profile(trades, 0.25))
        assert sum(zone["volume"] for zone in told["accumulation_zones"]) == row["accumulation_volume"]
        assert sum(zone["volume"] for zone in told["distribution_zones"]) == row["distribution_volume"]
        assert (told["institutional_levels"] or [None])[0] == row["institutional_price"]
        levels = round((row["high"] - row["low"]) / 0.25) + 1
        empty = sum(round((gap["high"] - gap["low"]) / 0.25) + 1 for gap in told["volume_gaps"])
        assert empty / levels == pytest.approx(row["gap_share"])
        whole = sum(size for _, _, size, _ in rows)
        assert told["imbalance_strength"] == (row["accumulation_volume"] - row["distribution_volume"]) / whole


def test_a_profile_that_does_not_say_who_pressed_has_no_zones() -> None:
    told = VolumeProfileImbalanceDetector().detect_imbalances({"tick": 0.5, "volumes": {10.0: 5, 12.0: 1}})
    assert told["accumulation_zones"] == told["distribution_zones"] == told["institutional_levels"] == []
    assert told["volume_gaps"] == [{"low": 10.5, "high": 11.5, "volume": 0.0}]
    assert math.isnan(told["imbalance_strength"])


def test_the_alphas_parts_are_the_features() -> None:
    table = pd.DataFrame(bars(7, 420))
    close = table["close"].to_numpy()
    said = MomentumAlphaModel().generate_signal(table)
    momentum, reversion = MomentumAlphaModel(), MeanReversionAlphaModel()
    moves = np.diff(np.log(close))
    parts = [momentum.calculate_vam(moves, count) for count in (5, 10, 20, 60)]
    assert np.mean(parts) == pytest.approx(said.components["vam"], rel=1e-12)
    assert math.isnan(momentum.calculate_vam(moves[:9], 10))
    assert momentum.calculate_adx(table["high"], table["low"], close) == said.components["adx"]
    panel = panel_of_bars(table, ("statistical_v1:hurst_256", "equity_v1:zscore_20"))
    assert reversion.calculate_hurst(close) == panel.values[-1, 0, 0]
    assert reversion.calculate_zscore(close) == panel.values[-1, 0, 1]
    assert math.isnan(reversion.calculate_hurst(close[:200]))
    with pytest.raises(ValueError, match="declare another"):
        momentum.calculate_adx(table["high"], table["low"], close, 10)


class Half:
    """Half of the capital in the name that rose most over a week."""

    def weights(self, known: Known) -> np.ndarray:
        told = np.zeros(len(known.names))
        told[int(np.argmax(known.close[-1] / known.close[-6]))] = 0.5
        return told


def test_one_strategy_s_engine_is_the_backtester_s_with_nothing_beside_it() -> None:
    days = pd.date_range("2024-01-01", periods=120, freq="B")
    data = {name: pd.DataFrame(bars(seed, 120), index=days) for seed, name in enumerate("XYZ")}
    told = BacktestEngine().run(Half(), data, "weekly")
    whole = PortfolioBacktester(allocation="equal").run({"one": Half()}, data, "weekly")
    assert set(told) == {"equity", "positions", "trades"} and len(told["trades"]) > 3
    for name, frame in whole.alone["one"].frames().items():
        pd.testing.assert_frame_equal(told[name], frame)
