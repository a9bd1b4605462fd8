"""Ticks in the background: a vendor's line kept up in a thread of its own, minute bars for whoever asks."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from live.adapters.feed_polygon import SOCKET
from live.adapters.feed_stream import BACKOFF_S, FeedRefused
from live.adapters.ticks_polygon import PolygonTicks
from live.clock import SystemClock, to_us
from live.feeds import key_of
from live.ports import Clock
from live.ticks import GRACE_US, MinuteBar, Minutes, Quote, Tick

__all__ = ["Clock", "MinuteBar", "Quote", "Tick", "TickStream", "Wire", "polygon_ticks"]

BEHIND_US, AHEAD_US = 7 * 86_400_000_000, 300_000_000  # of our clock, within which a tick's time is believed
log = logging.getLogger(__name__)


class Wire(Protocol):
    def run(self, up: Callable[[], None], bar: Callable[[Tick | Quote], None], ended: threading.Event) -> None: ...


class TickStream:
    """The newest ticks and minutes lie in rings. What a lost line did not tell is not made up: the minutes that it cut
    are marked."""

    def __init__(
        self, wire: Wire, *, keep_minutes: int = 390, keep_ticks: int = 10_000, clock: Clock | None = None,
        inside: Callable[[int], bool] = lambda at_us: True, on_bar: Callable[[MinuteBar], None] = lambda bar: None,
        say: Callable[[str], None] = log.warning, backoff_s: Sequence[float] = BACKOFF_S,
    ) -> None:  # fmt: skip
        self._wire, self._clock, self._on_bar, self._say = wire, clock or SystemClock(), on_bar, say
        self._backoff_s = backoff_s
        self._minutes = Minutes(keep_minutes, inside)
        self._ticks: deque[Tick | Quote] = deque(maxlen=keep_ticks)
        self._lock = threading.Lock()
        self._ended, self._tried = threading.Event(), threading.Event()
        self._refused: FeedRefused | None = None
        self._up_now = False
        self._thread = threading.Thread(target=self._keep_up, name="ticks", daemon=True)

    def start(self, wait_s: float = 15.0) -> None:
        """In the background from here on. A line that is refused, for its key for one, is told at once; one that cannot
        be had yet is tried again for as long as it takes."""
        self._thread.start()
        self._tried.wait(wait_s)
        if self._refused is not None:
            raise self._refused

    def stop(self) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def put(self, bars: Sequence[MinuteBar]) -> None:
        """Minutes from before the stream, in the order of time."""
        with self._lock:
            for bar in bars:
                self._minutes.put(bar)

    def bars(self, instrument_id: str) -> list[MinuteBar]:
        """Minutes that are over, oldest first."""
        with self._lock:
            closed = self._minutes.until(to_us(self._clock.now()) - GRACE_US)
            found = self._minutes.bars(instrument_id)
        self._tell(closed)
        return found

    def ticks(self) -> list[Tick | Quote]:
        """The newest of all names, oldest first."""
        with self._lock:
            return list(self._ticks)

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._minutes.counts)

    def _keep_up(self) -> None:
        failures = 0
        while not self._ended.is_set():
            try:
                self._wire.run(self._up, self._take, self._ended)
                problem = "closed"
            except FeedRefused as refused:
                self._refused = refused
                self._say(f"the stream ended: {refused}")
                break
            except (OSError, EOFError) as lost:
                problem = type(lost).__name__
            failures = 0 if self._up_now else failures + 1
            self._down()
            if self._ended.is_set():
                break
            self._say(f"the stream's line is gone ({problem}); trying again")
            self._ended.wait(self._backoff_s[min(failures, len(self._backoff_s) - 1)])
        self._down()

    def _up(self) -> None:
        with self._lock:
            self._up_now = True
            self._minutes.heard(to_us(self._clock.now()))
        self._tried.set()

    def _down(self) -> None:
        with self._lock:
            self._up_now = False
            self._minutes.lost()
        self._tried.set()

    def _take(self, tick: Tick | Quote) -> None:
        now_us = to_us(self._clock.now())
        with self._lock:
            if not now_us - BEHIND_US <= tick.at_us <= now_us + AHEAD_US:  # one of tomorrow would make all others late
                self._minutes.counts["bad_time"] += 1
                return
            self._ticks.append(tick)
            closed = self._minutes.add(tick)
        self._tell(closed)

    def _tell(self, closed: Sequence[MinuteBar]) -> None:
        for bar in closed:
            try:
                self._on_bar(bar)
            except Exception as problem:  # theirs: the stream goes on
                self._say(f"who was told of {bar.instrument_id}'s minute failed: {type(problem).__name__}: {problem}")


def polygon_ticks(symbols: Sequence[str], environment: Mapping[str, str]) -> PolygonTicks:
    """The wire that the environment's key opens; each symbol is its own name."""
    key = key_of(environment, "POLYGON_API_KEY", "MASSIVE_API_KEY")
    url = environment.get("NIGHTDESK_POLYGON_SOCKET", SOCKET)
    return PolygonTicks(key, {symbol: symbol for symbol in symbols}, url)
