"""Ticks to minutes: by hand, against sorting them all, and over a local server that speaks the vendor's wire."""

import datetime as dt
import json
import math
import threading
from typing import Any

import numpy as np
import pytest
from websockets.sync.server import ServerConnection

from live.adapters.feed_stream import FeedRefused
from live.adapters.ticks_polygon import PolygonTicks
from live.clock import TapeClock, from_us
from live.secret import Secret
from live.tick_stream import TickStream, polygon_ticks
from live.ticks import GRACE_US, MINUTE_US, MinuteBar, Minutes, Quote, Tick
from tests.test_live.wires import KEY, PolygonSocket, polygon_socket

T0 = 1_750_944_600_000_000  # a whole minute
S = 1_000_000


def minutes(since_us: int = T0) -> Minutes:
    made = Minutes()
    made.heard(since_us)
    return made


def test_a_minute_by_hand() -> None:
    made = minutes()
    for tick in (Quote("A", T0 + 10 * S, 9.99, 10.01), Tick("A", T0 + 20 * S, 10.0, 100),
                 Quote("A", T0 + 40 * S, 9.9, 10.0), Tick("A", T0 + 41 * S, 12.0, 50, moves_price=False),
                 Tick("A", T0 + 50 * S, 10.5, 300),
                 Tick("A", T0 + 59 * S, 10.25, 100)):
        assert made.add(tick) == []
    (bar,) = made.until(T0 + MINUTE_US)
    assert bar[:7] == ("A", T0, 10.0, 10.5, 10.0, 10.25, 550.0)
    assert bar.vwap == pytest.approx((1000 + 600 + 3150 + 1025) / 550) and bar.trades == 4 and bar.whole
    assert bar.spread == pytest.approx((30 * 0.02 + 20 * 0.1) / 50)  # by the time that each stood
    assert made.bars("A") == [bar] and made.bars("B") == []
    made.add(Tick("A", T0 + 61 * S, 11.0, 1))
    (bar,) = made.until(T0 + 2 * MINUTE_US)
    assert bar.spread == pytest.approx(0.1)  # what was quoted still stands


def test_a_name_s_next_minute_closes_its_last_and_any_tick_what_is_a_grace_old() -> None:
    made = minutes()
    made.add(Tick("A", T0 + S, 1.0, 1))
    made.add(Tick("B", T0 + S, 2.0, 1))
    (first,) = made.add(Tick("A", T0 + MINUTE_US, 3.0, 1))
    assert first.instrument_id == "A" and made.bars("B") == []
    assert made.add(Tick("B", T0 + MINUTE_US - 1, 4.0, 1)) == []  # late by less than the grace, and of its own minute
    (second,) = made.add(Tick("A", T0 + MINUTE_US + GRACE_US, 3.0, 1))
    assert (second.instrument_id, second.high) == ("B", 4.0)
    assert made.add(Tick("B", T0 + S, 9.0, 1)) == [] and made.add(Tick("C", T0 + S, 9.0, 1)) == []
    assert made.counts["late"] == 2 and made.bars("B") == [second]


def test_minutes_that_a_lost_line_cut_are_marked_and_quotes_of_before_count_no_more() -> None:
    made = minutes(T0 + 5 * S)
    made.add(Quote("A", T0 + 6 * S, 1.0, 1.5))
    for minute in range(4):
        made.add(Tick("A", T0 + minute * MINUTE_US + 10 * S, 1.0, 1))
        if minute == 2:
            made.lost()
            made.heard(T0 + 2 * MINUTE_US + 30 * S)
    made.until(T0 + 4 * MINUTE_US)
    assert [bar.whole for bar in made.bars("A")] == [False, True, False, True]
    assert [math.isnan(bar.spread) for bar in made.bars("A")] == [False, False, True, True]


def test_odd_quotes_say_nothing_and_a_minute_without_a_price_has_no_bar() -> None:
    made = minutes()
    for bid, ask in ((2.0, 1.0), (1.0, 1.0), (0.0, 1.0), (1.0, math.inf)):
        made.add(Quote("A", T0 + S, bid, ask))
    made.add(Tick("A", T0 + 2 * S, 5.0, 10, moves_price=False))
    assert made.until(T0 + MINUTE_US) == []
    made.add(Tick("A", T0 + MINUTE_US, 5.0, 10))
    (bar,) = made.until(T0 + 2 * MINUTE_US)
    assert math.isnan(bar.spread) and bar.volume == 10.0


