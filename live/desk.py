"""One session's trading: what is watched while it lasts, and what its bars do to orders, positions and the account."""

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from live import canonical, opening
from live.book import Book
from live.clock import TapeClock, from_us, text_of
from live.flatten import Flattening
from live.inside import Inside
from live.journal import Journal
from live.orders import OrderManager
from live.ports import Action, Bar, Fill, Venue
from live.positions import Positions
from live.reconcile import Reconciler
from live.risk import KillMode, KillSwitch, Memory, RiskState, after_loss
from live.tail import Tail
from models.bundle import Bundle, SessionTimes

if TYPE_CHECKING:
    from live.engine import Terms


def actions_in(payload: Mapping[str, Any]) -> list[Action]:
    """The actions that a journaled day of bars was finished with."""
    return [Action(name, dt.date.fromisoformat(day), kind, amount) for name, day, kind, amount in payload["actions"]]


class Desk:
    """The state of one session while its transaction is open."""

    def __init__(self, bundle: Bundle, tail: Tail, book: Book, journal: Journal, venue: Venue, clock: TapeClock,
                 terms: "Terms", times: SessionTimes, memory: Memory, switch: KillSwitch,
                 reconciler: Reconciler | None = None, reached: Callable[[str], None] | None = None) -> None:
        self.bundle, self.tail, self.book, self.journal, self.venue = bundle, tail, book, journal, venue
        self.clock, self.terms, self.times = clock, terms, times
        self.memory, self.switch, self.reconciler = memory, switch, reconciler
        fence = journal.check if journal.ahead else None
        self.orders = OrderManager(venue, self.write, reached, fence, plain_acks=not terms.brief)
        self.watch: Positions | None = None  # follows trades and their stops, where anything asks for it
        self.inside: Inside | None = None  # decides at bar ends; None for a strategy that decides before the open
        self.scale = 1.0  # of every new position, where limits say that sizes adapt
        self._silent_since_us = -1
        self.decided: Mapping[str, Any] | None = None  # the decision's row, which an earlier process may have written
        self.begun = False  # splits are booked and the venue is open: from here on orders may go
        self.actions: list[Action] = []  # those that go ex on this session
        self.known_actions: Sequence[Action] = ()
        self.trade_cost = self.dividends = 0.0
        self.reference: Mapping[str, float] = {}  # last known prices, in shares of this session
        self.counts = {"orders": 0, "fills": 0, "refused": 0}
        self.stale_sessions = tail.missing_before(times.session)
        state = journal.last("state")
        self.state = RiskState(state.payload["state"]) if state else RiskState.ACTIVE
        self.flattening: Flattening | None = None
        if state and state.payload.get("mode") == KillMode.FLATTEN and self.state is RiskState.REDUCING:
            self.flattening = Flattening(self)  # begun before, perhaps by a process that is gone
        closed = journal.last("close")
        self.start_equity = float(closed.payload["equity"]) if closed else book.equity()

    def write(self, kind: str, payload: dict[str, Any]) -> None:
        self.journal.write(kind, self.times.session, text_of(self.clock.now_us), payload)

    def heed_venue(self, when: str) -> bool:
        """Follow the venue's word on our orders and hold its books against ours; whether they agree."""
        if self.reconciler is None:
            return True
        agreed = self.reconciler.look(self, when)
        if self.begun:
            opening.send_pending(self)
        return agreed

    @property
    def agreed(self) -> bool:
        """Nothing is sent to a venue whose books were never seen to be ours."""
        return self.reconciler is None or self.reconciler.clean

    def heed_switch(self, prices: Mapping[str, float]) -> bool:
        """Do what a thrown kill switch says, or said before; whether there is anything else to heed."""
        thrown = self.switch.thrown()
        if thrown is None:
            if self.flattening is None:
                return False
            self.pursue(prices)
            return self.flattening is not None
        mode, by = thrown
        if mode is KillMode.HALT:
            self.move(RiskState.HALTED, by)
            return True
        if self.flattening is None and self.book.shares():
            self.move(RiskState.REDUCING, f"{by}: flatten", mode)
        if self.flattening:
            self.pursue(prices)
        else:
            self.move(RiskState.HALTED, f"{by}: flat")
        return True

    def pursue(self, prices: Mapping[str, float]) -> None:
        if self.flattening and self.begun and self.agreed:
            self.flattening.pursue(prices)

    def heed_losses(self, prices: Mapping[str, float]) -> None:
        """Tighten the state by what the day, the month and the way down from the peak have cost so far."""
        limits, equity = self.terms.limits, self.equity(prices)
        for name, lost, reduce_at, halt_at in (
            ("daily loss", self.loss(equity), limits.daily_loss_reduce, limits.daily_loss_halt),
            ("drawdown", self.memory.drawdown(equity), limits.drawdown_reduce, limits.drawdown_halt),
            ("monthly loss", self.memory.month_loss(equity), math.inf, limits.monthly_loss_halt),
        ):
            if lost < reduce_at and lost < halt_at or reduce_at == halt_at == math.inf:
                continue
            state, reason = after_loss(self.state, lost, reduce_at, halt_at), f"{name} {lost:.4f} of equity"
            if state is RiskState.HALTED is not self.state and limits.close_on_halt and self.book.shares():
                self.move(RiskState.REDUCING, f"{reason}: flatten", KillMode.FLATTEN)
                return
            self.move(state, reason)

    def least_usd(self) -> float:
        """Above this equity `heed_losses` finds nothing, whatever rounding does."""
        limits = self.terms.limits
        return max(_at_least(before, min(most)) for before, *most in (
            (self.start_equity, limits.daily_loss_reduce, limits.daily_loss_halt),
            (self.memory.peak_equity, limits.drawdown_reduce, limits.drawdown_halt),
            (self.memory.month_equity, limits.monthly_loss_halt)))

    def heed_silence(self, now_us: int, heard_us: int) -> None:
        """Tell once of each time that no name is heard of for too long."""
        if (now_us - heard_us) / 1e6 > self.terms.limits.max_feed_silence_s and heard_us != self._silent_since_us:
            self._silent_since_us = heard_us
            self.write("hazard", {"kind": "feed_silent", "since": from_us(heard_us).isoformat()})

    def move(self, state: RiskState, reason: str, mode: KillMode | None = None) -> None:
        """Change the state, once, and take back what it no longer allows."""
        if state is self.state and mode is None:
            return
        self.write("state", {"state": state, "was": self.state, "reason": reason, **({"mode": mode} if mode else {})})
        self.state = state
        self.flattening = Flattening(self) if mode is KillMode.FLATTEN else None
        if state is not RiskState.ACTIVE:
            self.take_back(f"{state}: {reason}", everything=state is RiskState.HALTED or mode is not None)

    def take_back(self, reason: str, *, everything: bool) -> None:
        """Cancel what the state no longer allows: all, or all but what closes."""
        held = self.book.shares()
        for tracked in self.orders.working():
            name, left = tracked.order.instrument_id, tracked.order.quantity - tracked.filled
            closing = held.get(name, 0) * left < 0 and abs(left) <= abs(held.get(name, 0))
            if everything or not closing:
                self.orders.cancel(tracked.order.order_id, reason)

    def leave(self) -> None:
        """The session is over. What belonged to it lets go of each other: it is gone at once, not some day."""
        del self.orders, self.watch, self.inside, self.flattening

    def symbol_of(self, name: str) -> str:
        return self.tail.symbols.get(name, name)

    def begin(self, actions: Sequence[Action]) -> None:
        """The decision, half an hour before the open."""
        opening.begin(self, actions)

    def on_bar(self, bar: Bar, *, first: bool) -> None:
        """The venue fills what it will; with a name's first bar, every holding has its basis of the day."""
        if first:
            self._doubt(bar)
        fills = self.venue.on_bar(bar)
        while fills:
            sent = self.orders.sent
            for fill in fills:
                self.orders.on_fill(fill)
                self.booked(fill)
            fills = self.venue.on_bar(bar) if self.orders.sent != sent else ()  # a stop of what was just entered
        if first and (holding := self.book.holdings.get(bar.instrument_id)) is not None:
            holding.basis = bar.open
        if self.watch is not None:
            self.watch.on_bar(bar)
        if self.inside is not None:
            self.inside.on_bar(bar.instrument_id)

    def booked(self, fill: Fill) -> None:
        self.book.fill(fill, self.times.session)
        self.trade_cost += fill.cost
        self.counts["fills"] += 1
        if self.watch is not None:
            self.watch.filled(fill)

    def _doubt(self, bar: Bar) -> None:
        """An opening print beyond belief is not traded on: a bad print, or a split that nobody has told us of."""
        before = self.reference.get(bar.instrument_id, math.nan)
        gap = abs(bar.open / before - 1.0) if before > 0 else 0.0
        if gap <= self.terms.limits.max_mark_gap:
            return
        orders = [tracked.order for tracked in self.orders.working()
                  if tracked.order.instrument_id == bar.instrument_id]
        if orders and not any(order.allows(bar.open) for order in orders):
            return  # its own limit price says no already, and the journal will
        self.write("hazard", {"kind": "price_gap", "instrument_id": bar.instrument_id, "price": bar.open,
                              "before": before, "limit": canonical.plain(self.terms.limits.max_mark_gap)})
        for order in orders:
            self.orders.cancel(order.order_id, "the opening print is beyond belief")

    def equity(self, prices: Mapping[str, float]) -> float:
        """What the account is worth at these prices; one that leapt beyond belief does not count."""
        values, most = [self.book.cash], self.terms.limits.max_mark_gap
        for name, holding in self.book.holdings.items():
            price, before = prices.get(name, holding.price), holding.price
            gap = abs(price / before - 1.0) if before > 0 else math.inf
            value = holding.shares * (price if gap <= most else before)
            if value == value:  # one without a price counts nothing
                values.append(value)
        return math.fsum(values)

    def loss(self, equity: float) -> float:
        """Share of the session's first equity lost so far."""
        return (self.start_equity - equity) / self.start_equity if self.start_equity > 0 else math.inf


def _at_least(before: float, most_lost: float) -> float:
    """The equity that is left when a share of what there was before is lost, and a hair more."""
    if math.isinf(most_lost):
        return -math.inf
    return before * (1.0 - most_lost) + before * 1e-9 if before > 0.0 else math.inf
