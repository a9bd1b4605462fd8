"""Real-time feeds against local servers that speak the vendors' wire formats, and fail as they do."""

import datetime as dt
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from databento_dbn import Metadata, OHLCVMsg, RType, Schema, SType, SymbolMappingMsg, SystemMsg
from websockets.sync.server import ServerConnection

from live.adapters.feed_databento import DatabentoConnection
from live.adapters.feed_polygon import PolygonBackfill, PolygonConnection
from live.adapters.feed_stream import FeedRefused, StreamedFeed
from live.adapters.tape import TapeFeed
from live.feeds import started
from live.journal import Journal
from live.pace import Pace
from live.ports import Action, Bar, Quiet
from live.replay import replay
from live.risk import Limits
from live.running import Runner
from live.secret import Secret
from models.bundle import SessionTimes
from pipelines import calendars
from tests.test_live import world
from tests.test_live.test_running import until
from tests.test_live.wires import (
    KEY,
    Gateway,
    PolygonRest,
    PolygonSocket,
    am,
    gateway,
    polygon_rest,
    polygon_socket,
    status,
)

DAY = dt.date(2025, 6, 26)
OPEN = calendars.open_at(DAY)
OPEN_US = int(OPEN.timestamp() * 1e6)
MINUTE_US = 60_000_000
SYMBOLS = {"TA": "A", "TB": "B"}
SHORT = {DAY: SessionTimes(DAY, OPEN, OPEN + dt.timedelta(minutes=10))}
END_US = OPEN_US + 10 * MINUTE_US + 65_000_000


class HandPace(Pace):
    """Market time as a test turns it: nothing is late because a machine is busy."""

    def __init__(self, start: dt.datetime) -> None:
        super().__init__(start)
        self._us = int(start.timestamp() * 1e6)

    def now_us(self) -> int:
        return self._us

    def wait(self, until_us: int, at_most_s: float) -> None:
        time.sleep(min(0.002, at_most_s))

    def to(self, instant_us: int) -> None:
        self._us = max(self._us, instant_us)


def bar(name: str, minute: int, close: float = 10.0) -> Bar:
    return Bar(name, OPEN_US + minute * MINUTE_US, 10.0, 11.0, 9.0, close, 100.0)


BARS = [bar(name, minute, 10.0 + minute / 100) for minute in range(10) for name in ("A", "B")]
TICKERS = {instrument: symbol for symbol, instrument in SYMBOLS.items()}


class Market:
    """Turns time and sends what belongs to it; it waits until the feed has what was sent."""

    def __init__(self, start: dt.datetime, tickers: dict[str, str] | None = None) -> None:
        self.pace = HandPace(start)
        self.tickers = tickers or TICKERS
        self.feed: StreamedFeed | None = None

    def send(self, line: ServerConnection, bars: list[Bar], *, more: list[Any] | None = None) -> None:
        assert self.feed is not None
        there = self.feed.counts["arrived"]
        line.send(json.dumps([*(more or []), *(am(self.tickers[one.instrument_id], one) for one in bars)]))
        until(lambda: self.feed is not None and self.feed.counts["arrived"] >= there + len(bars))

    def play(self, line: ServerConnection, bars: list[Bar], *, more: Callable[[Bar], list[Any]] = lambda bar: []
             ) -> None:
        """Each minute's bars in one frame, once the minute is over."""
        for start_us in sorted({one.start_us for one in bars}):
            self.pace.to(start_us + MINUTE_US)
            together = [one for one in bars if one.start_us == start_us]
            self.send(line, together, more=[event for one in together for event in more(one)])

    def end(self, line: ServerConnection | None = None, at_us: int = END_US) -> None:
        self.pace.to(at_us)
        if line is not None:
            with suppress(TimeoutError):
                line.recv(10)

    def stream(self, socket: PolygonSocket, rest: PolygonRest | None = None, **more: Any) -> StreamedFeed:
        filled = PolygonBackfill(Secret(KEY), SYMBOLS, rest.url) if rest else None
        self.feed = StreamedFeed(PolygonConnection(Secret(KEY), SYMBOLS, socket.url), filled, self.pace, SHORT,
                                 backoff_s=(0.01,), look_s=0.005, **more)
        return self.feed


