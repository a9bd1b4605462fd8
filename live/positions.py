"""Positions under watch: each open trade with its stop at the venue, its reach, and what it came to when it ended."""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from live.clock import to_us
from live.journal import Entry
from live.orders import State, Tracked, client_order_id
from live.orders.states import ENDED
from live.ports import Action, Bar, Fill, Order
from live.recovery import fill_in
from live.risk.state import RiskState
from live.risk.stops import StopError, StopLossEngine, StopOrder
from live.trades import Trade
from models.intraday import StopRule

if TYPE_CHECKING:
    from live.desk import Desk


class Because(NamedTuple):
    """Why an order was sent: the decision, the price that it saw, and what leaving a position by it is called."""

    decision_id: str | None
    price: float
    reason: str


UNTOLD = Because(None, math.nan, "MANUAL")  # a person's flatten


def stop_for(rule: StopRule, entry: float, side: int, atr_usd: float, levels: Sequence[float]) -> StopOrder:
    """The stop that a rule gives an entry; StopError where it gives none."""
    told = {"side": side, "pct": rule.pct, "atr": atr_usd if math.isfinite(atr_usd) else None, "levels": levels,
            "multiple": rule.multiple, "reward_risk": rule.reward_risk, "bars": rule.bars,
            "buffer_ticks": rule.buffer_ticks}
    return StopLossEngine().get_stop(entry, rule.method, {name: one for name, one in told.items() if one is not None})


