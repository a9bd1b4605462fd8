"""A large order in parts: whole shares that add up, spread over minutes, and given up when they are not allowed."""

import datetime as dt
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.backtest import backtest
from live.fakes import ListFeed
from live.orders.slicing import portions, twap, vwap
from live.risk import Limits
from models.intraday import Intraday, Size, Slices
from models.signals.intraday import EmaCross
from models.strategy import StrategyConfig
from tests.test_live.test_inside import bundle, market, rows


@given(st.integers(-10**7, 10**7), st.lists(st.floats(0.0, 1e6), min_size=1, max_size=40).filter(lambda w: sum(w) > 0))
def test_parts_add_up_and_never_trade_the_other_way(quantity: int, weights: list[float]) -> None:
    parts = portions(quantity, weights)
    assert sum(parts) == quantity and all(part * quantity >= 0 for part in parts)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(abs(part) - abs(quantity) * weight / math.fsum(weights)) <= 1.0 + 1e-6 * abs(quantity)


def test_by_time_it_is_even_and_by_volume_it_follows_the_u() -> None:
    assert twap(100, 8) == [13, 13, 13, 13, 12, 12, 12, 12] and twap(-3, 2) == [-2, -1]
    morning = vwap(10_000, 60, 0.0, 390)
    assert morning == sorted(morning, reverse=True) and morning[0] > 1.5 * morning[-1]
    whole = vwap(100_000, 390, 0.0, 390)
    assert whole[0] > 3.5 * whole[195] and sum(whole) == 100_000


@pytest.mark.parametrize("method", ["twap", "vwap"])
def test_the_engine_spreads_an_order_over_the_coming_minutes(tmp_path: Path, method: str) -> None:
    slices = Slices(method, 6)  # type: ignore[arg-type]
    config = Intraday(every_minutes=15, rule=EmaCross(3, 8, short=True), size=Size("shares", 900), slices=slices)
    assert StrategyConfig.from_json(bundle(config).strategy.to_json()).intraday == config
    result = backtest(bundle(config), ListFeed(market()), tmp_path / "j.sqlite")
    told = [row for row in rows(tmp_path / "j.sqlite", "slicing") if "parts" in row]
    fills = rows(tmp_path / "j.sqlite", "fill")
    intents = {row["order_id"]: row for row in rows(tmp_path / "j.sqlite", "intent")}
    assert len(told) > 4 and result.trades
    for row in told:
        at = dt.datetime.fromisoformat(row["at"])
        mine = [fill for fill in fills if intents[fill["order_id"]]["decision_id"] == row["decision_id"]
                and fill["instrument_id"] == row["instrument_id"]]
        assert [fill["quantity"] for fill in mine] == row["parts"] and len(row["parts"]) == 6
        assert [dt.datetime.fromisoformat(fill["at"]) for fill in mine] == [
            at + dt.timedelta(minutes=minute) for minute in range(6)]


def test_what_is_left_is_given_up_when_the_account_may_only_reduce(tmp_path: Path) -> None:
    config = Intraday(rule=EmaCross(2, 5, short=True), size=Size("weight", 0.3), slices=Slices("twap", 60))
    limits = Limits(daily_loss_reduce=1e-6, daily_loss_halt=0.5)
    backtest(bundle(config), ListFeed(market(volume=1e6)), tmp_path / "j.sqlite", limits=limits)
    left = [row for row in rows(tmp_path / "j.sqlite", "slicing") if "left" in row]
    assert left and "REDUCING" in left[0]["reason"]