def heard(one: StreamedFeed, *, started: bool = False) -> tuple[list[Bar], list[Bar | Quiet]]:
    try:
        assert started or one.sessions() == [DAY]
        told = list(one.bars(DAY))
    finally:
        one.close()
    for index, item in enumerate(told):  # no sign of life claims a minute that something still comes of
        if isinstance(item, Quiet):
            late = [later for later in told[index:] if isinstance(later, Bar) and later.start_us < item.until_us]
            assert len(late) <= one.counts["late"]
    return [item for item in told if isinstance(item, Bar)], told


def test_a_session_comes_as_it_was_sent_and_what_is_not_ours_is_left_alone() -> None:
    market = Market(OPEN - dt.timedelta(seconds=60))

    def noise(one: Bar) -> list[Any]:
        return [{"ev": "T", "sym": "TA", "p": 1.0}, am("ZZ", one), {**am("TA", one), "c": None},
                {**am("TA", one), "s": "x"}, 7, {"ev": "status", "status": "success", "message": "hello"}]

    def script(line: ServerConnection) -> None:
        market.play(line, BARS, more=noise)
        market.end(line)

    socket = PolygonSocket([script])
    with polygon_socket(socket):
        one = market.stream(socket)
        bars, told = heard(one)
    assert bars == BARS and socket.subscribed == ["AM.TA", "AM.TB"]
    assert one.counts["late"] == one.counts["repeated"] == 0 and isinstance(told[-1], Quiet)
    assert told[-1].until_us >= OPEN_US + 10 * MINUTE_US


def test_what_comes_in_disorder_or_twice_is_put_in_order_once() -> None:
    market = Market(OPEN - dt.timedelta(seconds=30))

    def script(line: ServerConnection) -> None:
        market.pace.to(OPEN_US + MINUTE_US + 1_000_000)
        for one in (BARS[3], BARS[0], BARS[0], BARS[2], BARS[1]):  # minutes 1, 0, 0, 1, 0
            market.send(line, [one])
        market.end(line)

    socket = PolygonSocket([script])
    with polygon_socket(socket):
        one = market.stream(socket)
        bars, _ = heard(one)
    assert bars == BARS[:4] and one.counts["repeated"] == 1


def test_a_bar_that_is_late_is_handed_on_as_late_and_outside_ones_are_not() -> None:
    market = Market(OPEN - dt.timedelta(seconds=30))

    def script(line: ServerConnection) -> None:
        market.pace.to(OPEN_US + 7 * MINUTE_US)
        reached.wait(10)  # the feed has said that minute 0 is over
        market.send(line, [bar("A", 0), bar("A", -5), bar("A", 60), bar("A", 0)])
        market.end(line)

    reached = threading.Event()
    socket = PolygonSocket([script])
    with polygon_socket(socket):
        one = market.stream(socket)
        found = []
        assert one.sessions() == [DAY]
        for item in one.bars(DAY):
            if isinstance(item, Quiet) and item.until_us > OPEN_US + 3 * MINUTE_US:
                reached.set()
            found += [item] if isinstance(item, Bar) else []
        one.close()
    assert found == [bar("A", 0)]
    assert [one.counts[name] for name in ("late", "outside_session", "repeated")] == [1, 2, 1]


def test_a_lost_line_is_taken_up_again_and_its_gap_filled_in_order() -> None:
    market = Market(OPEN - dt.timedelta(seconds=60))

    def broken(line: ServerConnection) -> None:
        market.play(line, BARS[:6])
        market.pace.to(OPEN_US + 4 * MINUTE_US)  # another minute, of which it says nothing
        line.close()

    def back(line: ServerConnection) -> None:
        market.play(line, BARS[8:])
        market.end(line)

    said: list[str] = []
    by_symbol = {"TA": BARS[::2], "TB": BARS[1::2]}
    with polygon_rest(PolygonRest(by_symbol)) as rest, polygon_socket(PolygonSocket([broken, back])) as socket:
        one = market.stream(socket, rest, say=said.append)
        bars, _ = heard(one)
    assert bars == BARS and one.counts["late"] == 0
    assert one.counts["reconnected"] == 1 and socket.connections == 2 and "trying again" in said[0] and rest.asked


