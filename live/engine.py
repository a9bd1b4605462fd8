"""The one loop that trades: decide before the open, act within limits, watch every five minutes, close the books."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from live.ahead import Ahead
from live.clock import TapeClock, to_us
from live.day import INF, Day, Due
from live.desk import Desk, actions_in
from live.inside import Inside, recalled
from live.journal import Journal
from live.ports import Action, Broker, Clock, Feed, Quiet, Recorded, Venue, is_a
from live.positions import Positions
from live.reconcile import Reconciler, Tolerance
from live.recovery import book_of, equities, resume, since_close
from live.renewal import Renewal, tell
from live.risk import KillSwitch, Limits, Memory
from live.rungs import refuse_below_canary
from live.scan import Scan
from live.settlement import settle
from live.tail import Tail
from live.trades import trades_in
from models.bundle import Bundle
from models.market.costs import CostModel

DECIDE_BEFORE_OPEN = dt.timedelta(minutes=30)


@dataclass(frozen=True)
class Terms:
    """What the runner was started with and no bundle can change."""

    account: str
    limits: Limits
    costs: CostModel
    kill_file: Path | None
    switch: KillSwitch | None = None  # one that hears signals too; else the file's own
    brief: bool = False  # a backtest's journal: orders, fills and decisions, without limits that held and plain acks
    wall: Clock | None = None  # real time, where a venue acts in it; a restart may come hours after its decision


class Engine:
    """Runs sessions of a feed, each one transaction of the journal, from the state that the journal holds."""

    def __init__(self, bundle: Bundle, journal: Journal, venue: Venue, clock: TapeClock, terms: Terms,
                 reached: Callable[[str], None] | None = None, renewal: Renewal | None = None) -> None:
        self._journal, self._venue, self._clock, self._terms = journal, venue, clock, terms
        self._reached, self._renewal = reached, renewal
        self._switch = terms.switch or KillSwitch(terms.kill_file)
        if isinstance(venue, Broker):
            refuse_below_canary(bundle.manifest)
        self._reconciler = Reconciler(venue, journal.path.with_name("breaks"), Tolerance(),
                                      self._reached) if isinstance(venue, Broker) else None
        self.book = book_of(journal, terms.costs.capital_usd)
        self._use(bundle)
        self.memory = Memory.since(terms.costs.capital_usd, equities(journal),
                                   trades_in(journal) if self._watched else None)

    def _use(self, bundle: Bundle) -> None:
        """Trade with this bundle from here on: its tail, its schedule, its rule with what it remembers."""
        self._bundle, self.tail, self._key = bundle, Tail(bundle), bundle.strategy.key()
        self._intraday = bundle.strategy.intraday
        self._stop = self._terms.limits.stops or (self._intraday.stop if self._intraday else None)
        self._watched = self._intraday is not None or self._stop is not None
        self._followers, self._aims = recalled(bundle.strategy, self.tail.names, self._journal.last("close"))
        self._catch_up()
        self.tail.score_ahead()

    def _renew(self, desk: Desk) -> None:
        """Between two bars: take up a newer bundle. Positions carry over, and what it changes is told first."""
        found = self._renewal.newer(desk) if self._renewal is not None else None
        if found is None or found.strategy.slot != self._bundle.strategy.slot:
            return  # one of another schedule waits for the next session
        same = found.strategy.key() == self._key
        followers, aims = self._followers, self._aims
        self._use(found)
        desk.tail = self.tail
        tell(desk, found)
        desk.bundle = found
        if desk.inside is not None and desk.watch is not None and self._intraday is not None:
            if same:
                self._followers, self._aims = followers, aims  # what it has seen of today stays
            desk.inside = desk.inside.under(self._intraday, self._followers, self._aims, self._stop, self._key)

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
            self._attend(desk, feed.actions(session))
            self._watch(desk, {}, "start")
            desk.begin(feed.actions(session))
            self._journal.rest()
            day = self._trade(desk, feed, session)
            silent_s = (to_us(times.close_at) - day.heard_us) / 1e6
            settle(desk, day.bars, day.ignored, complete=silent_s <= self._terms.limits.max_feed_silence_s)
            self.memory.closed(self._clock.now(), session, self.book.equity())
            if self._reached is not None:
                self._reached("journal.staged")
        self._journal.rest()
        desk.leave()
        if self._reached is not None:
            self._reached("journal.committed")

    def _attend(self, desk: Desk, actions: Sequence[Action]) -> None:
        """Give the desk what follows trades and decides at bar ends, where strategy or limits ask for it."""
        if not self._watched:
            return
        closed = self._journal.last("close")
        newest = dt.date.fromisoformat(closed.session or "") if closed else dt.date.min
        desk.watch = Positions(desk, self._stop)
        desk.watch.resume(closed.payload.get("open_trades", {}) if closed else {},
                          [action for action in actions if action.ex_date > newest], since_close(self._journal))
        if self._intraday is not None and self._intraday.rule is not None:
            desk.inside = Inside(desk, desk.watch, self._intraday, self._followers, self._aims, self._stop,
                                 self._key)

    def _trade(self, desk: Desk, feed: Feed, session: dt.date) -> Day:
        """The session itself: bars in, fills out, a look at limits and switch every five minutes."""
        open_us, close_us = to_us(desk.times.open_at), to_us(desk.times.close_at)
        day, clock = Day(open_us, close_us), self._clock
        due = Due(open_us, close_us, self._intraday)
        if self._renewal is None and self._reconciler is None and is_a(type(feed), Recorded):
            scan = Scan.of(cast(Recorded, feed).columns(session), open_us, close_us)
            if scan is not None:
                Ahead(desk, day, due, clock, scan, partial(self._pass, desk, day, due)).run()
                self._pass(desk, day, due, close_us)
                clock.advance_us(close_us)
                return day
        asking, held = (desk.watch.names, desk.watch.trades) if desk.watch is not None else (frozenset[str](), {})
        days, now_us, next_us = day.bars, clock.now_us, due.next_us
        for bar in feed.bars(session):  # a year of minutes goes through here: nothing is looked up twice
            if isinstance(bar, Quiet):
                until_us = min(bar.until_us, close_us)
                self._pass(desk, day, due, until_us)
                if until_us > clock.now_us:
                    clock.advance_us(until_us)
                desk.heed_switch(day.last_prices())
                now_us, next_us = clock.now_us, due.next_us
                continue
            name, start_us, opens, high, low, close, volume = bar
            if not (now_us <= start_us < close_us and open_us <= start_us and 0.0 <= volume < INF
                    and 0.0 < low <= opens <= high < INF and low <= close <= high):
                day.ignore(bar)
                continue
            if start_us >= next_us:  # all bars that were over by then are in
                self._pass(desk, day, due, start_us)
                now_us, next_us = clock.now_us, due.next_us
            known = days.get(name)
            if known is None:
                days[name] = [opens, high, low, close, volume, start_us]
            elif start_us > known[5]:
                if high > known[1]:
                    known[1] = high
                if low < known[2]:
                    known[2] = low
                known[3], known[5] = close, start_us
                known[4] += volume
            else:
                day.ignore(bar)
                continue
            if start_us > day.heard_us:
                day.heard_us = start_us
            if known is None or name in asking or desk.flattening:
                clock.advance_us(start_us)
                desk.on_bar(bar, first=known is None)
                now_us = start_us
            elif name in held:
                held[name].reach(high, low)
        self._pass(desk, day, due, close_us)
        clock.advance_us(close_us)
        return day

    def _pass(self, desk: Desk, day: Day, due: Due, until_us: int) -> None:
        """All that is due up to then: the cycles, and at bar ends the decisions."""
        while due.next_us <= until_us:
            at_us = due.next_us
            self._clock.advance_us(at_us)
            if at_us == due.cycle_us:
                self._renew(desk)
                self._watch(desk, day.last_prices())
                desk.heed_silence(at_us, day.heard_us)
            if at_us == due.decision_us and desk.inside is not None:
                desk.inside.decide(at_us, day.bars, closing=at_us >= due.last_us)
                self._journal.rest()
            due.done(at_us)

    def _watch(self, desk: Desk, prices: Mapping[str, float], when: str = "cycle") -> None:
        """The five-minute cycle: the venue's books and the kill switch first, then what was lost, on prices that can be
        believed."""
        desk.heed_venue(when)
        if not desk.heed_switch(prices):
            desk.heed_losses(prices)
