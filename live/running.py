"""A runner in real time: it waits for each session's decision, trades it as the feed tells it, and can be looked at."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from live.adapters.bundles import source_of
from live.adapters.feed_stream import StreamedFeed
from live.adapters.paper import PaperVenue
from live.clock import TapeClock, to_us
from live.engine import DECIDE_BEFORE_OPEN, Engine, Terms
from live.guard import GuardedBroker, GuardedVenue, Watchdog
from live.hub import Hub
from live.journal import Journal
from live.now import Now, ToldJournal, WatchedFeed
from live.pace import Pace
from live.ports import Broker, Feed, Venue
from live.renewal import Renewal, take
from live.replay import ReplayReport, SessionResult, not_for, result_of
from live.risk import KillSwitch, Limits
from live.shadow import challenger
from live.vitals import Vitals, settle_heap
from models.bundle import Bundle, BundleRefused, SessionTimes
from models.market.costs import CostModel

Calendar = Mapping[dt.date, SessionTimes]
WAIT_S = 0.25


@dataclass
class Runner:
    """What it was started with. `feed` makes the feed once the bundle tells its calendar and its symbols."""

    bundle_dir: Path
    journal: Path
    feed: Callable[[Bundle], Feed]
    pace: Pace
    verify_keys: Sequence[bytes]
    kill_file: Path
    limits: Limits = field(default_factory=Limits)
    costs: CostModel = field(default_factory=CostModel.default)
    account: str = "paper"
    venue: Venue | None = None  # paper where none is given
    shadow: Path | None = None  # a challenger's bundle, which decides too and sends nothing
    broker: Callable[[Bundle], Broker] | None = None  # in the venue's place: one that keeps books, for these symbols
    say: Callable[[str], None] = lambda text: None

    def __post_init__(self) -> None:
        self.hub = Hub()
        self.vitals = Vitals(market_s=lambda: self.pace.now_us() / 1e6)
        self.now = Now(self.hub, self.vitals, self.costs.capital_usd)
        self.switch = KillSwitch(self.kill_file)

    def run(self, *, listen: bool = False) -> ReplayReport:
        """Trade the feed's sessions until they end. With `listen` (main thread only) signals throw the switch."""
        if listen:
            self.switch.listen()
        with ToldJournal(self.journal, self.now.on_row, ahead=self.broker is not None) as book:
            self.now.resume(book.last("close"))
            flat, refused, bundle, broker = None, False, None, None
            results: list[SessionResult] = []
            notes: list[str] = []
            try:
                source = source_of(self.bundle_dir, self.journal)
                bundle = take(source, book, self.verify_keys, TapeClock(self.pace.now()))
                broker = self.broker(bundle) if self.broker is not None and bundle is not None else None
            except BundleRefused as refusal:
                flat, refused = f"the bundle was refused: {refusal.reason}; nothing is traded with it", True
                bundle = None
            if bundle is None:
                flat = flat or (f"no approved bundle in {self.bundle_dir}: live stays flat until a night's gate lets "
                                "one through")
            else:
                calendar = {times.session: times for times in bundle.calendar}
                heard = self.feed(bundle)
                feed = WatchedFeed(heard, self.now)
                venue = GuardedBroker(broker, self.switch) if broker is not None else \
                    GuardedVenue(self.venue or PaperVenue(self.costs), self.switch)
                if listen:  # the process is ours
                    settle_heap()
                with Watchdog(self.switch, venue, self._told).watching(signals=listen):
                    try:
                        for session in feed.sessions():
                            done = self._session(book, feed, venue, calendar, session, notes)
                            results += [done] if done else []
                    except InterruptedError as end:
                        notes.append(f"{end}; a session that was begun is taken up again from its start")
                    finally:
                        self.now.ended()
                        if isinstance(heard, StreamedFeed):
                            heard.close()
            rows, head = book.head()
            return ReplayReport(tuple(results), tuple(notes), flat, refused, bundle.seq if bundle else None,
                                bundle.digest if bundle else None, rows, head)

    def _session(self, book: Journal, feed: Feed, venue: Venue, calendar: Calendar, session: dt.date,
                 notes: list[str]) -> SessionResult | None:
        """Wait for one session, and trade it with the bundle that is the newest by then."""
        closed = next(book.entries("close", session), None)
        if closed is not None:
            notes.append(f"session {session}: already traded; the journal stands")
            return result_of(closed, already=True)
        if session not in calendar:
            notes.append(f"session {session}: not in the bundle's calendar")
            return None
        decided_at = calendar[session].open_at - DECIDE_BEFORE_OPEN
        self._wait(to_us(decided_at), f"session {session} is decided at {decided_at:%Y-%m-%d %H:%M} UTC")
        bundle = take(source_of(self.bundle_dir, self.journal), book, self.verify_keys, TapeClock(self.pace.now()))
        if bundle is None:
            notes.append(f"session {session}: what served was withdrawn, so nothing is decided")
            return None
        terms = Terms(self.account, self.limits, self.costs, self.kill_file, self.switch,
                      wall=self.pace if self.broker is not None else None)
        engine = Engine(bundle, book, venue, TapeClock(decided_at), terms,
                        renewal=Renewal(source_of(self.bundle_dir, self.journal), self.verify_keys))
        reason = not_for(engine, book, session)
        if reason is not None:
            notes.append(f"session {session}: {reason}")
            return None
        if self.shadow is not None:
            notes += self._shadowed(self.shadow, book, session, feed)
        self.say(f"session {session}")
        engine.run_session(session, feed)
        self.vitals.rested()
        done = book.last("close")
        assert done is not None
        return result_of(done, already=False)

    def _shadowed(self, path: Path, book: Journal, session: dt.date, feed: Feed) -> list[str]:
        """Let the challenger decide beside the champion; whatever is wrong with it stops nobody."""
        try:
            why_not = challenger(path, self.verify_keys, self.pace.now(), self.costs).decide(
                book, session, feed.actions(session))
        except (BundleRefused, ValueError, OSError) as problem:
            why_not = str(problem)
        return [f"session {session}: no shadow run: {why_not}"] if why_not else []

    def _wait(self, until_us: int, why: str) -> None:
        if self.pace.now_us() < until_us:
            self.say(why)
        while self.pace.now_us() < until_us:
            if self.pace.stopped:
                raise InterruptedError("the runner was told to end")
            self.pace.wait(until_us, WAIT_S)

    def _told(self, mode: str, by: str, cancelled: int) -> None:
        self.hub.publish("kill", mode=mode, by=by, cancelled=cancelled)
