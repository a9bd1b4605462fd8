"""The one loop that trades: decide before the open, act within limits, watch every five minutes, close the books."""

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from live.clock import TapeClock, to_us
from live.desk import Desk, actions_in
from live.journal import Journal
from live.ports import Bar, Broker, Clock, Feed, Quiet, Venue
from live.reconcile import Reconciler, Tolerance
from live.recovery import book_of, resume
from live.risk import KillSwitch, Limits, Memory
from live.settlement import settle
from live.tail import Tail
from models.bundle import Bundle
from models.market.costs import CostModel

DECIDE_BEFORE_OPEN = dt.timedelta(minutes=30)
CYCLE_US = 5 * 60 * 1_000_000
MINUTE_US = 60 * 1_000_000


@dataclass(frozen=True)
class Terms:
    """What the runner was started with and no bundle can change."""

    account: str
    limits: Limits
    costs: CostModel
    kill_file: Path | None
    switch: KillSwitch | None = None  # one that hears signals too; else the file's own
    wall: Clock | None = None  # real time, where a venue acts in it; a restart may come hours after its decision


class Day:
    """Day bars as they grow out of minutes: [open, high, low, close, volume, start of the last minute] by name."""

    def __init__(self, open_us: int, close_us: int) -> None:
        self.bars: dict[str, list[float]] = {}
        self.ignored: Counter[str] = Counter()
        self.heard_us = open_us  # the newest bar that was believed, of any name
        self._open_us, self._close_us = open_us, close_us

    def possible(self, bar: Bar, now_us: int) -> bool:
        """Whether a bar lies in the session, comes in its time and could be one at all; counts it where not."""
        _, start_us, first, high, low, last, volume = bar
        if not self._open_us <= start_us < self._close_us:
            self.ignored["outside_session"] += 1
            return False
        if not (0.0 < low <= first <= high < math.inf and low <= last <= high and 0.0 <= volume < math.inf):
            self.ignored["impossible"] += 1
            return False
        if start_us < now_us:  # what was decided since cannot be undone: it is too late for this one
            self.ignored["out_of_order"] += 1
            return False
        return True

    def take(self, bar: Bar) -> bool | None:
        """True for a name's first bar, False for a later one, None for one that is late or comes twice."""
        _, start_us, first, high, low, last, volume = bar
        self.heard_us = max(self.heard_us, start_us)
        day = self.bars.get(bar.instrument_id)
        if day is None:
            self.bars[bar.instrument_id] = [first, high, low, last, volume, start_us]
            return True
        if start_us <= day[5]:
            self.ignored["duplicate" if start_us == day[5] else "out_of_order"] += 1
            return None
        if high > day[1]:
            day[1] = high
        if low < day[2]:
            day[2] = low
        day[3], day[4], day[5] = last, day[4] + volume, start_us
        return False


