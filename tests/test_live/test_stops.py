"""Where stops stand and how a bar ends a position: by hand, and against whatever bars may come."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live.risk.stops import (
    Ending,
    Exit,
    Guarded,
    Ohlc,
    StopError,
    StopLossEngine,
    StopOrder,
    inside_bar,
    limit_fill,
    trailed,
)
from models.backtest.book import Rules
from models.backtest.market import Market
from models.backtest.stops import Stops
from models.backtest.vector import backtest
from models.intraday import StopRule

place = StopLossEngine().get_stop
LONG = StopOrder("fixed", 1, 100.0, 95.0, target=110.0)
SHORT = StopOrder("fixed", -1, 100.0, 105.0, target=90.0)


@pytest.mark.parametrize(("method", "params", "price"), [
    ("fixed", {"pct": 0.02}, 98.0), ("fixed", {"pct": 0.02, "side": -1}, 102.0),
    ("atr", {"atr": 1.5}, 97.0), ("atr", {"atr": 1.5, "multiple": 3, "side": -1}, 104.5),
    ("trailing", {"pct": 0.05}, 95.0), ("trailing", {"atr": 2.0, "multiple": 1.5}, 97.0),
    ("volume", {"levels": (99.0, 97.5, 101.0)}, 98.99), ("volume", {"levels": (99.0, 101.0), "side": -1}, 101.01),
    ("volume", {"levels": (5990.0, 98.0), "tick": 0.25, "buffer_ticks": 2}, 97.5),
    ("fixed", {"pct": 0.0123}, 98.77), ("time", {"bars": 5}, None),
])
def test_each_method_puts_the_stop_where_one_would_by_hand(method: str, params: dict, price: float | None) -> None:
    stop = place(100.0, method, params)
    assert stop.price == price
    if price is not None:
        assert stop.distance == pytest.approx(abs(100.0 - price))


def test_a_target_stands_at_the_asked_multiple_of_the_risk() -> None:
    assert place(100.0, "fixed", {"pct": 0.02, "reward_risk": 2.5}).target == pytest.approx(105.0)
    assert place(100.0, "atr", {"atr": 1.0, "side": -1, "reward_risk": 2.5}).target == pytest.approx(95.0)


@pytest.mark.parametrize(("method", "params", "words"), [
    ("magic", {}, "known: fixed"), ("fixed", {}, "needs `pct`"), ("atr", {}, "needs `atr`"), ("time", {}, "`bars`"),
    ("fixed", {"pct": math.nan}, "pct is nan"), ("fixed", {"pct": 1.5}, "does not guard"),
    ("volume", {"levels": (101.0,)}, "no volume level"), ("fixed", {"pct": 0.1, "side": 0}, "side is 0"),
    ("atr", {"atr": -1.0}, "atr is -1"), ("trailing", {}, "`atr` or `pct`"),
])
def test_a_stop_that_cannot_guard_is_refused_in_plain_words(method: str, params: dict, words: str) -> None:
    with pytest.raises(StopError, match=words):
        place(100.0, method, params)


@pytest.mark.parametrize(("stop", "bar", "price", "ending"), [
    (LONG, Ohlc(100, 112, 94, 111), 95.0, "SL"),  # both in one bar: the stop
    (SHORT, Ohlc(100, 106, 88, 89), 105.0, "SL"),
    (LONG, Ohlc(93, 120, 92, 119), 93.0, "SL"),  # a gap fills at the open, on either side
    (LONG, Ohlc(112, 113, 80, 81), 112.0, "TP"),
    (SHORT, Ohlc(107, 108, 85, 86), 107.0, "SL"),
    (LONG, Ohlc(100, 110, 96, 109), None, None),  # touched, not traded through
    (LONG, Ohlc(100, 110.01, 96, 109), 110.0, "TP"),
    (LONG, Ohlc(110, 110, 110, 110), None, None),
    (SHORT, Ohlc(100, 101, 89.99, 91), 90.0, "TP"),
    (LONG, Ohlc(100, 101, 95, 96), 95.0, "SL"),  # a stop is a market order: the touch is enough
    (LONG, Ohlc(50, 50, 50, 50, volume=0), None, None),  # a halt
    (LONG, Ohlc(math.nan, 101, 90, 96), None, None),
    (LONG, Ohlc(100, 101, 99, 100), None, None),
])
def test_a_bar_ends_a_position_by_the_rule(stop: StopOrder, bar: Ohlc, price: float | None, ending: str | None) -> None:
    ended = inside_bar(stop, bar)
    assert (ended and ended.price, ended and ended.ending) == (price, ending)


def test_an_open_a_tick_beyond_the_target_fills_there_wherever_the_tick_lies() -> None:
    for cents in range(1_000, 20_000, 7):
        target, opened = cents / 100, (cents + 1) / 100  # floats make half of these gaps a hair less than a tick
        bar = Ohlc(opened, opened + 0.2, target - 2.0, opened)  # it falls to the stop later, too late
        stop = StopOrder("fixed", 1, target - 1.0, target - 1.5, target)
        assert inside_bar(stop, bar) == Exit(opened, Ending.TARGET), cents
        stops = Stops(StopRule("fixed", pct=0.1), 1)
        stops.level[:], stops.target[:] = target - 1.5, target
        assert stops.opening(np.array([1.0]), np.array([opened]), np.zeros(1), True)[0].all(), cents


def test_a_trailing_stop_follows_only_after_the_bar_and_never_back() -> None:
    stop = place(100.0, "trailing", {"pct": 0.05})
    held = Guarded.begin(stop)
    held, ended = held.stepped(Ohlc(100, 110, 99, 100))  # its own high would have moved the stop above its low
    assert ended is None and held.stop.price == 105.0 and trailed(held.stop, Ohlc(100, 100, 99, 99)) is held.stop
    held, ended = held.stepped(Ohlc(107, 108, 104, 107))
    assert ended is not None and (ended.price, ended.ending) == (105.0, Ending.STOP)
    assert (held.mfe, held.mae, held.r_of(ended.price)) == (10.0, -1.0, 1.0)


def test_time_up_fills_at_the_next_open_and_a_halt_is_no_bar() -> None:
    held = Guarded.begin(place(100.0, "time", {"bars": 2}))
    for bar in (Ohlc(100, 101, 99, 100), Ohlc(0, 0, 0, 0, volume=0), Ohlc(100, 103, 99, 102)):
        held, ended = held.stepped(bar)
        assert ended is None
    held, ended = held.stepped(Ohlc(102.5, 104, 101, 103))
    assert ended is not None and (ended.price, ended.ending) == (102.5, Ending.TIMEOUT)
    assert held.r_of(102.5, atr14_usd=1.25) == 2.0 and math.isnan(held.r_of(102.5))


def test_a_limit_needs_a_trade_through_it_and_takes_a_tenth_of_the_bar() -> None:
    assert limit_fill(1, 99.0, 500, Ohlc(100, 101, 99.0, 100, 10_000)) is None
    assert limit_fill(1, 99.0, 500, Ohlc(100, 101, 98.99, 100, 10_000)) == (500, 99.0)
    assert limit_fill(1, 99.0, 5_000, Ohlc(100, 101, 98.99, 100, 10_000)) == (1_000, 99.0)
    assert limit_fill(-1, 99.0, 500, Ohlc(100, 101, 98, 100, 10_000)) == (-500, 100)
    assert limit_fill(-1, 99.0, 500, Ohlc(100, 101, 98, 100, 0)) is None


def test_a_judged_book_stops_where_live_would_on_the_same_bars() -> None:
    """One position from its entry on, by every method, long and short, through gaps and halts."""
    chance, ended = np.random.default_rng(0), set()
    for case in range(24):
        count, side, method = 60, 1 if case % 2 else -1, ("fixed", "atr", "trailing", "time")[case % 4]
        close = np.round(50 * np.exp(np.cumsum(chance.normal(0, 0.02, count))), 2)
        opened = np.round(np.r_[close[0], close[:-1]] * np.exp(chance.normal(0, 0.01, count)), 2)
        high, low = (np.round(edge(opened, close) * (1 + sign * 0.01 * chance.random(count)), 2)
                     for edge, sign in ((np.maximum, 1), (np.minimum, -1)))
        volume = np.where(chance.random(count) < 0.1 * (np.arange(count) > 32), 0.0, 1e6)
        days = np.datetime64("2024-01-02") + np.arange(count)
        bars = {"open": opened, "high": high, "low": low, "close": close, "volume": volume,
                "split_factor": np.ones(count), "total_return_factor": np.ones(count)}
        market = Market.from_bars(days, ("A",), {name: values[:, None] for name, values in bars.items()})
        rule = StopRule(method, pct=0.03 if method == "fixed" else None, multiple=1.5,  # type: ignore[arg-type]
                        bars=6 if method == "time" or case % 3 == 0 else None,
                        reward_risk=None if method == "time" or case % 2 else 2.0)
        weights = np.where(np.arange(count - 1) > 30, 0.1 * side, 0.0)[:, None]
        book = backtest(market, weights, rules=Rules(stop=rule)).book
        first = int(np.flatnonzero(book.trades[:, 0])[0])
        told = {"side": side, "pct": rule.pct, "atr": market.atr_usd[first, 0], "multiple": rule.multiple,
                "reward_risk": rule.reward_risk, "bars": rule.bars}
        held = Guarded.begin(place(opened[first], method, {name: one for name, one in told.items() if one is not None}))
        expected = None
        for row in range(first, count - 1):
            held, gone = held.stepped(Ohlc(opened[row], high[row], low[row], close[row], volume[row]))
            if gone is not None:
                expected = (row, gone.price)
                ended.add(gone.ending)
                break
        rows = np.flatnonzero((book.stopped[first:, 0] != 0) | ((book.trades[first:, 0] * side < 0)
                                                               & (book.shares[first:, 0] == 0)))
        row = first + int(rows[0]) if len(rows) else -1
        price = book.stop_price[row, 0] if book.stopped[row, 0] else opened[row]
        assert (None if row < 0 else (row, pytest.approx(price, abs=1e-9))) == expected, case
    assert ended == set(Ending)


price = st.floats(50.0, 150.0)
bars = st.lists(st.tuples(price, price, price, price).map(lambda p: Ohlc(p[0], max(p), min(p), p[3])), max_size=12)


@settings(max_examples=200, deadline=None)
@given(bars, st.sampled_from([1, -1]), st.sampled_from(["fixed", "atr", "trailing"]), st.floats(0.5, 4.0))
def test_no_stop_fills_better_than_it_stood_and_none_that_was_touched_is_missed(
    path: list[Ohlc], side: int, method: str, ratio: float
) -> None:
    stop = place(100.0, method, {"side": side, "pct": 0.05, "atr": 2.5, "reward_risk": ratio, "bars": 8})
    held = Guarded.begin(stop)
    for bar in path:
        level, lived = held.stop.price, held.lived
        assert level is not None
        held, ended = held.stepped(bar)
        worst = bar.low if side > 0 else bar.high
        if ended is None:
            assert side * (worst - level) > 0 and lived < 8
            continue
        assert bar.low <= ended.price <= bar.high
        if ended.ending is Ending.STOP:
            assert side * (ended.price - level) <= 0
        if ended.ending is Ending.TARGET and ended.price != bar.open:
            assert side * (worst - level) > 0  # the stop came first wherever both were in reach
        return
