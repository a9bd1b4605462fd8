"""A session that a test sends bar by bar, on a clock that it moves by hand."""

import datetime as dt
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.sync.server import ServerConnection

from live.adapters.feed_polygon import PolygonBackfill, PolygonConnection
from live.adapters.feed_stream import StreamedFeed
from live.pace import Pace
from live.ports import Bar, Quiet
from live.secret import Secret
from models.bundle import SessionTimes
from pipelines import calendars
from tests.test_live.test_running import until
from tests.test_live.wires import (
    KEY,
    PolygonRest,
    PolygonSocket,
    am,
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