class Engine:
    """Runs sessions of a feed, each one transaction of the journal, from the state that the journal holds."""

    def __init__(self, bundle: Bundle, journal: Journal, venue: Venue, clock: TapeClock, terms: Terms,
                 reached: Callable[[str], None] = lambda name: None) -> None:
        self._bundle, self._journal, self._venue, self._clock, self._terms = bundle, journal, venue, clock, terms
        self._reached = reached
        self._switch = terms.switch or KillSwitch(terms.kill_file)
        self.tail = Tail(bundle)
        self._reconciler = Reconciler(venue, journal.path.with_name("breaks"), Tolerance(),
                                      self._reached) if isinstance(venue, Broker) else None
        self.book = book_of(journal, terms.costs.capital_usd)
        self.memory = Memory.since(terms.costs.capital_usd, (
            (dt.datetime.fromisoformat(entry.at), dt.date.fromisoformat(entry.session or ""), entry.payload["equity"])
            for entry in journal.entries("close")))
        self._catch_up()

    def _catch_up(self) -> None:
        """Bring the tail to the last session that was traded; start-up and recovery are this same path."""
        for entry in self._journal.entries("bars"):
            session = dt.date.fromisoformat(entry.session or "")
            times = self.tail.times(session)
            if entry.payload.get("incomplete"):
                continue
            if session > self.tail.newest and times is not None and not self.tail.missing_before(session):
                self.tail.decision_panel(times, times.open_at - DECIDE_BEFORE_OPEN)
                self.tail.append(session, entry.payload["bars"], actions_in(entry.payload))

    def run_session(self, session: dt.date, feed: Feed) -> None:
        """One session from its decision to its close, journaled whole or not at all."""
        times = self.tail.times(session)
        if times is None:
            raise ValueError(f"session {session} is not in the bundle's calendar")
        with self._journal.session():
            self._clock.advance_us(to_us(times.open_at - DECIDE_BEFORE_OPEN))
            self.memory.opened(session)
            desk = Desk(self._bundle, self.tail, self.book, self._journal, self._venue, self._clock, self._terms, times,
                        self.memory, self._switch, self._reconciler, self._reached)
            resume(desk)
            self._watch(desk, {}, "start")
            desk.begin(feed.actions(session))
            day = self._trade(desk, feed, session)
            silent_s = (to_us(times.close_at) - day.heard_us) / 1e6
            settle(desk, day.bars, day.ignored, complete=silent_s <= self._terms.limits.max_feed_silence_s)
            self.memory.closed(self._clock.now(), session, self.book.equity())
            self._reached("journal.staged")
        self._reached("journal.committed")

    def _trade(self, desk: Desk, feed: Feed, session: dt.date) -> Day:
        """The session itself: bars in, fills out, a look at limits and switch every five minutes."""
        open_us, close_us = to_us(desk.times.open_at), to_us(desk.times.close_at)
        day = Day(open_us, close_us)
        next_cycle_us = open_us
        for bar in feed.bars(session):
            if isinstance(bar, Quiet):
                next_cycle_us = self._pass(desk, day, min(bar.until_us, close_us), next_cycle_us)
                continue
            if not day.possible(bar, to_us(self._clock.now())):
                continue
            while bar.start_us >= next_cycle_us:  # all bars that were over by then are in
                self._clock.advance_us(next_cycle_us)
                self._watch(desk, _last_prices(day))
                desk.heed_silence(next_cycle_us, day.heard_us)
                next_cycle_us += CYCLE_US
            first = day.take(bar)
            if first or (first is False and desk.flattening):
                self._clock.advance_us(bar.start_us)
                desk.on_bar(bar, first=first)
        while next_cycle_us <= close_us:
            self._clock.advance_us(next_cycle_us)
            self._watch(desk, _last_prices(day))
            desk.heed_silence(next_cycle_us, day.heard_us)
            next_cycle_us += CYCLE_US
        self._clock.advance_us(close_us)
        return day

    def _pass(self, desk: Desk, day: Day, until_us: int, next_cycle_us: int) -> int:
        """Time goes by without a bar: the cycles that are due, and the kill switch at once; the next cycle's time."""
        while next_cycle_us <= until_us:
            self._clock.advance_us(next_cycle_us)
            self._watch(desk, _last_prices(day))
            desk.heed_silence(next_cycle_us, day.heard_us)
            next_cycle_us += CYCLE_US
        if until_us > to_us(self._clock.now()):
            self._clock.advance_us(until_us)
        desk.heed_switch(_last_prices(day))
        return next_cycle_us

    def _watch(self, desk: Desk, prices: Mapping[str, float], when: str = "cycle") -> None:
        """The five-minute cycle: the venue's books and the kill switch first, then what was lost, on prices that can be
        believed."""
        desk.heed_venue(when)
        if not desk.heed_switch(prices):
            desk.heed_losses(prices)


def _last_prices(day: Day) -> Mapping[str, float]:
    return {name: bar[3] for name, bar in day.bars.items()}
