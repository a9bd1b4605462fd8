"""Ticks, answers, crashes, restarts, kills in any order: the venue holds every order that passed the limits, once."""

import datetime as dt
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from live.book import Book
from live.journal import Journal
from live.orders import OrderManager, State, client_order_id
from live.ports import Ack, Bar, Fill, Holdings, Order, Standing
from live.reconcile import differences
from live.recovery import book_of, orders_in
from live.risk import Limits, Proposal, RiskState, Situation, screen
from tests.venues.exchange import Duplicate, Exchange
from tests.venues.plain import _told

AT = dt.datetime(2025, 7, 1, 13, 0, tzinfo=dt.UTC)
DAY = AT.date()
NAMES = ("A", "B", "C")
PRICE = 50.0
LIMITS = Limits(max_weight=0.2, max_order_notional_usd=150_000.0, price_collar=0.5)
CAPITAL = 1_000_000.0


class Died(BaseException):
    """The process ended here; whatever it held in memory is gone."""


class Venue:
    """A broker with the exchange in this process; the next answer is arranged, and it may outlive whoever asked."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange, self.answer = exchange, "acked"

    def open_session(self, liquidity: object) -> None: ...

    def on_bar(self, bar: Bar) -> list[Fill]:
        return []

    def submit(self, order: Order) -> Ack:
        answer, self.answer = self.answer, "acked"
        if answer == "never":
            raise TimeoutError("it did not arrive")
        try:
            told = self.exchange.submit(order.order_id, order.instrument_id, order.quantity, order.limit_price,
                                        "no borrow" if answer == "rejected" else "")
        except Duplicate:
            told = self.exchange[order.order_id]
        if answer == "lost":
            raise ConnectionError("it arrived, and nobody said so")
        return Ack(order.order_id, told.state != "rejected", told.reason)

    def cancel(self, order_id: str) -> bool:
        return self.exchange.cancel(order_id)

    def standings(self, order_ids: list[str]) -> dict[str, Standing]:
        found = [self.exchange.find(name) for name in order_ids]
        return {order.client_id: Standing(**_told(order)) for order in found if order is not None}

    def holdings(self) -> Holdings:
        return Holdings(self.exchange.cash(), self.exchange.positions(),
                        [Standing(**_told(order)) for order in self.exchange.orders(working=True)])


class Trading(RuleBasedStateMachine):
    """One account through any number of processes. Each decision is written with its intents before any is sent."""

    @initialize()
    def account(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="orders-"))
        self.exchange = Exchange(":memory:", CAPITAL)
        self.venue = Venue(self.exchange)
        self.ticks, self.passed, self.killed, self.alive = 0, [], False, False  # type: ignore[var-annotated]
        self.dies_at, self.points = 0, 0
        self.start()

    def teardown(self) -> None:
        """Every story ends with a start and a calm look."""
        if hasattr(self, "folder"):
            self.journal.close()
            self.start()
            self.calm()
            self.journal.close()
            self.exchange.close()
            shutil.rmtree(self.folder)

    def reached(self, _: str) -> None:
        self.points += 1
        if self.points == self.dies_at:
            raise Died

    def process(self, *work: object) -> None:
        """What a process does until it dies, if it does."""
        try:
            for step in work:
                step()  # type: ignore[operator]
        except Died:
            self.journal.close()
            self.alive = False
        self.dies_at = 0

    def start(self) -> None:
        self.journal = Journal(self.folder / "j.sqlite", ahead=True)
        self.alive = True

        def take_up() -> None:
            self.book: Book = book_of(self.journal, CAPITAL)
            self.orders = OrderManager(self.venue, lambda kind, told: self.write(kind, told), self.reached)
            for tracked in orders_in(self.journal.entries()):
                self.orders.adopt(tracked)
            self.orders.resolve(self.booked, must=True)
            self.orders.collect(self.booked)

        self.process(take_up, self.send)

    def write(self, kind: str, told: dict[str, object]) -> None:
        self.journal.append(kind, DAY, AT, told)

    def booked(self, fill: Fill) -> None:
        self.book.fill(fill, DAY)

    def send(self) -> None:
        for tracked in self.orders.working():
            if tracked.state is State.PENDING and self.killed:
                self.orders.cancel(tracked.order.order_id, "killed")
            elif tracked.state is State.PENDING:
                self.orders.send(tracked.order.order_id)

    def decide(self, wanted: dict[str, int]) -> None:
        state = RiskState.HALTED if self.killed else RiskState.ACTIVE
        situation = Situation(CAPITAL, self.book.shares(), dict.fromkeys(NAMES, PRICE), 0, state, {}, 1.0)
        proposals = [Proposal(name, quantity, PRICE, 1.0, True, 1.0) for name, quantity in sorted(wanted.items())]
        verdicts = screen(LIMITS, situation, proposals)
        made = [Order(client_order_id("x", "s", "b", str(self.ticks), one.proposal.instrument_id, "open"),
                      one.proposal.instrument_id, one.quantity, None) for one in verdicts if one.quantity]
        with self.journal.transaction():
            for order in made:
                self.orders.intend(order)
        self.passed += made  # from here on it is decided, whatever happens to this process

    @precondition(lambda self: self.alive)
    @rule(wanted=st.dictionaries(st.sampled_from(NAMES), st.integers(-6_000, 6_000).filter(bool), min_size=1),
          answer=st.sampled_from(["acked", "lost", "never", "rejected"]), dies_at=st.integers(0, 14))
    def tick(self, wanted: dict[str, int], answer: str, dies_at: int) -> None:
        self.ticks += 1
        self.venue.answer, self.dies_at, self.points = answer, dies_at, 0
        self.process(lambda: self.decide(wanted), self.send)

    @rule(name=st.sampled_from(NAMES), part=st.integers(1, 4_000))
    def market(self, name: str, part: int) -> None:
        self.exchange.trade(name, PRICE, most=part)

    @precondition(lambda self: self.alive)
    @rule(dies_at=st.integers(0, 6))
    def look(self, dies_at: int) -> None:
        """The five-minute look: lost answers are asked for, and what never arrived is sent."""
        self.dies_at, self.points = dies_at, 0
        self.process(lambda: self.orders.resolve(self.booked), lambda: self.orders.collect(self.booked), self.send)

    @precondition(lambda self: self.alive)
    @rule()
    def crash(self) -> None:
        self.journal.close()
        self.alive = False

    @precondition(lambda self: not self.alive)
    @rule()
    def restart(self) -> None:
        self.start()

    @rule()
    def kill(self) -> None:
        """The switch: everything is cancelled, nothing more is sent."""
        self.killed = True
        if self.alive:
            self.process(lambda: [self.orders.cancel(one.order.order_id, "killed") for one in self.orders.working()])

    @invariant()
    def nothing_is_there_twice_or_uncalled_for(self) -> None:
        if not hasattr(self, "passed"):
            return
        taken = [name for name, was in self.exchange.arrivals() if was]
        assert len(taken) == len(set(taken))
        assert set(taken) <= {order.order_id for order in self.passed}
        for order in self.exchange.orders():
            assert abs(order.quantity) * PRICE <= LIMITS.max_order_notional_usd

    @precondition(lambda self: self.alive)
    @rule()
    def calm(self) -> None:
        """Whatever happened before: after a look nothing is unknown, nothing is lost, and both books are equal."""
        self.process(lambda: self.orders.resolve(self.booked), self.send, lambda: self.orders.collect(self.booked))
        states = {tracked.order.order_id: tracked.state for tracked in self.orders.working()}
        assert State.UNKNOWN not in states.values() and State.PENDING not in states.values()
        theirs = self.venue.holdings()
        assert not differences(self.book.shares(), self.book.cash, self.orders.working(), theirs, within_usd=0.01)
        if not self.killed:
            taken = {name for name, was in self.exchange.arrivals() if was}
            assert taken == {order.order_id for order in self.passed}


TestTrading = Trading.TestCase
TestTrading.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