def test_random_ticks_make_the_bars_that_sorting_them_all_would() -> None:
    rng = np.random.default_rng(8)
    count = 3000
    at = T0 + np.sort(rng.integers(0, 12 * MINUTE_US, count))
    names, prices = rng.choice(["A", "B", "C"], count), rng.integers(90, 110, count) / 4.0
    sizes = rng.integers(1, 9, count)
    made = minutes()
    told: list[MinuteBar] = []
    for row in zip(names.tolist(), at.tolist(), prices.tolist(), sizes.tolist(), strict=True):
        told += made.add(Tick(*row))
    told += made.until(T0 + 12 * MINUTE_US)
    assert made.counts["late"] == 0 and len(told) == len({(one.instrument_id, one.start_us) for one in told}) == 36
    for bar in told:
        mine = (names == bar.instrument_id) & (at // MINUTE_US == bar.start_us // MINUTE_US)
        assert (bar.open, bar.close) == (prices[mine][0], prices[mine][-1])
        assert (bar.high, bar.low, bar.volume) == (prices[mine].max(), prices[mine].min(), sizes[mine].sum())
        assert bar.vwap == pytest.approx((prices * sizes)[mine].sum() / sizes[mine].sum()) and bar.trades == mine.sum()


def trade(symbol: str, at_us: int, price: Any, size: float = 100, conditions: Any = ()) -> dict[str, Any]:
    return {"ev": "T", "sym": symbol, "x": 4, "i": "1", "z": 3, "p": price, "s": size, "c": list(conditions),
            "t": at_us // 1000, "q": 1}


def quote(symbol: str, at_us: int, bid: float, ask: float) -> dict[str, Any]:
    return {"ev": "Q", "sym": symbol, "bx": 4, "bp": bid, "bs": 1, "ax": 7, "ap": ask, "as": 2, "c": 0,
            "t": at_us // 1000, "q": 1, "z": 3}


class Told:
    """Waits for minutes that a stream tells from its own thread."""

    def __init__(self) -> None:
        self.bars: list[MinuteBar] = []
        self._came = threading.Condition()

    def __call__(self, bar: MinuteBar) -> None:
        with self._came:
            self.bars.append(bar)
            self._came.notify_all()

    def wait(self, count: int) -> None:
        with self._came:
            assert self._came.wait_for(lambda: len(self.bars) >= count, 10)


def test_the_wire_s_trades_and_quotes_become_bars_and_a_lost_line_is_taken_up_again() -> None:
    def first(line: ServerConnection) -> None:
        line.send(json.dumps([
            quote("SPY", T0 + S, 9.0, 10.0), trade("SPY", T0 + 2 * S, 10.0), trade("ZZ", T0 + 2 * S, 10.0), 7,
            trade("SPY", T0 + 3 * S, 99.0, 5, [37]), trade("SPY", T0 + 3 * S, 99.0, 5, [16]),
            trade("SPY", 10**30, 1.0), trade("SPY", -(10**30), 1.0), trade("SPY", T0 + 3600 * S, 1.0),
            trade("SPY", T0 + 3 * S, None), trade("SPY", T0 + 3 * S, -1.0), {"ev": "AM", "sym": "SPY"},
            trade("QQQ", T0 + 4 * S, 20.0), trade("SPY", T0 + MINUTE_US, 11.0)]))
        told.wait(1)

    def second(line: ServerConnection) -> None:
        line.send(json.dumps([trade("SPY", T0 + MINUTE_US + 30 * S, 12.0), trade("SPY", T0 + 3 * MINUTE_US, 13.0)]))
        told.wait(3)
        line.recv(10)

    told, said = Told(), list[str]()
    socket = PolygonSocket([first, second])
    clock = TapeClock(from_us(T0))
    with polygon_socket(socket):
        wire = polygon_ticks(["SPY", "QQQ"], {"MASSIVE_API_KEY": KEY, "NIGHTDESK_POLYGON_SOCKET": socket.url})
        stream = TickStream(wire, clock=clock, on_bar=told, say=said.append, backoff_s=(0.0,))
        stream.start()
        told.wait(3)
        assert stream.running
        stream.stop()
    assert not stream.running and socket.subscribed == ["T.QQQ", "Q.QQQ", "T.SPY", "Q.SPY"]
    assert [(bar.instrument_id, bar.start_us - T0, bar.close, bar.volume, bar.whole) for bar in told.bars] == [
        ("SPY", 0, 10.0, 105.0, True), ("QQQ", 0, 20.0, 100.0, False), ("SPY", MINUTE_US, 12.0, 200.0, False)]
    assert told.bars[0].spread == 1.0 and math.isnan(told.bars[2].spread)
    assert [one.at_us - T0 for one in stream.ticks()] == [S, 2 * S, 3 * S, 4 * S, MINUTE_US, MINUTE_US + 30 * S,
                                                         3 * MINUTE_US]
    assert any("trying again" in word for word in said)
    clock.advance_us(T0 + 4 * MINUTE_US + GRACE_US)
    assert stream.bars("SPY")[-1].close == 13.0  # who asks closes what is over
    assert stream.counts()["trades"] == 6 and stream.counts()["bad_time"] == 3


def test_a_refused_key_is_told_at_once_and_a_missing_one_before_anything_is_asked() -> None:
    with polygon_socket(PolygonSocket([lambda line: None], key="another")) as socket:
        stream = TickStream(PolygonTicks(Secret(KEY), {"SPY": "SPY"}, socket.url), say=lambda word: None)
        with pytest.raises(FeedRefused, match="auth_failed"):
            stream.start()
        stream.stop()
    with pytest.raises(ValueError, match="MASSIVE_API_KEY"):
        polygon_ticks(["SPY"], {})


def test_rings_do_not_grow() -> None:
    class Wire:
        def run(self, up: Any, bar: Any, ended: threading.Event) -> None:
            up()
            for minute in range(50):
                for second in range(20):
                    bar(Tick("A", T0 + minute * MINUTE_US + second * S, 1.0 + minute, 1.0))
            done.set()
            ended.wait(10)

    def broken(bar: MinuteBar) -> None:
        raise ZeroDivisionError("by hand")

    done = threading.Event()
    clock = TapeClock(from_us(T0) + dt.timedelta(minutes=49))
    said: list[str] = []
    stream = TickStream(Wire(), keep_minutes=10, keep_ticks=100, clock=clock, say=said.append, on_bar=broken)
    stream.start()
    assert done.wait(10)
    assert len(said) == 49 and "A's minute failed: ZeroDivisionError" in said[0]  # it cannot end the stream
    assert [bar.close for bar in stream.bars("A")] == [float(n) for n in range(40, 50)] and len(stream.ticks()) == 100
    stream.stop()
