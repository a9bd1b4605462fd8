"""An order that is too large for one minute, sent part by part: what was decided then must still be allowed at each."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from live.clock import to_us
from live.orders.slicing import twap, vwap
from live.ports import Order
from live.positions import Positions
from live.risk import RiskState
from models.intraday import Slices

if TYPE_CHECKING:
    from live.desk import Desk


@dataclass
class Left:
    """What is still to be sent of one order."""

    when: str
    because: dict[str, Any]
    limit_price: float | None
    parts: list[int]
    sent: int = 0


class Spreading:
    """At most one order a name. `recent` are the moments, in microseconds, when anything was sent."""

    def __init__(self, desk: "Desk", watch: Positions, order_id: Callable[..., str], recent: deque[int]) -> None:
        self._desk, self._watch, self._order_id, self.recent = desk, watch, order_id, recent
        self.left: dict[str, Left] = {}

    def parts(self, quantity: int, slices: Slices | None, regime: Mapping[str, float]) -> list[int]:
        """Over the coming minutes; one part where it goes out whole."""
        times = self._desk.times
        if slices is None or max(regime, key=lambda state: regime[state], default="") in slices.whole_in:
            return [quantity]
        begun = (self._desk.clock.now() - times.open_at).total_seconds() / 60.0
        whole = (times.close_at - times.open_at).total_seconds() / 60.0
        minutes = min(slices.minutes, int(whole - begun))
        if minutes < 2:
            return [quantity]
        parts = twap(quantity, minutes) if slices.method == "twap" else vwap(quantity, minutes, begun, int(whole))
        return [part for part in parts if part]

    def begin(self, name: str, order: Left) -> None:
        """Written down as spread, and its first part sent."""
        self._desk.write("slicing", {"decision_id": order.because["decision_id"], "instrument_id": name,
                                     "parts": order.parts})
        self.left[name] = order
        self.next(name)

    def forget(self, name: str) -> None:
        """Another decision has come."""
        self.left.pop(name, None)

    def next(self, name: str) -> None:
        """Send one part, or tell why the rest is left."""
        desk, rest = self._desk, self.left[name]
        held = desk.book.holdings[name].shares if name in desk.book.holdings else 0
        part = rest.parts[0]
        closes = held * part < 0 and abs(part) <= abs(held)
        stopped = desk.state is RiskState.HALTED or desk.flattening is not None or not desk.agreed
        if stopped or (desk.state is RiskState.REDUCING and not closes):
            desk.write("slicing", {"decision_id": rest.because["decision_id"], "instrument_id": name,
                                   "left": sum(rest.parts), "reason": f"the account is {desk.state}"})
            del self.left[name]
            return
        if desk.heed_switch({}):
            return
        rest.parts.pop(0)
        rest.sent += 1
        if not rest.parts:
            del self.left[name]
        self.recent.append(to_us(desk.clock.now()))
        self._watch.send(Order(self._order_id(rest.when, name, f"slice {rest.sent}"), name, part, rest.limit_price,
                               closes, "market"), rest.because)
