"""Real-time feeds against local servers that speak the vendors' wire formats, and fail as they do."""

import datetime as dt
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection

from live.adapters.feed_polygon import PolygonBackfill, PolygonConnection
from live.adapters.feed_stream import FeedRefused, StreamedFeed
from live.adapters.tape import TapeFeed
from live.feeds import started
from live.journal import Journal
from live.ports import Action, Bar, Quiet
from live.replay import replay
from live.risk import Limits
from live.running import Runner
from live.secret import Secret
from pipelines import calendars
from tests.test_live import world
from tests.test_live.feed_market import (
    BARS,
    DAY,
    END_US,
    MINUTE_US,
    OPEN,
    OPEN_US,
    SHORT,
    SYMBOLS,
    Market,
    bar,
    heard,
)
from tests.test_live.wires import (
    KEY,
    PolygonRest,
    PolygonSocket,
    am,
    polygon_rest,
    polygon_socket,
    status,
)


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


def test_a_bar_of_no_time_at_all_is_left_alone() -> None:
    """Shifted by its minutes, one number would be larger than any memory."""
    market = Market(OPEN - dt.timedelta(seconds=60))

    def script(line: ServerConnection) -> None:
        market.send(line, [BARS[0]._replace(start_us=far) for far in (10**18, 10**33, -(10**33))])
        market.play(line, BARS)
        market.end(line)

    with polygon_socket(PolygonSocket([script])) as socket:
        one = market.stream(socket)
        bars, _ = heard(one)
    assert bars == BARS and one.counts["outside_session"] == 3


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


def test_a_list_ends_at_a_page_that_was_had_already(monkeypatch: pytest.MonkeyPatch) -> None:
    splits = [{"ticker": "TA", "execution_date": str(DAY), "split_from": 2, "split_to": 3}]
    with polygon_rest(PolygonRest({}, splits, [], turning=True)) as rest:
        assert PolygonBackfill(Secret(KEY), SYMBOLS, rest.url).actions(DAY) == [Action("A", DAY, "split", 1.5)]
        assert len(rest.asked) == 4  # two lists, of two pages each
        monkeypatch.setattr("live.adapters.feed_polygon.MOST_PAGES", 1)
        with pytest.raises(ConnectionError, match="another page after 1"):
            PolygonBackfill(Secret(KEY), SYMBOLS, rest.url).actions(DAY)


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