def test_while_a_line_is_lost_time_stands_and_what_was_missed_comes_first() -> None:
    market = Market(OPEN - dt.timedelta(seconds=60))
    again = threading.Event()

    def broken(line: ServerConnection) -> None:
        market.play(line, BARS[:6])
        line.close()

    def back(line: ServerConnection) -> None:
        market.play(line, BARS[10:])
        market.end(line)

    socket = PolygonSocket([broken, back], hold=again)
    by_symbol = {"TA": BARS[::2], "TB": BARS[1::2]}
    with polygon_rest(PolygonRest(by_symbol)) as rest, polygon_socket(socket):
        one = market.stream(socket, rest)
        assert one.sessions() == [DAY]
        found: list[Bar] = []
        for item in one.bars(DAY):
            if isinstance(item, Bar):
                found.append(item)
            elif socket.waiting.is_set() and not again.is_set():
                assert item.until_us <= OPEN_US + 3 * MINUTE_US
                market.pace.to(OPEN_US + 5 * MINUTE_US + 30_000_000)  # less than it holds time up for
                if len(found) == 4:  # minute 2 waits for its grace, which the line cannot vouch for
                    again.set()
        one.close()
    assert found == BARS and one.counts["late"] == 0 and one.counts["reconnected"] == 1


def test_a_gap_that_nothing_fills_is_said_and_time_goes_on() -> None:
    market = Market(OPEN - dt.timedelta(seconds=60))
    said: list[str] = []

    def gone(line: ServerConnection) -> None:
        line.close()
        if any("filled" in text for text in said):
            market.end(at_us=END_US + 600_000_000)

    with polygon_rest(PolygonRest({}, failures=99)) as rest, polygon_socket(PolygonSocket([gone])) as socket:
        bars, told = heard(market.stream(socket, rest, say=said.append))
    assert bars == [] and told[-1].until_us >= OPEN_US + 10 * MINUTE_US  # type: ignore[union-attr]
    assert any("could not be filled: Polygon's REST answered 429" in text for text in said)
    assert KEY not in " ".join(said)


def test_a_start_in_mid_session_is_filled_from_the_open() -> None:
    market = Market(OPEN + dt.timedelta(minutes=6))

    def script(line: ServerConnection) -> None:
        market.play(line, BARS[12:])
        market.end(line)

    by_symbol = {"TA": BARS[::2], "TB": BARS[1::2]}
    with polygon_rest(PolygonRest(by_symbol)) as rest, polygon_socket(PolygonSocket([script])) as socket:
        bars, _ = heard(market.stream(socket, rest))
    assert sorted(bars) == sorted(BARS)


@pytest.mark.parametrize(("key", "word", "said"), [
    ("other", "", "auth_failed"), (KEY, "max_connections", "line away"), (KEY, "not_authorized", "not entitled")])
def test_a_refusal_ends_the_feed_and_is_not_asked_for_again(key: str, word: str, said: str) -> None:
    market, told, begun = Market(OPEN - dt.timedelta(seconds=60)), list[str](), threading.Event()

    def script(line: ServerConnection) -> None:
        begun.wait(10)
        line.send(json.dumps(status(word, "not entitled")))
        market.end(line, at_us=END_US + 600_000_000)

    with polygon_socket(PolygonSocket([script], key=key)) as socket:
        one = market.stream(socket, say=told.append)
        if key != KEY:
            with pytest.raises(FeedRefused, match=said) as refused:
                one.sessions()
            assert KEY not in str(refused.value)
            one.close()
        else:  # it was let in first: time goes by in silence, which the engine has rules for
            assert one.sessions() == [DAY]
            begun.set()
            bars, items = heard(one, started=True)
            assert bars == [] and isinstance(items[-1], Quiet)
    assert socket.connections == 1 and any(said in text for text in told)


