"""The states of an order, what may follow what, and what is remembered of one."""

import math
from dataclasses import dataclass
from enum import StrEnum

from live.ports import Fill, Order, Standing


class State(StrEnum):
    PENDING = "PENDING"  # written down, not yet answered
    OPEN = "OPEN"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"  # sent, and the venue's answer is not known: never sent again blindly


ENDED = frozenset({State.FILLED, State.CANCELLED, State.REJECTED})
_ALLOWED: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.OPEN, State.REJECTED, State.UNKNOWN, State.CANCELLED}),
    State.UNKNOWN: frozenset({State.PENDING, State.OPEN, State.REJECTED, State.FILLED, State.CANCELLED}),
    State.OPEN: frozenset({State.FILLED, State.CANCELLED, State.REJECTED, State.UNKNOWN}),
    **dict.fromkeys(ENDED, frozenset()),
}


class OrderError(RuntimeError):
    """An order was moved to a state that does not follow from its own, or sent twice."""


@dataclass(frozen=True)
class OrderResult:
    order_id: str
    state: State
    filled: int
    reason: str


@dataclass(slots=True)
class Tracked:
    order: Order
    state: State = State.PENDING
    filled: int = 0
    reason: str = ""
    paid_usd: float = 0.0  # signed quantity times price of all fills
    fees_usd: float = 0.0
    leaving: str = ""  # why the venue was asked to take it back, until it says that it did

    def count(self, fill: Fill) -> None:
        self.filled += fill.quantity
        self.paid_usd += fill.quantity * fill.price
        self.fees_usd += fill.cost

    def news(self, standing: Standing) -> Fill | None:
        """What a standing tells beyond what is counted, as one fill."""
        quantity = standing.filled - self.filled
        if quantity == 0:
            return None
        price = (standing.filled * standing.average_price - self.paid_usd) / quantity
        fee = standing.fees_usd - self.fees_usd
        if not (math.isfinite(price) and price > 0 and math.isfinite(fee)):
            raise OrderError(f"order {self.order.order_id}: the venue tells of {standing.filled} filled at "
                             f"{standing.average_price} after {self.filled}, which makes no price")
        return Fill(self.order.order_id, self.order.instrument_id, standing.at_us, quantity, price, fee, {"fee": fee})


def move(tracked: Tracked, state: State, reason: str = "") -> None:
    if state not in _ALLOWED[tracked.state]:
        raise OrderError(f"order {tracked.order.order_id} cannot go from {tracked.state} to {state}")
    tracked.state, tracked.reason = state, reason
