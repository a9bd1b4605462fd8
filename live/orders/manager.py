"""Every order's life: written down before it is sent, and never in a state the venue did not put it in."""

import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from live import canonical
from live.orders.states import ENDED, OrderError, OrderResult, State, Tracked, move
from live.ports import Ack, Broker, Fill, Order, Standing, Venue, is_a

Write = Callable[[str, dict[str, Any]], None]
LOST = (TimeoutError, ConnectionError)  # what a venue's adapter raises where nobody knows whether the order arrived


_NOT_TAKEN = frozenset({State.PENDING, State.REJECTED, State.UNKNOWN})
MOST_ASLEEP_S = 30.0  # between two acts of a manager; a decision that slept longer is too old to be sent


def _awake() -> float:
    """Seconds that also pass while the process is stopped or the machine asleep, and that no clock setting moves."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def client_order_id(account: str, strategy: str, bundle: str, bar: str, symbol: str, leg: str) -> str:
    """The same decision always makes the same id, so that a restart cannot double an order."""
    return canonical.name_of("order", account, strategy, bundle, bar, symbol, leg)


def client_order_ids(account: str, strategy: str, bundle: str, bar: str) -> Callable[[str, str], str]:
    """The same of many symbols and legs."""
    return canonical.names_of("order", account, strategy, bundle, bar)


def _unwritten(kind: str, payload: dict[str, Any]) -> None:
    """For those who keep no journal."""


class OrderManager:
    """Sends orders to one venue and keeps their states. `write` is told each step, and has it on disk when it returns;
    `reached` is told each point at which a kill must do no harm, `fence` raises where this process may not act."""

    def __init__(self, venue: Venue, write: Write = _unwritten,
                 reached: Callable[[str], None] | None = None, fence: Callable[[], None] | None = None, *,
                 plain_acks: bool = True) -> None:
        self._venue, self._write, self._reached, self._fence = venue, write, reached, fence
        self.sent = 0  # orders that the venue was told of by this process
        self._plain_acks = plain_acks  # whether an order that was simply taken is worth a row
        self._broker = cast(Broker, venue) if is_a(type(venue), Broker) else None
        self._orders: dict[str, Tracked] = {}
        self._awake_s = _awake()

    def submit_order(self, order: Order) -> OrderResult:
        """Write an order's intent down, send it, and say how it stands."""
        self.intend(order)
        self.send(order.order_id)
        return self._result(order.order_id)

    def _result(self, order_id: str) -> OrderResult:
        tracked = self._orders[order_id]
        return OrderResult(order_id, tracked.state, tracked.filled, tracked.reason)

    def intend(self, order: Order, because: Mapping[str, Any] | None = None) -> None:
        """Take an order in before it is sent; its intent, with the reasons for it, is in the journal by then."""
        order_id = order.order_id
        if order_id in self._orders:
            raise OrderError(f"order {order_id} exists already: not sent twice")
        self._write("intent", {
            **(because or {}), "order_id": order_id, "instrument_id": order.instrument_id,
            "quantity": order.quantity, "limit_price": order.limit_price,
            **order.terms,
        })
        self._orders[order_id] = Tracked(order)
        if self._broker is not None:
            self._awake_s = _awake()
        if self._reached is not None:
            self._reached("order.intended")

    def adopt(self, tracked: Tracked) -> None:
        """Take an order in that the journal tells of: nothing is written."""
        self._orders[tracked.order.order_id] = tracked

    def send(self, order_id: str) -> Ack:
        tracked = self._orders[order_id]
        if tracked.state is not State.PENDING:
            raise OrderError(f"order {order_id} is {tracked.state}: only a pending one is sent")
        if self._reached is not None:
            self._reached("order.sending")
        if self._fence is not None:
            self._fence()
        asleep_s = _awake() - self._awake_s if self._broker is not None else 0.0
        if asleep_s > MOST_ASLEEP_S:
            self._gone(tracked, f"this process was stopped for {asleep_s:.0f} s between the decision and its sending")
            return Ack(order_id, accepted=False, reason=tracked.reason)
        self.sent += 1
        try:
            ack = self._venue.submit(tracked.order)
        except LOST as error:
            ack = Ack(order_id, accepted=False, reason=f"no answer: {error}")
            move(tracked, State.UNKNOWN, ack.reason)
        else:
            move(tracked, State.OPEN if ack.accepted else State.REJECTED, ack.reason)
        if self._reached is not None:
            self._reached("order.answered")
        if self._plain_acks or not ack.accepted:
            self._write_ack(tracked)
        if self._broker is not None:  # only a venue in real time is told too late
            self._awake_s = _awake()
        if self._reached is not None:
            self._reached("order.acknowledged")
        return ack

    def on_fill(self, fill: Fill) -> Tracked:
        order_id, name, _, quantity, price, cost, costs = fill
        tracked = self._orders[order_id]
        filled, asked = tracked.filled + quantity, tracked.order.quantity
        if filled != asked and (abs(filled) > abs(asked) or filled * asked < 0):
            raise OrderError(f"order {order_id} for {asked} was filled {filled}")
        tracked.count(fill)
        if filled == asked:
            move(tracked, State.FILLED)
        self._write("fill", {"order_id": order_id, "instrument_id": name, "state": tracked.state, "quantity": quantity,
                             "price": price, "cost": cost, "costs": costs})
        if self._reached is not None:
            self._reached("order.filled")
        return tracked

    def cancel(self, order_id: str, reason: str) -> bool:
        """Ask the venue to take an order back; False when there was nothing left to take, or it is not said yet.

        Asking twice is asking once: what is on its way out, or gone, is left alone."""
        tracked = self._orders[order_id]
        if tracked.state in ENDED or tracked.leaving:
            return False
        if tracked.state is not State.PENDING:
            if self._broker is not None:
                tracked.leaving = reason  # its books say when it is gone, and how much was filled before
                self._take_back(tracked)
                return False
            if tracked.state is State.UNKNOWN or not self._venue.cancel(order_id):
                return False
        self._gone(tracked, reason)
        return True

    def amend(self, order_id: str, changed: Order, booked: Callable[[Fill], None], looks: int = 40,
              wait_s: float = 0.25) -> OrderResult:
        """Take an order back and, once the venue says that it is gone, send `changed` for what was left of it.

        Its id is the amendment's own, so that asking twice is asking once. Without the venue's word nothing is sent:
        both could fill."""
        if changed.order_id not in self._orders:
            self.cancel(order_id, f"amended by {changed.order_id}")
            self.drain(booked, looks, wait_s, only=order_id)
            tracked = self._orders[order_id]
            left = tracked.order.quantity - tracked.filled
            if tracked.state not in ENDED or left == 0:
                return self._result(order_id)
            return self.submit_order(changed._replace(quantity=left))
        return self._result(changed.order_id)

    def collect(self, booked: Callable[[Fill], None]) -> None:
        """Ask a venue that keeps books how each working order stands, and follow it: what was filled since is told to
        `booked` once it is in the journal."""
        asked = [tracked for tracked in self.working() if tracked.state is not State.PENDING]
        if self._broker is None or not asked:
            return
        try:
            told = self._broker.standings([tracked.order.order_id for tracked in asked])
        except LOST:
            return  # asked again at the next look
        for tracked in asked:
            standing = told.get(tracked.order.order_id)
            if standing is not None:
                self.follow(tracked, standing, booked)
                if tracked.leaving and tracked.state is State.OPEN:
                    self._take_back(tracked)

    def resolve(self, booked: Callable[[Fill], None], *, must: bool = False) -> bool:
        """Ask of each order whose answer is not known. One that the venue has never seen is PENDING again, and may be
        sent under the same id; True if there is one. Where it does not answer nothing is known: that raises, if `must`.
        """
        asked = [tracked for tracked in self.working() if tracked.state in {State.PENDING, State.UNKNOWN}]
        if self._broker is None or not asked:
            return False
        try:
            told = self._broker.standings([tracked.order.order_id for tracked in asked])
        except LOST:
            if must:
                raise
            return False
        self._awake_s = _awake()
        if self._reached is not None:
            self._reached("orders.resolving")
        for tracked in asked:
            standing = told.get(tracked.order.order_id)
            if standing is not None:
                self.follow(tracked, standing, booked)
            elif tracked.leaving:
                self._gone(tracked, tracked.leaving)
            elif tracked.state is State.UNKNOWN:
                move(tracked, State.PENDING, "the venue has never seen it")
                self._write_ack(tracked)
        return any(tracked.state is State.PENDING for tracked in asked)

    def drain(self, booked: Callable[[Fill], None], looks: int = 40, wait_s: float = 0.25, only: str = "") -> None:
        """Wait, not for ever, until every order that was taken back (or only that one) is gone."""
        for look in range(looks if self._broker is not None else 0):
            if not any(only in {"", tracked.order.order_id} for tracked in self.working()):
                return
            if look:
                time.sleep(wait_s)
            self.resolve(booked)
            self.collect(booked)

    def follow(self, tracked: Tracked, standing: Standing, booked: Callable[[Fill], None]) -> None:
        """Bring an order to where the venue has it."""
        if tracked.state in {State.PENDING, State.UNKNOWN}:
            refused = standing.state == "REJECTED"
            move(tracked, State.REJECTED if refused else State.OPEN, standing.reason)
            self._write_ack(tracked)
        if (fill := tracked.news(standing)) is not None:
            self.on_fill(fill)
            booked(fill)
        if tracked.state is State.OPEN and standing.state == "CANCELLED":
            self._gone(tracked, tracked.leaving or standing.reason or "the venue took it back")
        if tracked.state is State.OPEN and standing.state == "REJECTED":
            move(tracked, State.REJECTED, standing.reason)
            self._write_ack(tracked)

    def working(self) -> list[Tracked]:
        """Orders that may still fill, in the order they were intended."""
        return [tracked for tracked in self._orders.values() if tracked.state not in ENDED]

    def __getitem__(self, order_id: str) -> Tracked:
        return self._orders[order_id]

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._orders

    def _take_back(self, tracked: Tracked) -> None:
        try:
            self._venue.cancel(tracked.order.order_id)
        except LOST:
            pass  # asked again at the next look

    def _gone(self, tracked: Tracked, reason: str) -> None:
        move(tracked, State.CANCELLED, reason)
        self._write("cancel", {"order_id": tracked.order.order_id, "instrument_id": tracked.order.instrument_id,
                               "filled": tracked.filled, "reason": reason})
        if self._reached is not None:
            self._reached("order.cancelled")

    def _write_ack(self, tracked: Tracked) -> None:
        accepted = tracked.state not in _NOT_TAKEN
        if self._plain_acks or not accepted:
            self._write("ack", {"order_id": tracked.order.order_id, "accepted": accepted, "reason": tracked.reason,
                                "state": tracked.state})