def test_splits_and_dividends_of_the_day_are_asked_for_and_the_key_goes_to_our_host_only() -> None:
    many = [{"ticker": f"X{i}", "execution_date": str(DAY), "split_from": 1, "split_to": 2} for i in range(4)]
    told = PolygonRest({}, splits=[*many, {"ticker": "TA", "execution_date": str(DAY), "split_from": 2, "split_to": 3}],
                       dividends=[{"ticker": "TB", "ex_dividend_date": str(DAY), "cash_amount": 0.5}])
    with polygon_rest(told) as rest:
        found = PolygonBackfill(Secret(KEY), SYMBOLS, rest.url).actions(DAY)
    assert found == [Action("A", DAY, "split", 1.5), Action("B", DAY, "dividend", 0.5)]
    assert sum("cursor" in path for path in rest.asked) == 2  # pages under another host's name, asked for at ours


def test_a_polygon_session_through_the_runner_makes_the_replays_chain(tmp_path: Path) -> None:
    bundles = world.publish(tmp_path / "bundles")
    tape = world.tape(tmp_path / "tape.parquet", 0, 1)
    expected = replay(bundles, tape, tmp_path / "tape.sqlite", verify_keys=[world.PUBLIC])
    session = world.world().coming[0]
    bars = [one for one in TapeFeed(tape).bars(session) if isinstance(one, Bar)]
    tickers = dict(zip(world.NAMES, world.SYMBOLS, strict=True))
    market = Market(calendars.open_at(session) - dt.timedelta(seconds=1860), tickers)

    def script(line: ServerConnection) -> None:
        market.play(line, bars)
        market.end(line, int(calendars.close_at(session).timestamp() * 1e6) + 65_000_000)

    with polygon_socket(PolygonSocket([script])) as socket:
        def made(bundle: Any) -> StreamedFeed:
            symbols = dict(zip(bundle.snapshot.symbols, bundle.snapshot.bars.names, strict=True))
            calendar = {session: next(times for times in bundle.calendar if times.session == session)}
            market.feed = StreamedFeed(PolygonConnection(Secret(KEY), symbols, socket.url), None, market.pace, calendar,
                                       look_s=0.005)
            return market.feed

        runner = Runner(bundles, tmp_path / "live.sqlite", made, market.pace, [world.PUBLIC], tmp_path / "KILL")
        report = runner.run()
    assert [row.pnl for row in report.sessions] == [row.pnl for row in expected.sessions]
    with Journal(tmp_path / "live.sqlite", read_only=True) as ours, Journal(tmp_path / "tape.sqlite",
                                                                           read_only=True) as theirs:
        assert [(one.kind, one.payload) for one in ours.entries()] == [
            (one.kind, one.payload) for one in theirs.entries()]


def records(symbol: str, bars: list[Bar]) -> list[bytes]:
    """A live DBN stream: metadata, a mapping, a heartbeat, bars."""
    made = Metadata(dataset="GLBX.MDP3", start=0, stype_in=SType.RAW_SYMBOL, stype_out=SType.INSTRUMENT_ID,
                    schema=Schema.OHLCV_1M, symbols=[], partial=[], not_found=[], mappings=[], ts_out=False)
    mapping = SymbolMappingMsg(1, 7, OPEN_US * 1000, SType.RAW_SYMBOL, symbol, SType.INSTRUMENT_ID, "7",
                               OPEN_US * 1000, OPEN_US * 1000)
    beat = SystemMsg(OPEN_US * 1000, "Heartbeat")
    parts = [made.encode(), bytes(mapping), bytes(beat)]
    for one in bars:
        prices = [round(price * 1e9) for price in (one.open, one.high, one.low, one.close)]
        parts.append(bytes(OHLCVMsg(RType.OHLCV_1M, 1, 7, one.start_us * 1000, *prices, int(one.volume))))
    return parts


