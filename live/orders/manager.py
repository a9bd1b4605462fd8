"""Every order's life: written down before it is sent, and never in a state the venue did not put it in."""

from dataclasses import dataclass
from enum import StrEnum

from live import canonical
from live.ports import Ack, Fill, Order, Venue


class State(StrEnum):
    PENDING = "PENDING"  # written down, not yet answered
    OPEN = "OPEN"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"  # sent, and the venue's answer is not known: never sent again blindly


_ALLOWED = {
    State.PENDING: {State.OPEN, State.REJECTED, State.UNKNOWN, State.CANCELLED},
    State.UNKNOWN: {State.OPEN, State.REJECTED, State.FILLED, State.CANCELLED},
    State.OPEN: {State.FILLED, State.CANCELLED, State.UNKNOWN},
}


class OrderError(RuntimeError):
    """An order was moved to a state that does not follow from its own, or sent twice."""


def client_order_id(account: str, strategy: str, bundle: str, bar: str, symbol: str, leg: str) -> str:
    """The same decision always makes the same id, so that a restart cannot double an order."""
    return canonical.name_of("order", account, strategy, bundle, bar, symbol, leg)


@dataclass
class Tracked:
    order: Order
    state: State = State.PENDING
    filled: int = 0
    reason: str = ""


class OrderManager:
    """Sends orders to one venue and keeps their states."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._orders: dict[str, Tracked] = {}

    def intend(self, order: Order) -> None:
        """Take an order in before it is sent; its intent must be in the journal by the time of `send`."""
        if order.order_id in self._orders:
            raise OrderError(f"order {order.order_id} exists already: not sent twice")
        self._orders[order.order_id] = Tracked(order)

    def send(self, order_id: str) -> Ack:
        tracked = self._orders[order_id]
        if tracked.state is not State.PENDING:
            raise OrderError(f"order {order_id} is {tracked.state}: only a pending one is sent")
        try:
            ack = self._venue.submit(tracked.order)
        except (TimeoutError, ConnectionError) as error:
            ack = Ack(order_id, accepted=False, reason=f"no answer: {error}")
            self._move(tracked, State.UNKNOWN, ack.reason)
            return ack
        self._move(tracked, State.OPEN if ack.accepted else State.REJECTED, ack.reason)
        return ack

    def on_fill(self, fill: Fill) -> Tracked:
        tracked = self._orders[fill.order_id]
        filled = tracked.filled + fill.quantity
        if abs(filled) > abs(tracked.order.quantity) or filled * tracked.order.quantity < 0:
            raise OrderError(f"order {fill.order_id} for {tracked.order.quantity} was filled {filled}")
        tracked.filled = filled
        if filled == tracked.order.quantity:
            self._move(tracked, State.FILLED)
        return tracked

    def cancel(self, order_id: str, reason: str) -> bool:
        """Ask the venue to take an order back; False when there was nothing left to take."""
        tracked = self._orders[order_id]
        if tracked.state is State.PENDING or (tracked.state is State.OPEN and self._venue.cancel(order_id)):
            self._move(tracked, State.CANCELLED, reason)
            return True
        return False

    def working(self) -> list[Tracked]:
        """Orders that may still fill, in the order they were intended."""
        alive = {State.PENDING, State.OPEN, State.UNKNOWN}
        return [tracked for tracked in self._orders.values() if tracked.state in alive]

    def __getitem__(self, order_id: str) -> Tracked:
        return self._orders[order_id]

    def _move(self, tracked: Tracked, state: State, reason: str = "") -> None:
        if state not in _ALLOWED.get(tracked.state, set()):
            raise OrderError(f"order {tracked.order.order_id} cannot go from {tracked.state} to {state}")
        tracked.state, tracked.reason = state, reason
