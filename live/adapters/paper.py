"""The paper venue: market-on-open orders filled at a name's opening print, at the costs that research charges."""

import math
from collections.abc import Mapping

from live.ports import Ack, Bar, Fill, Order
from models.market.costs import CostModel, capped_shares, half_spread_usd, trade_cost


class PaperVenue:
    """One session's opening auction: a name's first bar fills its order as far as liquidity goes, or passes it over."""

    def __init__(self, costs: CostModel) -> None:
        self._costs = costs
        self._liquidity: Mapping[str, tuple[float, float]] = {}
        self._working: dict[str, Order] = {}
        self._opened: set[str] = set()

    def open_session(self, liquidity: Mapping[str, tuple[float, float]]) -> None:
        self._liquidity = liquidity
        self._working.clear()
        self._opened.clear()

    def submit(self, order: Order) -> Ack:
        name = order.instrument_id
        if order.quantity == 0 or name in self._opened or name in self._working:
            reason = "nothing to trade" if order.quantity == 0 else "one order a name, before its opening print"
            return Ack(order.order_id, accepted=False, reason=reason)
        self._working[name] = order
        return Ack(order.order_id, accepted=True)

    def cancel(self, order_id: str) -> bool:
        for name, order in self._working.items():
            if order.order_id == order_id:
                del self._working[name]
                return True
        return False

    def on_bar(self, bar: Bar) -> list[Fill]:
        if bar.instrument_id in self._opened:
            return []
        self._opened.add(bar.instrument_id)
        order = self._working.get(bar.instrument_id)
        if order is None or not _within(order, bar.open):
            return []
        adv20_usd, vol20_daily = self._liquidity.get(bar.instrument_id, (math.nan, math.nan))
        if not (math.isfinite(adv20_usd) and math.isfinite(vol20_daily)):
            return []
        filled = int(capped_shares(self._costs, order.quantity, bar.open, adv20_usd))
        if filled == 0:
            return []
        if filled == order.quantity:
            del self._working[bar.instrument_id]
        cost = float(trade_cost(self._costs, filled, bar.open, adv20_usd, vol20_daily))
        spread = abs(filled) * float(half_spread_usd(self._costs, bar.open)) * self._costs.stress
        fee = abs(filled) * self._costs.fee_usd_per_share * self._costs.stress
        parts = {"spread": spread, "fee": fee, "impact": cost - spread - fee}
        return [Fill(order.order_id, order.instrument_id, bar.start_us, filled, bar.open, cost, parts)]


def _within(order: Order, price: float) -> bool:
    """A buyer pays at most, a seller takes at least, the order's limit."""
    if order.limit_price is None:
        return True
    return price <= order.limit_price if order.quantity > 0 else price >= order.limit_price
