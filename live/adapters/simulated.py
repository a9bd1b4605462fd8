"""The simulated venue: what a market would have done with an order, as far as minute bars and recorded depth tell."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from live.adapters.depth import Depth
from live.clock import TapeClock
from live.ports import Ack, Bar, Fill, Order
from live.risk.stops import BAR_SHARE, Ending, Ohlc, StopOrder, inside_bar, limit_fill
from models.market.costs import CostModel, bill


@dataclass(frozen=True)
class VenueRules:
    """How kind the simulated market is."""

    bar_share: float = BAR_SHARE  # of a bar's volume that all our fills in it may be; opening prints have their own cap
    tick: float = 0.01
    latency_us: int = 0  # from our clock to the book: an order fills from the first bar that begins afterwards


_UNKNOWN = (math.nan, math.nan)


@dataclass(slots=True)
class _Resting:
    order: Order
    left: int
    from_us: int
    seen_us: int = -1  # the newest bar it was shown
    triggered: bool = False  # a stop that was touched: a market order since


class SimulatedVenue:
    """Opening orders fill at a name's first print as far as the session's liquidity goes, or are passed over. Market
    orders take the next opens, limits need a trade through their price, guards end a position inside the bar; each a
    stated part of the bar's volume, the rest of it later. A bar without volume is a halt, and fills nothing.

    Where books were recorded, what takes the next open walks the book instead: level by level, within its limit, and
    it pays spread and impact in its price."""

    def __init__(self, costs: CostModel, rules: VenueRules | None = None, clock: TapeClock | None = None,
                 depth: Depth | None = None) -> None:
        self._costs, self._rules, self._clock, self._depth = costs, rules or VenueRules(), clock, depth
        self._liquidity: Mapping[str, tuple[float, float]] = {}
        self._resting: dict[str, list[_Resting]] = {}
        self._opened: set[str] = set()
        self._room: dict[str, tuple[int, float]] = {}  # of a name's newest bar: its start, shares left to fill

    def open_session(self, liquidity: Mapping[str, tuple[float, float]]) -> None:
        self._liquidity = liquidity
        self._resting.clear()
        self._opened.clear()
        self._room.clear()

    def submit(self, order: Order) -> Ack:
        reason = self._refusal(order)
        if reason:
            return Ack(order.order_id, accepted=False, reason=reason)
        sent_us = self._clock.now_us if self._clock is not None else 0
        late_us = self._rules.latency_us if order.kind != "open" else 0
        one, others = _Resting(order, order.quantity, sent_us + late_us), self._resting.get(order.instrument_id)
        if others is None:
            self._resting[order.instrument_id] = [one]
        else:
            others.append(one)
        return Ack(order.order_id, accepted=True)

    def _refusal(self, order: Order) -> str:
        name = order.instrument_id
        if order.quantity == 0:
            return "nothing to trade"
        others = self._resting.get(name)
        if others and any(one.order.order_id == order.order_id for one in others):
            return "duplicate id"
        if order.kind == "open":
            late = name in self._opened and not order.reduce_only
            return "one order a name, before its opening print" if late or others else ""
        if order.kind == "limit" and order.limit_price is None:
            return "a limit order needs its limit"
        if order.kind == "guard" and order.stop_price is None and order.target_price is None:
            return "a guard needs a stop or a target"
        return ""

    def cancel(self, order_id: str) -> bool:
        for name, resting in self._resting.items():
            for one in resting:
                if one.order.order_id == order_id:
                    self._remove(name, one)
                    return True
        return False

    def on_bar(self, bar: Bar) -> list[Fill]:
        """Fills of this bar. Shown a bar again, an order that came since has its turn, and only that."""
        name, start_us, opens, _, _, _, volume = bar
        if not volume > 0:
            return []
        first = name not in self._opened
        if first:
            self._opened.add(name)
        resting = self._resting.get(name)
        if not resting:
            return []
        room = self._room.get(name)
        if room is None or room[0] != start_us:
            room = self._room[name] = (start_us, math.floor(volume * self._rules.bar_share))
        fills: list[Fill] = []
        for one in resting if len(resting) == 1 else tuple(resting):
            if one.seen_us >= start_us or one.from_us > start_us:
                continue
            one.seen_us = start_us
            walked = self._walked(one, bar, first) if self._depth is not None else None
            found = walked if walked is not None else self._match(one, bar, first, int(room[1]))
            if found is None:
                continue
            quantity, price = found
            fill = self._fill(one, quantity, price, start_us, in_price=walked is not None)
            if fill is None:
                continue
            fills.append(fill)
            if walked is None and not (first and price == opens and one.order.kind == "open"):
                room = self._room[name] = (start_us, room[1] - abs(quantity))
        return fills

    def _walked(self, one: _Resting, bar: Bar, first: bool) -> tuple[int, float] | None:
        """Shares and mean price from the recorded book, for what takes the next open; None where the bar has to do."""
        assert self._depth is not None
        order = one.order
        taking = order.kind == "market" or (order.kind == "guard" and one.triggered) or (
            order.kind == "open" and order.reduce_only and not first)
        book = self._depth.at(order.instrument_id, bar.start_us) if taking else None
        return None if book is None else book.take(one.left, order.allows) or (0, bar.open)

    def _match(self, one: _Resting, bar: Bar, first: bool, room: int) -> tuple[int, float] | None:
        """Shares and price that a bar gives an order."""
        order, kind = one.order, one.order.kind
        if kind == "guard" and not one.triggered:
            return self._guarded(one, bar, room)
        if kind == "limit":
            assert order.limit_price is not None
            side = 1 if order.quantity > 0 else -1
            told = Ohlc(bar.open, bar.high, bar.low, bar.close, math.inf)
            got = limit_fill(side, order.limit_price, one.left, told, self._rules.tick)
            return None if got is None or room < 1 else (_part(one.left, room), got[1])
        if not order.allows(bar.open):
            return None
        if kind == "open" and first:
            return self._capped(order.instrument_id, one.left, bar.open), bar.open
        if kind == "open" and not order.reduce_only:
            return None
        return _part(one.left, room), bar.open

    def _guarded(self, one: _Resting, bar: Bar, room: int) -> tuple[int, float] | None:
        order = one.order
        side = -1 if order.quantity > 0 else 1
        stop = StopOrder("guard", side, bar.open, order.stop_price, order.target_price, tick=self._rules.tick)
        ended = inside_bar(stop, Ohlc(bar.open, bar.high, bar.low, bar.close, bar.volume))
        if ended is None:
            return None
        one.triggered = ended.ending is Ending.STOP
        return _part(one.left, room), ended.price

    def _capped(self, name: str, wanted: int, price: float) -> int:
        """What a session's liquidity allows of an order: the judge's cap."""
        adv20_usd, _ = self._liquidity.get(name, (math.nan, math.nan))
        limit = self._costs.max_share_of_adv * adv20_usd / price
        return _part(wanted, math.floor(limit)) if math.isfinite(limit) else 0

    def _fill(self, one: _Resting, quantity: int, price: float, at_us: int, in_price: bool) -> Fill | None:
        name = one.order.instrument_id
        adv20_usd, vol20_daily = self._liquidity.get(name, _UNKNOWN)
        if quantity == 0 or not (0.0 < adv20_usd < math.inf and math.isfinite(vol20_daily)):
            return None
        one.left -= quantity
        if one.left == 0:
            self._remove(name, one)
        cost, spread, fee, impact = bill(self._costs, quantity, price, adv20_usd, vol20_daily)
        if in_price:
            cost, spread, impact = fee, 0.0, 0.0
        return Fill(one.order.order_id, name, at_us, quantity, price, cost,
                    {"spread": spread, "fee": fee, "impact": impact})

    def _remove(self, name: str, one: _Resting) -> None:
        resting = self._resting[name]
        if len(resting) > 1:
            self._resting[name] = [other for other in resting if other is not one]
        else:
            del self._resting[name]


def _part(left: int, room: int) -> int:
    """As much of an order as there is room for, with its sign."""
    most = min(abs(left), max(room, 0))
    return most if left > 0 else -most
