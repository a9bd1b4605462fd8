"""A recorded day through the live engine: the event-driven backtest, and the morning's rehearsal."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from live.adapters.bundles import source_of
from live.adapters.paper import PaperVenue
from live.adapters.tape import TapeFeed
from live.adapters.tape import schema as tape_schema
from live.clock import TapeClock, from_us
from live.engine import DECIDE_BEFORE_OPEN, Engine, Terms
from live.journal import Entry, Journal
from live.ports import Action
from live.renewal import take
from live.risk import KillSwitch, Limits
from models.bundle import BundleRefused
from models.market.costs import CostModel

# Whoever makes a tape or asks for a replay enters live here, and by no other door.
__all__ = ["Action", "ReplayReport", "SessionResult", "replay", "tape_schema"]


@dataclass(frozen=True)
class SessionResult:
    """One closed session, in dollars. `pnl` is net of `costs` and runs from close to close."""

    session: str
    orders: int
    fills: int
    refused: int
    pnl: float
    costs: float
    start_equity: float
    end_equity: float
    state: str
    decision_id: str | None
    features_as_judged: bool | None  # parity with research, bit for bit, where the bundle says what research had
    already: bool  # it was in the journal before this run


@dataclass(frozen=True)
class ReplayReport:
    sessions: tuple[SessionResult, ...]
    notes: tuple[str, ...]
    flat_reason: str | None  # why nothing could be decided at all, in a plain sentence
    refused: bool  # there is a bundle, and it must not trade
    bundle_seq: int | None
    bundle_digest: str | None
    journal_rows: int
    journal_head: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def result_of(entry: Entry, *, already: bool) -> SessionResult:
    told = entry.payload
    return SessionResult(entry.session or "", told["orders"], told["fills"], told["refused"], told["pnl"],
                         told["costs"], told["start_equity"], told["equity"], told["state"], told["decision_id"],
                         told["features_as_judged"], already)


def replay(
    bundle_dir: Path, tape: Path, journal: Path, *, verify_keys: Sequence[bytes], kill_file: Path | None = None,
    limits: Limits | None = None, costs: CostModel | None = None, account: str = "paper",
    reached: Callable[[str], None] = lambda name: None, say: Callable[[str], None] = lambda text: None,
    listen: bool = False, shadow: Path | None = None,
) -> ReplayReport:
    """Trade the tape's sessions on paper with the newest bundle. A session that is in the journal is not traded again.

    `bundle_dir` is a bundle's folder, or the folder whose `current` names one. `reached` is told each point at which
    a kill must do no harm. A `shadow` is a challenger's bundle, which decides too and sends nothing. With `listen` the
    process takes SIGUSR1 for a halt and SIGUSR2 for flatten.
    """
    switch = KillSwitch(kill_file)
    if listen:
        switch.listen()
    feed = TapeFeed(tape)
    with Journal(journal) as book:
        closed = {entry.session: entry for entry in book.entries("close")}
        todo = [session for session in feed.sessions() if session.isoformat() not in closed]
        results = [result_of(closed[day.isoformat()], already=True) for day in feed.sessions() if day not in todo]
        notes = [f"session {result.session}: already replayed; the journal stands" for result in results]
        bundle, flat, refused = None, None, False
        if todo:
            clock = TapeClock(_first_moment(feed, todo[0]))
            try:
                bundle = take(source_of(bundle_dir, journal), book, verify_keys, clock)
            except BundleRefused as refusal:
                flat, refused = f"the bundle was refused: {refusal.reason}; nothing is traded with it", True
            if bundle is not None:
                terms = Terms(account, limits or Limits(), costs or CostModel.default(), kill_file, switch)
                engine = Engine(bundle, book, PaperVenue(terms.costs), clock, terms, reached)
                for session in todo:
                    reason = not_for(engine, book, session)
                    if reason is not None:
                        notes.append(f"session {session}: {reason}")
                        continue
                    say(f"session {session}")
                    if shadow is not None:
                        from live.shadow import challenger

                        why_not = challenger(shadow, verify_keys, clock.now(), terms.costs).decide(
                            book, session, feed.actions(session))
                        notes += [f"session {session}: no shadow run: {why_not}"] if why_not else []
                    engine.run_session(session, feed)
                    done, hold = book.last("close"), book.last("hold")
                    assert done is not None
                    if hold is not None and hold.session == done.session:
                        notes.append(f"session {session}: {hold.payload['reason']}")
                    results.append(result_of(done, already=False))
            elif not refused:
                flat = f"no approved bundle in {bundle_dir}: live stays flat until a night's gate lets one through"
        rows, head = book.head()
        return ReplayReport(tuple(sorted(results, key=lambda result: result.session)), tuple(notes), flat, refused,
                            bundle.seq if bundle else None, bundle.digest if bundle else None, rows, head)


def _first_moment(feed: TapeFeed, session: dt.date) -> dt.datetime:
    """The tape's own idea of when its first session is decided; the bundle's calendar has the last word."""
    return from_us(next(iter(feed.bars(session))).start_us) - DECIDE_BEFORE_OPEN


def held(journal: Path) -> list[str]:
    """Sessions of a journal for which nothing was decided, and why."""
    if not journal.exists():
        return []
    book = Journal(journal, read_only=True)
    try:
        return [f"session {entry.session}: {entry.payload['reason']}" for entry in book.entries("hold")]
    finally:
        book.close()


def not_for(engine: Engine, journal: Journal, session: dt.date) -> str | None:
    """Why a session of the tape is not traded, if it is not."""
    newest = journal.last("close")
    if newest is not None and session.isoformat() < (newest.session or ""):
        return f"older than the journal's newest session {newest.session}; a journal only goes forward"
    if session <= engine.tail.newest:
        return f"the bundle's data run to {engine.tail.newest}: what a model has seen is no test of it"
    if engine.tail.times(session) is None:
        return "not in the bundle's calendar"
    return None