class Positions:
    """Follows fills into trades. With a stop rule each trade is guarded by an order that rests at the venue; a venue
    that takes none is stood in for at each bar's end."""

    def __init__(self, desk: "Desk", rule: StopRule | None) -> None:
        self._desk, self._rule = desk, rule
        self.atr_usd: Mapping[str, float] = {}
        self.levels: Mapping[str, Sequence[float]] = {}  # prices of much volume, for stops behind them
        self.names: set[str] = set()  # who is to be shown every bar
        self.trades: dict[str, Trade] = {}
        self._working: dict[str, list[Tracked]] = {}
        self._guards: dict[str, Tracked] = {}
        self._because: dict[str, Because] = {}
        self._printed: set[str] = set()  # who has had an opening print
        self._resuming = False
        self._refused = False  # this venue takes no guards

    def resume(self, told: Mapping[str, Any], actions: Sequence[Action], since: Iterable[Entry]) -> None:
        """The trades of the last close in the shares of today, with what an earlier process did to them since."""
        self.trades = {name: Trade.from_json(dict(one)) for name, one in told.items()}
        for action in actions:
            if action.instrument_id in self.trades:
                self.trades[action.instrument_id].adjust(action)
        self._resuming = True  # what was written then is not written again
        for entry in since:
            if entry.kind == "intent":
                guard = entry.payload.get("kind") == "guard"
                self.knows(entry.payload["order_id"], entry.payload, "GUARD" if guard else "SIGNAL")
            elif entry.kind == "fill":
                at_us = to_us(dt.datetime.fromisoformat(entry.at))
                self.filled(fill_in(entry.payload)._replace(at_us=at_us))
        self._resuming = False
        self.names |= set(self.trades) if self._rule is not None else set()

    def as_json(self) -> dict[str, Any]:
        return {name: trade.as_json() for name, trade in sorted(self.trades.items())}

    def working(self, name: str) -> list[Tracked]:
        """Orders of a name, guards apart, that may still fill."""
        alive = self._working.get(name)
        if not alive:
            return []
        printed = name in self._printed
        alive = self._working[name] = [one for one in alive if one.state not in ENDED and not (
            printed and one.order.kind == "open" and not one.order.reduce_only)]  # its opening print passed it over
        return alive

    def knows(self, order_id: str, because: Mapping[str, Any], reason: str = "SIGNAL") -> None:
        """An order that was taken in: why it is sent, for the trade that it begins or ends."""
        price, tracked = because.get("reference_price"), self._desk.orders[order_id]
        self._because[order_id] = Because(because.get("decision_id"), math.nan if price is None else float(price),
                                          reason)
        name = tracked.order.instrument_id
        if tracked.order.kind == "guard":
            self._guards[name] = tracked
        elif name in self._working:
            self._working[name].append(tracked)
        else:
            self._working[name] = [tracked]
        self.names.add(name)

    def send(self, order: Order, because: Mapping[str, Any], reason: str = "SIGNAL") -> None:
        """Write an order down and send it. A guard in its way is taken back first, so that nothing is closed twice."""
        desk, name = self._desk, order.instrument_id
        trade = self.trades.get(name)
        if trade is not None and self._guards and trade.shares * order.quantity < 0:
            self._withdraw(name, "another order closes the position")
        desk.orders.intend(order, because)
        desk.counts["orders"] += 1
        self.knows(order.order_id, because, reason)
        desk.journal.check()
        desk.orders.send(order.order_id)

    def filled(self, fill: Fill) -> None:
        """Into the trade of its name; a fill through zero ends one and begins another."""
        order_id, name, at_us, quantity, price, whole_cost, _ = fill
        told, left = self._because.get(order_id, UNTOLD), quantity
        trade = self.trades.get(name)
        if trade is not None and trade.shares * left < 0:
            closing = -trade.shares if abs(left) >= abs(trade.shares) else left
            trade.leave(closing, price, whole_cost * (closing / quantity))
            left -= closing
            if trade.shares == 0:
                self._end(trade, fill, told)
                trade = None
        if left:
            cost = whole_cost * (left / quantity)
            if trade is None:
                trade = self.trades[name] = Trade(name, 1 if left > 0 else -1, at_us, told.decision_id, told.price,
                                                  self.atr_usd.get(name, math.nan))
                trade.add(left, price, cost)
                self._place(trade)
            else:
                trade.add(left, price, cost)
        self.names.add(name)
        if self._rule is not None and not self._resuming:
            self.guard(name)

    def _end(self, trade: Trade, fill: Fill, told: Because) -> None:
        reason = told.reason
        if reason == "GUARD":
            at_stop = trade.stop is not None and trade.side * (fill.price - trade.stop) <= 0
            reason = "SL" if at_stop or trade.target is None else "TP"
        row = trade.told(reason, fill.at_us)
        del self.trades[trade.instrument_id]
        if self._resuming:
            return
        self._desk.write("trade", row)
        self._desk.memory.exited(self._desk.clock.now(), row["pnl"])

    def _place(self, trade: Trade) -> None:
        """Where the stop of a new trade stands, if there is a rule for it."""
        if self._rule is None:
            return
        name = trade.instrument_id
        try:
            stop = stop_for(self._rule, trade.entry, trade.side, self.atr_usd.get(name, math.nan),
                            self.levels.get(name, ()))
        except StopError as problem:
            if not self._resuming:
                self._desk.write("hazard", {"kind": "no_stop", "instrument_id": name, "reason": str(problem)})
            return
        trade.stop, trade.target, trade.trail, trade.minutes = stop.price, stop.target, stop.trail, stop.bars
        if stop.price is not None:
            trade.risk_usd = stop.distance

    def guard(self, name: str) -> None:
        """See to it that the order at the venue is the one that this position needs, and none where it needs none."""
        desk, trade, tracked = self._desk, self.trades.get(name), self._guards.get(name)
        if trade is None:
            self._withdraw(name, "nothing is left to guard")
            return
        closing = any(one.order.quantity * trade.shares < 0 for one in self.working(name))
        if closing or (trade.stop is None and trade.target is None) or desk.flattening or (
                desk.state is RiskState.HALTED):
            self._withdraw(name, "the position is being closed")
            return
        size = self._most(abs(trade.shares), trade.entry)
        if tracked is not None and tracked.state not in ENDED:
            order, left = tracked.order, abs(tracked.order.quantity - tracked.filled)
            touched = tracked.filled != 0  # the rest of it goes at any price
            if left == size and (touched or (order.stop_price, order.target_price) == (trade.stop, trade.target)):
                return
            self._withdraw(name, "the stop has moved" if left == size else "the position has changed")
            if name in self._guards:
                return  # it is not known yet whether it is gone: looked at again at the next bar
        if self._refused or not desk.agreed:
            return
        trade.guards += 1
        order = Order(self._id(name, f"guard {trade.opened_us} {trade.guards}"), name, -trade.side * size, None, True,
                      "guard", trade.stop, trade.target)
        because = self._why(trade, order.quantity)
        desk.orders.intend(order, because)
        self.knows(order.order_id, because, "GUARD")
        desk.journal.check()
        desk.orders.send(order.order_id)
        self._refused = self._guards[name].state is State.REJECTED  # then its stops are looked after here

    def on_bar(self, bar: Bar) -> None:
        """A minute of a name is over: how far it reached, whether its stop trails, whether its time is up."""
        name = bar.instrument_id
        self._printed.add(name)
        trade = self.trades.get(name)
        if trade is None:
            if not self.working(name):
                self.names.discard(name)
            return
        trade.reach(bar.high, bar.low)
        if self._rule is None:
            if not self.working(name):
                self.names.discard(name)  # how far it reaches is seen to without asking the venue
            return
        if not bar.volume > 0:
            return
        touched = trade.stop is not None and trade.side * ((bar.low if trade.side > 0 else bar.high) - trade.stop) <= 0
        beyond = trade.target is not None and trade.side * (bar.close - trade.target) > 0
        trade.outlive(bar)
        if trade.minutes is not None and trade.lived >= trade.minutes:
            self._leave(trade, "TIMEOUT")
        elif self._refused and (touched or beyond):
            self._leave(trade, "SL" if touched else "TP")
        self.guard(name)

    def _leave(self, trade: Trade, reason: str) -> None:
        """Close a position at the next open, unless that is under way."""
        desk, name = self._desk, trade.instrument_id
        if self.working(name) or desk.flattening or desk.state is RiskState.HALTED or not desk.agreed:
            return
        size = self._most(abs(trade.shares), trade.entry)
        order = Order(self._id(name, f"exit {reason} {trade.opened_us} {trade.lived}"), name, -trade.side * size, None,
                      True, "market")
        self.send(order, self._why(trade, order.quantity), reason)

    def _withdraw(self, name: str, reason: str) -> None:
        tracked = self._guards.get(name)
        if tracked is None:
            return
        if tracked.state not in ENDED:
            self._desk.orders.cancel(tracked.order.order_id, reason)
        if tracked.state in ENDED:
            del self._guards[name]

    def _most(self, shares: int, price: float) -> int:
        """Within the most dollars that an order may have; the rest follows when this much is done."""
        most = self._desk.terms.limits.max_order_notional_usd / price
        return min(shares, max(1, math.floor(most))) if math.isfinite(most) else shares

    def _why(self, trade: Trade, quantity: int) -> dict[str, Any]:
        return {"decision_id": trade.decision_id, "symbol": self._desk.symbol_of(trade.instrument_id),
                "asked": quantity, "reference_price": None, "checks": []}

    def _id(self, name: str, leg: str) -> str:
        desk = self._desk
        return client_order_id(desk.terms.account, desk.bundle.strategy.name, desk.bundle.digest,
                               desk.times.session.isoformat(), name, leg)
