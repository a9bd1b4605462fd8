"""What every pushed feed shares: bars put in order of time, gaps filled where something can fill them, time that passes
only as far as the connection can vouch for it."""

import datetime as dt
import logging
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from live.clock import from_us, to_us
from live.pace import Pace
from live.ports import Action, Bar, Quiet
from models.bundle import SessionTimes

log = logging.getLogger(__name__)
MINUTE_US = 60_000_000
GRACE_US = 3_000_000  # after a minute's end, for the slowest of its bars
HOLD_US = 180_000_000  # how long a lost connection may hold time up, until silence is called silence
LOOK_S = 0.2
BACKOFF_S = (0.2, 1.0, 2.0, 5.0, 15.0, 30.0)


class FeedRefused(ValueError):
    """The vendor will not serve us, and asking again would not help."""


class Connection(Protocol):
    """One vendor's wire. `run` connects, calls `up` when subscribed, `bar` for each bar, and returns or raises
    OSError when the line is gone; FeedRefused ends the feed."""

    def run(self, up: Callable[[], None], bar: Callable[[Bar], None], ended: threading.Event) -> None: ...


class Backfill(Protocol):
    """Asks for what a stream does not repeat: all bars that began since one moment and were over by another."""

    def bars(self, since_us: int, until_us: int) -> Sequence[Bar]: ...

    def actions(self, session: dt.date) -> Sequence[Action]: ...


