"""`RealTimeStreamer` over a local socket and the embedded market: bars of the session, and where the market stands."""

import datetime as dt
import json
import math
import threading
from typing import Any

import pytest
from websockets.sync.server import ServerConnection

from live.clock import TapeClock, from_us
from live.ticks import GRACE_US, MINUTE_US, Tick
from models.signals import AdvancedSignalGenerator
from pipelines import QuantPlatformOptimized, calendars
from pipelines.vendors import RealTimeStreamer
from tests.test_live.test_tick_stream import Told, quote, trade
from tests.test_live.wires import KEY, PolygonSocket, polygon_socket
from tests.test_pipelines.scripted_vendor import scripted

DAY = dt.date(2025, 6, 26)
OPEN_US = round(calendars.open_at(DAY).timestamp() * 1e6)
AT_US = OPEN_US + 5 * MINUTE_US


def test_the_session_s_minutes_so_far_and_then_what_is_streamed() -> None:
    def script(line: ServerConnection) -> None:
        line.send(json.dumps([quote("SPY", AT_US + 1, 99.5, 100.0), trade("SPY", AT_US + 1, 100.0),
                              trade("SPY", AT_US + MINUTE_US, 101.0), trade("QQQ", AT_US + MINUTE_US + GRACE_US, 9.0)]))
        line.recv(10)

    told = Told()
    clock = TapeClock(from_us(AT_US))
    rows = [{"t": OPEN_US // 1000 + 60_000 * minute, "o": 10.0, "h": 19.0, "l": 7.0, "c": 10.0 + minute, "v": 5, "n": 1}
            for minute in range(-3, 6)]
    with polygon_socket(PolygonSocket([script])) as socket, scripted() as rest:
        for symbol, told_of in (("SPY", rows), ("QQQ", [])):
            body = json.dumps({"status": "OK", "ticker": symbol, "results": told_of}).encode()
            rest.script[f"/v2/aggs/ticker/{symbol}/range/1/minute/{DAY}/{DAY}"] = [(200, {}, body)]
        keys = {"MASSIVE_API_KEY": KEY, "POLYGON_BASE_URL": rest.address, "NIGHTDESK_POLYGON_SOCKET": socket.url}
        streamer = RealTimeStreamer(["SPY", "QQQ", "SPY"], environment=keys, clock=clock, on_bar=told)
        with pytest.raises(RuntimeError, match="start_streaming"):
            streamer.get_bars("SPY")
        streamer.start_streaming()
        streamer.start_streaming()  # changes nothing
        told.wait(1)
        info = streamer.get_market_info()
        assert info == calendars.get_market_info(from_us(AT_US))
        assert (info["session"], info["is_open"]) == ("regular", True)
        bars = streamer.get_bars("SPY")
        assert [*bars["close"]] == [10.0, 11.0, 12.0, 13.0, 14.0, 100.0]  # from the open on, of minutes that are over
        assert bars.index[-1] == from_us(AT_US) and bars["spread"].iloc[-1] == 0.5 and bars["vwap"].iloc[-1] == 100.0
        assert math.isnan(bars["vwap"].iloc[0]) and streamer.get_bars("QQQ").empty
        assert AdvancedSignalGenerator().generate_signals(bars)[0].type == "hold"  # these bars are what a rule reads
        with pytest.raises(KeyError, match="IWM is not streamed"):
            streamer.get_bars("IWM")
        streamer.stop_streaming()


class Replayed:
    """A wire that says what it was given."""

    def __init__(self, *ticks: Tick) -> None:
        self.ticks, self.done = ticks, threading.Event()

    def run(self, up: Any, take: Any, ended: threading.Event) -> None:
        up()
        for tick in self.ticks:
            take(tick)
        self.done.set()
        ended.wait(10)


@pytest.mark.parametrize(("regular", "expected"), [(True, [2.0, 4.0]), (False, [1.0, 2.0, 3.0, 4.0])])
def test_what_is_printed_off_hours_is_left_alone(regular: bool, expected: list[float]) -> None:
    """Half past nine to one on the day before Independence Day, and the Monday after it."""
    at = ["2025-07-03T12:00Z", "2025-07-03T16:59Z", "2025-07-03T17:00Z", "2025-07-07T13:30Z"]
    wire = Replayed(*(Tick("SPY", round(dt.datetime.fromisoformat(when).timestamp() * 1e6), float(price), 1.0)
                      for price, when in enumerate(at, 1)))
    streamer = RealTimeStreamer(["SPY"], regular_hours_only=regular, wire=wire, environment={},
                                clock=TapeClock(dt.datetime(2025, 7, 7, 13, 40, tzinfo=dt.UTC)))
    streamer.start_streaming(prefetch=False)
    assert wire.done.wait(10)
    assert [*streamer.get_bars("SPY")["close"]] == expected
    assert streamer.counts().get("off_hours", 0) == 4 - len(expected)
    streamer.stop_streaming()


def test_minutes_that_cannot_be_fetched_are_told_and_the_stream_begins_without() -> None:
    said: list[str] = []
    wire = Replayed(Tick("SPY", AT_US, 5.0, 1.0))
    with scripted() as rest:
        refused = (401, {}, b'{"status": "ERROR", "error": "Unknown API Key another-key-0123456789"}')
        rest.script[f"/v2/aggs/ticker/SPY/range/1/minute/{DAY}/{DAY}"] = [refused]
        keys = {"MASSIVE_API_KEY": "another-key-0123456789", "POLYGON_BASE_URL": rest.address}
        with_no_past = RealTimeStreamer(["SPY"], wire=wire, environment=keys, say=said.append,
                                        clock=TapeClock(from_us(AT_US + 2 * MINUTE_US)))
        with_no_past.start_streaming()
        assert wire.done.wait(10)
        assert [*with_no_past.get_bars("SPY")["close"]] == [5.0]
        with_no_past.stop_streaming()
    assert len(said) == 1 and "could not be fetched" in said[0] and "another-key" not in said[0]


def test_the_platform_of_a_watchlist_asks_streams_and_plans_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(line: ServerConnection) -> None:
        line.send(json.dumps([trade("SPY", AT_US, 100.0), trade("QQQ", AT_US + MINUTE_US + GRACE_US, 9.0)]))
        sent.set()
        line.recv(10)

    sent = threading.Event()
    clock = TapeClock(from_us(AT_US))
    with polygon_socket(PolygonSocket([script])) as socket, scripted() as rest:
        for symbol in ("SPY", "QQQ"):
            row = {"t": OPEN_US // 1000, "o": 10.0, "h": 19.0, "l": 7.0, "c": 10.0, "v": 5, "n": 1}
            body = json.dumps({"status": "OK", "ticker": symbol, "results": [row]}).encode()
            rest.script[f"/v2/aggs/ticker/{symbol}/range/1/minute/{DAY}/{DAY}"] = [(200, {}, body)]
        for name, value in {"MASSIVE_API_KEY": KEY, "POLYGON_BASE_URL": rest.address,
                            "NIGHTDESK_POLYGON_SOCKET": socket.url}.items():
            monkeypatch.setenv(name, value)
        platform = QuantPlatformOptimized(environment="staging", symbols=("SPY", "QQQ"), clock=clock)
        assert platform.settings.asking.workers == 10
        data = platform.fetch_watchlist_data()
        assert list(data) == ["SPY", "QQQ"] and data["QQQ"]["close"].tolist() == [10.0]
        assert platform.generate_signals(data["SPY"]) == AdvancedSignalGenerator().generate_signals(data["SPY"])
        streamer = platform.start_real_time_streaming()
        assert sent.wait(10) and streamer.get_market_info()["is_open"]
        platform.stop()
        with pytest.raises(RuntimeError, match="nothing is streamed"):
            streamer.get_bars("SPY")
