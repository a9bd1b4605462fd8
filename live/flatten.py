"""The kill switch's second mode: reduce-only orders until nothing is held, over restarts and sessions, then a halt."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from live.orders import client_order_id
from live.ports import Order
from live.risk.state import RiskState

if TYPE_CHECKING:
    from live.desk import Desk


class Flattening:
    """Looks every five minutes at what is still held, and sends what is not on its way out."""

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk

    def pursue(self, prices: Mapping[str, float]) -> None:
        desk = self._desk
        held = desk.book.shares()
        if not held:
            self.done()
            return
        for tracked in desk.orders.working():
            last = prices.get(tracked.order.instrument_id)
            if last is not None and not tracked.order.allows(last):
                desk.orders.cancel(tracked.order.order_id, "the market left its limit price")
        working = {tracked.order.instrument_id for tracked in desk.orders.working()}
        for name in sorted(set(held) - working):
            price = prices.get(name, desk.book.holdings[name].price)
            self._send(name, -held[name], price)

    def _send(self, name: str, quantity: int, price: float) -> None:
        """One order within the collar and the most dollars an order may have; the rest follows when it is filled."""
        desk, limits = self._desk, self._desk.terms.limits
        if not (math.isfinite(price) and price > 0):
            return  # nobody knows what it is worth: it waits for a price
        most = limits.max_order_notional_usd / price
        size = min(abs(quantity), max(1, math.floor(most))) if math.isfinite(most) else abs(quantity)
        side = math.copysign(1.0, quantity)
        limit_price = price * (1.0 + side * limits.price_collar) if math.isfinite(limits.price_collar) else None
        leg = f"flatten {desk.clock.now().isoformat()}"
        order_id = client_order_id(desk.terms.account, desk.bundle.strategy.name, desk.bundle.digest,
                                   desk.times.session.isoformat(), name, leg)
        order = Order(order_id, name, int(side) * size, limit_price, reduce_only=True)
        names = list(desk.tail.names)
        desk.orders.intend(order, {
            "decision_id": None, "symbol": desk.bundle.snapshot.symbols[names.index(name)] if name in names else name,
            "asked": quantity, "reference_price": price, "checks": [],
        })
        desk.counts["orders"] += 1
        desk.orders.send(order_id)

    def done(self) -> None:
        self._desk.move(RiskState.HALTED, "flattened: nothing is held any more")
