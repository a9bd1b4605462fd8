"""One session's trading: actions booked, a plan made, limits applied, intents written ahead of every order sent."""

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from live import canonical
from live.book import Book
from live.clock import from_us
from live.deciding import Plan, plan
from live.flatten import Flattening
from live.inside import Inside
from live.journal import Journal
from live.orders import OrderManager, State, Tracked, client_order_id
from live.ports import Action, Bar, Clock, Fill, Order, Venue
from live.positions import Positions
from live.reconcile import Reconciler
from live.recovery import reference_in
from live.risk import KillMode, KillSwitch, Memory, RiskState, Situation, Verdict, after_loss, screen
from live.risk.adaptive import size_scale
from live.risk.groups import groups_of
from live.tail import Tail, brought_rows
from models.bundle import Bundle, SessionTimes

if TYPE_CHECKING:
    from live.engine import Terms

MOST_SENDINGS = 3  # of one order, each after the venue said that it has never seen it


def actions_in(payload: Mapping[str, Any]) -> list[Action]:
    """The actions that a journaled day of bars was finished with."""
    return [Action(name, dt.date.fromisoformat(day), kind, amount) for name, day, kind, amount in payload["actions"]]


class Desk:
    """The state of one session while its transaction is open."""

    def __init__(self, bundle: Bundle, tail: Tail, book: Book, journal: Journal, venue: Venue, clock: Clock,
                 terms: "Terms", times: SessionTimes, memory: Memory, switch: KillSwitch,
                 reconciler: Reconciler | None = None, reached: Callable[[str], None] = lambda name: None) -> None:
        self.bundle, self.tail, self.book, self.journal, self.venue = bundle, tail, book, journal, venue
        self.clock, self.terms, self.times = clock, terms, times
        self.memory, self.switch, self.reconciler = memory, switch, reconciler
        self.orders = OrderManager(venue, self._write_of_order if terms.brief else self.write, reached, journal.check)
        self.watch: Positions | None = None  # follows trades and their stops, where anything asks for it
        self.inside: Inside | None = None  # decides at bar ends; None for a strategy that decides before the open
        self.scale = 1.0  # of every new position, where limits say that sizes adapt
        self._silent_since_us = -1
        self.decided: Mapping[str, Any] | None = None  # the decision's row, which an earlier process may have written
        self._begun = False  # splits are booked and the venue is open: from here on orders may go
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
        self.journal.append(kind, self.times.session, self.clock.now(), payload)

    def _write_of_order(self, kind: str, payload: dict[str, Any]) -> None:
        if kind != "ack" or not payload["accepted"]:
            self.write(kind, payload)

    def heed_venue(self, when: str) -> bool:
        """Follow the venue's word on our orders and hold its books against ours; whether they agree."""
        if self.reconciler is None:
            return True
        agreed = self.reconciler.look(self, when)
        if self._begun:
            self._send_pending()
        return agreed

    @property
    def agreed(self) -> bool:
        """Nothing is sent to a venue whose books were never seen to be ours."""
        return self.reconciler is None or self.reconciler.clean

    def heed_switch(self, prices: Mapping[str, float]) -> bool:
        """Do what a thrown kill switch says, or said before; whether there is anything else to heed."""
        thrown = self.switch.thrown()
        if thrown is None:
            self._pursue(prices)
            return self.flattening is not None
        mode, by = thrown
        if mode is KillMode.HALT:
            self.move(RiskState.HALTED, by)
            return True
        if self.flattening is None and self.book.shares():
            self.move(RiskState.REDUCING, f"{by}: flatten", mode)
        if self.flattening:
            self._pursue(prices)
        else:
            self.move(RiskState.HALTED, f"{by}: flat")
        return True

    def _pursue(self, prices: Mapping[str, float]) -> None:
        if self.flattening and self._begun and self.agreed:
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

    def begin(self, actions: Sequence[Action]) -> None:
        """The decision, half an hour before the open."""
        self._book_actions(actions)
        self._begun = True
        if self.decided is not None:
            self.venue.open_session(self._liquidity())
            self.reference = reference_in(self.decided, self.book)
            self.tail.decision_panel(self.times, self.clock.now())  # later decisions look back on this one's row
            self._send_pending()
            self._begin_watch(actions)
            return
        if self.flattening:
            self.venue.open_session(self._liquidity())
            self.reference = {name: holding.price for name, holding in self.book.holdings.items()}
            self._pursue({})
            return
        expired = self.bundle.manifest.expires < self.clock.now()
        allowed = RiskState.REDUCING if expired and self.state is RiskState.ACTIVE else self.state
        allowed = self._cooled(allowed)
        if self.stale_sessions > self.terms.limits.max_stale_sessions:
            self.write("hold", {"reason": f"bars of {self.stale_sessions} session(s) before this one are missing: "
                                          "nothing is decided on old data", "newest_bars": str(self.tail.newest)})
            return
        if self.inside is not None:
            liquidity = self._liquidity()
            regime = self._regime()
            self.scale = size_scale(self.terms.limits, self.memory, regime)
            self.venue.open_session(liquidity)
            self.reference = {name: holding.price for name, holding in self.book.holdings.items()}
            self.inside.begin(allowed, self._begin_watch(actions), liquidity,
                              self.tail.continuity(self.times.session, actions), regime)
            return
        made = plan(self.bundle, self.tail, self.times, self.clock.now(), actions, self.book.shares(), self.terms.costs,
                    lambda regime: size_scale(self.terms.limits, self.memory, regime))
        self.venue.open_session(made.liquidity())
        prices = {name: holding.price for name, holding in self.book.holdings.items()}
        known = dict(zip(made.decision.names, made.reference.tolist(), strict=True))
        prices.update({name: price for name, price in known.items() if math.isfinite(price)})
        self.reference = prices
        limits, equity = self.terms.limits, self.book.equity()
        situation = Situation(
            equity, self.book.shares(), prices, self.stale_sessions, allowed,
            groups_of(limits, made.decision.names, self.bundle.snapshot.symbols, self.tail.daily_returns()),
            self.memory.headroom(limits, equity, self.loss(equity)))
        verdicts = screen(self.terms.limits, situation, made.proposals)
        decided = {**made.as_json(self.bundle), "state": allowed, "expired": expired, "equity": situation.equity,
                   "held": situation.held}
        with self.journal.transaction():  # a decision is written down with all that it intends, or not at all
            self._write_features(made)
            self.write("decision", decided)
            for verdict in verdicts:
                self._intend(made, verdict)
        self.decided = decided
        self._send_pending()
        self._begin_watch(actions)

    def _begin_watch(self, actions: Sequence[Action]) -> Mapping[str, float]:
        """One ATR a share by name; with it the stops of what is held go to the venue before the first print."""
        if self.watch is None:
            return {}
        reference = self.tail.reference_prices(self.times.session, actions)
        self.watch.atr_usd = dict(zip(self.tail.names, self.tail.atr14_usd(reference).tolist(), strict=True))
        known = zip(self.tail.names, reference.tolist(), strict=True)
        self.reference = {**self.reference, **{name: price for name, price in known if math.isfinite(price)}}
        for name in sorted(self.watch.trades):
            self.watch.guard(name)
        return self.watch.atr_usd

    def _regime(self) -> dict[str, float]:
        """What the bundle's own regime model says of the coming session, for sizes that adapt to it."""
        if self.bundle.strategy.intraday is None or not self.tail.decides:
            return {}
        panel = self.tail.decision_panel(self.times, self.clock.now())
        hmm = self.bundle.models.hmm
        posterior = hmm.posterior(panel, len(panel.sessions) - 1).tolist()
        return dict(zip(hmm.names, posterior, strict=True))

    def symbol_of(self, name: str) -> str:
        names = self.tail.names
        return self.bundle.snapshot.symbols[names.index(name)] if name in names else name

    def _send_pending(self) -> None:
        """What the venue has not seen, if the books agree. An answer that was lost is asked for at once."""
        for _ in range(MOST_SENDINGS):
            for tracked in self.orders.working() if self.agreed else ():
                if self.heed_switch({}):  # thrown since the decision began: what was not sent is not sent
                    return
                if tracked.state is State.PENDING:
                    self._send(tracked)
            if not self.orders.resolve(self.booked):
                return

    def _send(self, tracked: Tracked) -> None:
        if (self.terms.wall or self.clock).now() >= self.times.open_at and not tracked.order.reduce_only:
            self.orders.cancel(tracked.order.order_id, "too late: its session has opened without it")
            return
        self.orders.send(tracked.order.order_id)

    def _liquidity(self) -> dict[str, tuple[float, float]]:
        adv20_usd, vol20_daily = self.tail.liquidity()
        return dict(zip(self.tail.names, zip(adv20_usd.tolist(), vol20_daily.tolist(), strict=True), strict=True))

    def _cooled(self, state: RiskState) -> RiskState:
        """Only closing orders while the account cools off from losses in a row."""
        until = self.memory.cooling_until(self.terms.limits, self.clock.now())
        if until is None or state is RiskState.HALTED:
            return state
        self.write("cooling", {"losses_in_a_row": self.memory.losses_in_a_row, "until": until.isoformat(),
                               "limit": canonical.plain(self.terms.limits.max_losses_in_a_row)})
        return RiskState.REDUCING

    def _book_actions(self, actions: Sequence[Action]) -> None:
        """Credit each split and dividend once, to what was held into its ex-date, however late it became known."""
        self.known_actions = actions
        done = {tuple(entry.payload["action"][:3]) for entry in self.journal.entries("action")}
        for action in actions:
            key = (action.instrument_id, action.ex_date.isoformat(), action.kind)
            if action.ex_date == self.times.session:
                self.actions.append(action)
            closed = self.journal.last("close", before=action.ex_date)
            holdings = closed.payload["book"]["holdings"] if closed else {}
            entitled = holdings.get(action.instrument_id, [0])[0]
            if entitled and key not in done:
                cash = self.book.apply(action, entitled)
                self.dividends += cash
                self.write("action", {"action": [*key, action.amount], "entitled": entitled, "cash": cash})

    def _write_features(self, made: Plan) -> None:
        """Rows that this bundle did not bring and the journal does not have yet: what scores can be redone from."""
        taken = self.journal.last("bundle")
        seen = {row["session"] for entry in self.journal.entries("features", since=taken.seq if taken else 0)
                for row in entry.payload["rows"]}
        brought = {str(day) for day in brought_rows(self.bundle).sessions}
        rows = [made.row_as_json(index) for index, day in enumerate(made.panel.sessions)
                if str(day) not in seen | brought]
        self.write("features", {"bundle": self.bundle.digest, "features": list(made.panel.features),
                                "names": list(made.panel.names), "rows": rows})

    def _intend(self, made: Plan, verdict: Verdict) -> None:
        """Write down what will be sent, or what was refused and by which limit."""
        wanted = verdict.proposal
        index = made.decision.names.index(wanted.instrument_id)
        symbol = self.bundle.snapshot.symbols[index]
        order_id = client_order_id(self.terms.account, self.bundle.strategy.name, self.bundle.digest,
                                   self.times.session.isoformat(), wanted.instrument_id, "open")
        payload = {
            "order_id": order_id, "decision_id": made.decision_id, "instrument_id": wanted.instrument_id,
            "symbol": symbol, "asked": wanted.quantity, "quantity": verdict.quantity,
            "reference_price": canonical.plain(wanted.price), "checks": [check.as_json() for check in verdict.checks],
        }
        if not verdict.quantity:
            self.counts["refused"] += 1
            self.write("refused", {**payload, "refused_by": verdict.refused_by})
            return
        collar = self.terms.limits.price_collar * math.copysign(1.0, verdict.quantity)
        limit_price = wanted.price * (1.0 + collar) if math.isfinite(collar) else None
        order = Order(order_id, wanted.instrument_id, verdict.quantity, limit_price)
        self.orders.intend(order, payload)
        self.counts["orders"] += 1
        if self.watch is not None:
            self.watch.knows(order_id, payload)

    def on_bar(self, bar: Bar, *, first: bool) -> None:
        """The venue fills what it will; with a name's first bar, every holding has its basis of the day."""
        if first:
            self._doubt(bar)
        fills = self.venue.on_bar(bar)
        while fills:
            for fill in fills:
                self.orders.on_fill(fill)
                self.booked(fill)
            fills = self.venue.on_bar(bar) if self.watch is not None else ()  # a stop of what was just entered
        holding = self.book.holdings.get(bar.instrument_id)
        if holding is not None and first:
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