def databento(told: Gateway, market: Market, key: str = KEY, **more: Any) -> StreamedFeed:
    wire = DatabentoConnection(Secret(key), {"ESU5": "ES"}, "127.0.0.1", told.port)
    market.feed = StreamedFeed(wire, None, market.pace, SHORT, look_s=0.005, backoff_s=(0.01,), **more)
    return market.feed


def test_databento_logs_in_subscribes_and_its_records_become_bars() -> None:
    market = Market(OPEN + dt.timedelta(minutes=1))
    sent = [bar("ES", minute, 5612.25) for minute in range(3)]
    with gateway(Gateway(records("ESU5", sent))) as told:
        one = databento(told, market)
        assert one.sessions() == [DAY]
        until(lambda: one.counts["arrived"] == 3)
        market.end()
        bars, _ = heard(one, started=True)
    assert bars == sent
    auth, subscription, start = told.lines
    assert "dataset=GLBX.MDP3|encoding=dbn" in auth and KEY not in auth
    assert subscription == "schema=ohlcv-1m|stype_in=raw_symbol|symbols=ESU5|snapshot=0|is_last=1"
    assert start == "start_session=0"


def test_databento_refuses_a_wrong_key_once_and_a_gateway_that_breaks_off_is_asked_again() -> None:
    with gateway(Gateway([])) as told:
        one = databento(told, Market(OPEN), "db-" + "x" * 29)
        with pytest.raises(FeedRefused, match="Authentication failed"):
            one.sessions()
        one.close()
        assert told.connections == 1
    said: list[str] = []
    ready = Gateway(records("ESU5", [bar("ES", 0)]))
    ready.linger.set()  # it closes right after what it has to say
    market = Market(OPEN)
    with gateway(ready) as told:
        one = databento(told, market, say=said.append)
        assert one.sessions() == [DAY]
        until(lambda: told.connections > 2)
        market.end(at_us=END_US + 600_000_000)
        bars, _ = heard(one, started=True)
    assert bars == [bar("ES", 0)] and one.counts["repeated"] > 0 and "gap from" in " ".join(said)


def test_a_missing_key_or_a_wrong_word_is_said_in_one_sentence(tmp_path: Path) -> None:
    def start(feed: str, speed: float | None = None, environment: dict[str, str] | None = None) -> Runner:
        return started(tmp_path, tmp_path / "j", feed, speed, keys=(), kill_file=tmp_path / "K", limits=Limits(),
                       environment=environment or {})

    for word, said in (("polygon", "set MASSIVE_API_KEY or POLYGON_API_KEY"), ("databento", "set DATABENTO_API_KEY"),
                       ("carrier-pigeon", "use sandbox")):
        with pytest.raises(ValueError, match=said):
            start(word)
    with pytest.raises(ValueError, match="real time"):
        start("polygon", 60.0, {"POLYGON_API_KEY": KEY})
    assert KEY not in repr(start("polygon", None, {"POLYGON_API_KEY": KEY}))


def test_a_queue_that_is_full_owes_what_it_drops(tmp_path: Path) -> None:
    market, done = Market(OPEN + dt.timedelta(seconds=30)), threading.Event()

    class Flood:
        def run(self, up: Callable[[], None], bar: Callable[[Bar], None], ended: threading.Event) -> None:
            up()
            for one in BARS:
                bar(one)
            done.set()
            ended.wait(10)

    by_symbol = {"TA": BARS[::2], "TB": BARS[1::2]}
    with polygon_rest(PolygonRest(by_symbol)) as rest:
        one = StreamedFeed(Flood(), PolygonBackfill(Secret(KEY), SYMBOLS, rest.url), market.pace, SHORT, size=3,
                           look_s=0.005)
        assert one.sessions() == [DAY] and done.wait(10)
        market.end()
        bars, _ = heard(one, started=True)
    assert sorted(bars) == sorted(BARS) and one.counts["dropped"] == len(BARS) - 3
