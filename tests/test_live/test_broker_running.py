"""The real-time runner on a venue that keeps books: a new account is taken over by hand, and then trades."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from live.adapters.feed_paced import PacedFeed
from live.adapters.tape import TapeFeed
from live.guard import GuardedBroker
from live.journal import Journal
from live.pace import Pace
from live.ports import Action, Bar, Broker, Order, Quiet
from live.recovery import adopt, book_of
from live.risk import KillSwitch, RiskState
from live.running import Runner
from models.bundle import Bundle
from models.market.costs import CostModel
from pipelines import calendars
from tests.test_live import world
from tests.venues import plain
from tests.venues.exchange import Exchange
from tests.venues.plain import PlainVenue

COMING = world.world().coming
CAPITAL = CostModel.default().capital_usd
SPEED = 60_000.0


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[PlainVenue]:
    with plain.running(tmp_path) as running:
        yield running


class Market:
    """A paced feed whose bars the venue trades on as they pass."""

    def __init__(self, feed: PacedFeed, venue: PlainVenue) -> None:
        self._feed, self._venue = feed, venue

    def sessions(self) -> Sequence[dt.date]:
        return self._feed.sessions()

    def actions(self, session: dt.date) -> Sequence[Action]:
        return self._feed.actions(session)

    def bars(self, session: dt.date) -> Iterator[Bar | Quiet]:
        for bar in self._feed.bars(session):
            if isinstance(bar, Bar):
                self._venue.ask("trade", symbol=bar.instrument_id, price=bar.open, at_us=bar.start_us, fee=1.0)
            yield bar


class Prompt(Pace):
    """Time in which no machine is so slow that a session opens before its orders are sent."""

    def __init__(self, opened: dt.datetime) -> None:
        super().__init__(opened - dt.timedelta(seconds=1900), SPEED)
        self._opened = opened

    def now(self) -> dt.datetime:
        return min(super().now(), self._opened - dt.timedelta(minutes=1))


def runner(bundles: Path, folder: Path, venue: PlainVenue, first: int, count: int) -> Runner:
    pace = Prompt(calendars.open_at(COMING[first]))
    tape = TapeFeed(world.tape(folder / f"tape-{first}-{count}.parquet", first, count))

    def feed(bundle: Bundle) -> Market:
        return Market(PacedFeed(tape, pace, {times.session: times for times in bundle.calendar}), venue)

    return Runner(bundles, folder / "live.sqlite", feed, pace, [world.PUBLIC], folder / "KILL", account="plain",
                  broker=lambda bundle: venue)


def test_a_new_account_halts_until_a_person_takes_it_over_and_then_trades(tmp_path: Path, venue: PlainVenue) -> None:
    bundles = world.publish(tmp_path / "bundles", rung="canary")
    exchange = Exchange(tmp_path / "ledger.sqlite")
    exchange.move(world.NAMES[0], 500, -4_000_000.0)
    (first,) = runner(bundles, tmp_path, venue, 0, 1).run().sessions
    assert (first.state, first.orders, first.fills) == (RiskState.HALTED, 0, 0) and not exchange.arrivals()
    assert len(list((tmp_path / "breaks").glob("*.txt"))) == 1
    with Journal(tmp_path / "live.sqlite", ahead=True) as journal:
        told = adopt(journal, venue, CAPITAL, {world.NAMES[0]: 80.0}, "funded on Monday", calendars.open_at(COMING[0]))
        assert (told["cash"], told["shares"]) == (-4_000_000.0, {world.NAMES[0]: 500})
        journal.append("state", None, calendars.open_at(COMING[0]),
                       {"state": "ACTIVE", "was": "HALTED", "reason": "by hand"})
    (second,) = runner(bundles, tmp_path, venue, 1, 1).run().sessions
    assert second.state == RiskState.ACTIVE and second.fills == second.orders > 0
    assert second.start_equity == 6_040_000.0
    assert len(exchange.arrivals()) == second.orders
    with Journal(tmp_path / "live.sqlite", read_only=True) as journal:
        assert journal.verify() and next(journal.entries("reconciled", COMING[1])).payload["when"] == "start"
        book = book_of(journal, CAPITAL)
    assert book.shares() == exchange.positions() and book.cash == pytest.approx(exchange.cash(), abs=0.01)
    exchange.close()


def test_a_strategy_that_may_not_trade_money_stays_flat_and_says_so(tmp_path: Path, venue: PlainVenue) -> None:
    from live.adapters.brokers import broker_named

    one = runner(world.publish(tmp_path / "bundles"), tmp_path, venue, 0, 1)
    one.broker = lambda bundle: broker_named("alpaca", bundle, {})
    report = one.run()
    assert report.refused and report.flat_reason is not None and "trades on paper only" in report.flat_reason
    assert not report.sessions


def test_the_guard_knows_after_a_restart_what_still_works_there(tmp_path: Path, venue: PlainVenue) -> None:
    assert venue.submit(Order("o-before", "A", 10, None)).accepted
    guard = GuardedBroker(venue, KillSwitch(tmp_path / "KILL"))
    assert isinstance(guard, Broker) and guard.take_back() == 0
    assert [one.order_id for one in guard.holdings().working] == ["o-before"]
    assert guard.take_back() == 1 and guard.standings(["o-before"])["o-before"].state == "CANCELLED"