class StreamedFeed:
    """The connection lives in its own thread and never waits for the engine: its queue is bounded, and what does not
    fit counts as a gap."""

    def __init__(self, connection: Connection, backfill: Backfill | None, pace: Pace,
                 calendar: Mapping[dt.date, SessionTimes], *, size: int = 200_000, look_s: float = LOOK_S,
                 backoff_s: Sequence[float] = BACKOFF_S, say: Callable[[str], None] = log.warning) -> None:
        self._connection, self._backfill, self._pace, self._calendar = connection, backfill, pace, calendar
        self._backoff_s, self._say, self._look_s = backoff_s, say, look_s
        self._arrived: queue.Queue[Bar] = queue.Queue(maxsize=size)
        self._ended = threading.Event()
        self._tried = threading.Event()  # the first attempt has succeeded or failed
        self._lock = threading.Lock()
        self._refused: FeedRefused | None = None
        begun_us = pace.now_us()
        self._lost_us: int | None = begun_us  # since when the line cannot vouch for anything; None while it can
        self._heard_us = begun_us  # when the newest bar came
        self._owed: list[tuple[int, int]] = []  # stretches of time to be filled
        self.counts: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._keep_up, name="feed", daemon=True)

    def sessions(self) -> Sequence[dt.date]:
        """Those of the bundle's calendar that are not over. The line is tried first: a wrong key is told before the
        open, not after it."""
        self._thread.start()
        while not self._tried.wait(LOOK_S):
            if self._pace.stopped:
                raise InterruptedError("the runner was told to end")
        if self._refused:
            raise self._refused
        now = self._pace.now()
        return [session for session, times in sorted(self._calendar.items()) if times.close_at > now]

    def actions(self, session: dt.date) -> Sequence[Action]:
        return self._backfill.actions(session) if self._backfill else ()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def bars(self, session: dt.date) -> Iterator[Bar | Quiet]:
        times = self._calendar[session]
        open_us, close_us = to_us(times.open_at), to_us(times.close_at)
        done_us = open_us  # every minute before it was handed out
        waiting: dict[int, dict[str, Bar]] = {}
        had: dict[str, int] = {}  # by name, the minutes that were taken in, a bit each
        now_us = self._pace.now_us()
        if now_us > open_us + MINUTE_US:
            self._owe(open_us, min(now_us, close_us))
        while done_us < close_us:
            if self._pace.stopped:
                raise InterruptedError("the runner was told to end")
            sure_us = self._sure_us() - MINUTE_US - GRACE_US  # before looking: whatever it vouches for is there by now
            for bar in self._fresh():
                if not open_us <= bar.start_us < close_us:
                    self.counts["outside_session"] += 1
                    continue
                name, bit = bar.instrument_id, 1 << (bar.start_us - open_us) // MINUTE_US
                if had.get(name, 0) & bit:
                    self.counts["repeated"] += 1
                    continue
                had[name] = had.get(name, 0) | bit
                if bar.start_us < done_us:
                    self.counts["late"] += 1
                    yield bar  # the engine counts it among what it left alone
                else:
                    waiting.setdefault(bar.start_us, {})[name] = bar
            for start_us in sorted(start for start in waiting if start <= sure_us):
                yield from (bar for _, bar in sorted(waiting.pop(start_us).items()))
            done_us = max(done_us, sure_us)
            yield Quiet(sure_us)

    def _fresh(self) -> list[Bar]:
        """What arrived since, and what was owed, as far as it can be had now."""
        found = []
        try:
            found.append(self._arrived.get(timeout=self._look_s))
            while True:
                found.append(self._arrived.get_nowait())
        except queue.Empty:
            pass
        with self._lock:
            owed, self._owed = self._owed, []
        if owed:  # as one stretch: what comes twice is taken once
            found += self._filled(min(since for since, _ in owed), max(until for _, until in owed))
        return found

    def _filled(self, since_us: int, until_us: int) -> Sequence[Bar]:
        stretch = f"{_clock(since_us)} to {_clock(until_us)}"
        if self._backfill is None:
            self._say(f"the feed has a gap from {stretch} and nothing to fill it from")
            return ()
        try:
            bars = self._backfill.bars(since_us, until_us)
        except (OSError, ValueError) as problem:
            self._say(f"the gap from {stretch} could not be filled: {problem}")
            return ()
        self.counts["filled"] += len(bars)
        return bars

    def _sure_us(self) -> int:
        """Up to when nothing can be missing: now, or when the line was lost, but for a while only."""
        now_us, lost_us = self._pace.now_us(), self._lost_us
        return now_us if lost_us is None or now_us - lost_us > HOLD_US else lost_us

    def _owe(self, since_us: int, until_us: int) -> None:
        with self._lock:
            self._owed.append((since_us - since_us % MINUTE_US, until_us))

    def _keep_up(self) -> None:
        failures = 0
        while not self._ended.is_set() and not self._pace.stopped:
            try:
                self._connection.run(self._up, self._take, self._ended)
                problem: Exception | None = None
            except FeedRefused as refused:
                self._refused = refused
                self._say(f"the feed ended: {refused}")
                self._down()
                break
            except (OSError, EOFError) as lost:
                problem = lost
            failures = 0 if self._lost_us is None else failures + 1
            self._down()
            if self._ended.is_set():
                break
            self._say(f"the feed's line is gone ({type(problem).__name__ if problem else 'closed'}); trying again")
            if failures >= 3:
                self._tried.set()
            self._ended.wait(self._backoff_s[min(failures, len(self._backoff_s) - 1)])
        self._tried.set()

    def _up(self) -> None:
        now_us = self._pace.now_us()
        if self._lost_us is not None and self._tried.is_set():
            self.counts["reconnected"] += 1
            self._owe(min(self._lost_us, self._heard_us) - 2 * MINUTE_US, now_us)  # it may have been deaf for a while
        self._lost_us = None
        self._tried.set()

    def _down(self) -> None:
        if self._lost_us is None:
            self._lost_us = self._pace.now_us()

    def _take(self, bar: Bar) -> None:
        try:
            self._arrived.put_nowait(bar)
            self._heard_us = self._pace.now_us()
            self.counts["arrived"] += 1
        except queue.Full:
            self.counts["dropped"] += 1
            self._owe(bar.start_us, bar.start_us + MINUTE_US)


def _clock(instant_us: int) -> str:
    return from_us(instant_us).strftime("%H:%M:%S")
