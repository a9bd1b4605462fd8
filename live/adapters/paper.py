"""The paper venue: market-on-open orders filled at a name's opening print, at the costs that research charges."""

import math
from collections.abc import Mapping

from live.ports import Ack, Bar, Fill, Order
from models.market.costs import CostModel, capped_shares, half_spread_usd, trade_cost

BAR_SHARE = 0.1  # of a later minute's volume that a reduce-only order may be


class PaperVenue:
    """A name's first bar fills its order as far as liquidity goes, or passes it over. An order that only reduces may
    come at any time, and takes its part of every bar until it is filled."""

    def __init__(self, costs: CostModel) -> None:
        self._costs = costs
        self._liquidity: Mapping[str, tuple[float, float]] = {}
        self._working: dict[str, Order] = {}
        self._left: dict[str, int] = {}
        self._opened: set[str] = set()

    def open_session(self, liquidity: Mapping[str, tuple[float, float]]) -> None:
        self._liquidity = liquidity
        self._working.clear()
        self._left.clear()
        self._opened.clear()

    def submit(self, order: Order) -> Ack:
        name = order.instrument_id
        late = name in self._opened and not order.reduce_only
        if order.quantity == 0 or late or name in self._working:
            reason = "nothing to trade" if order.quantity == 0 else "one order a name, before its opening print"
            return Ack(order.order_id, accepted=False, reason=reason)
        self._working[name], self._left[name] = order, order.quantity
        return Ack(order.order_id, accepted=True)

    def cancel(self, order_id: str) -> bool:
        for name, order in self._working.items():
            if order.order_id == order_id:
                del self._working[name]
                return True
        return False

    def on_bar(self, bar: Bar) -> list[Fill]:
        name = bar.instrument_id
        first = name not in self._opened
        self._opened.add(name)
        order = self._working.get(name)
        if order is None or not (first or order.reduce_only) or not order.allows(bar.open):
            return []
        adv20_usd, vol20_daily = self._liquidity.get(name, (math.nan, math.nan))
        if not (math.isfinite(adv20_usd) and math.isfinite(vol20_daily)):
            return []
        left = self._left[name]
        filled = int(capped_shares(self._costs, left, bar.open, adv20_usd)) if first else _part(left, bar.volume)
        if filled == 0:
            return []
        self._left[name] = left - filled
        if filled == left:
            del self._working[name]
        cost = float(trade_cost(self._costs, filled, bar.open, adv20_usd, vol20_daily))
        spread = abs(filled) * float(half_spread_usd(self._costs, bar.open)) * self._costs.stress
        fee = abs(filled) * self._costs.fee_usd_per_share * self._costs.stress
        parts = {"spread": spread, "fee": fee, "impact": cost - spread - fee}
        return [Fill(order.order_id, order.instrument_id, bar.start_us, filled, bar.open, cost, parts)]


def _part(left: int, volume: float) -> int:
    """As much of an order as its share of the bar's volume allows, with the order's sign."""
    return int(math.copysign(min(abs(left), math.floor(volume * BAR_SHARE)), left))
