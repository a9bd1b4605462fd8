"""Any exchange that CCXT knows as a venue: spot markets of one quote currency. CCXT is loaded when one is made.

Fees must be charged in the quote currency: one taken out of what was bought shows as a difference of the books."""

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from live.adapters.extras import needed
from live.ports import Ack, Bar, Fill, Holdings, Order, Standing, VenueState

TIMEOUT_S = 10.0
SPOT = {"defaultType": "spot", "fetchMargins": False, "fetchMarkets": {"types": ["spot"]}}
ENDED: Mapping[str, VenueState] = {"closed": "FILLED", "canceled": "CANCELLED", "expired": "CANCELLED",
                                   "rejected": "REJECTED"}
OURS = re.compile(r"o([0-9a-f]{20})")  # an id of ours without its dash, for exchanges that take none


class CcxtBroker:
    """`symbols` are CCXT's own (`BTC/USDT`) by instrument, `lots` the units that one share of ours stands for, and
    `dashes` False where the exchange's ids are letters and digits only (OKX)."""

    def __init__(self, exchange: str, symbols: Mapping[str, str], key: str, secret: str, *, quote: str = "USDT",
                 lots: Mapping[str, float] | None = None, password: str = "", dashes: bool = True,
                 options: Mapping[str, Any] | None = None, url: str | None = None,
                 timeout_s: float = TIMEOUT_S) -> None:
        with needed("ccxt", "An exchange by CCXT"):
            import ccxt
            from ccxt.base import errors
        if exchange not in ccxt.exchanges:
            raise ValueError(f"CCXT knows no exchange '{exchange}'")
        # Only these say for sure that nothing was done; whatever else comes back leaves that open.
        self._refusals = (errors.InvalidOrder, errors.InsufficientFunds, errors.BadRequest, errors.AuthenticationError,
                          errors.OperationRejected, errors.NotSupported)
        self._missing, self._any = errors.OrderNotFound, errors.BaseError
        self._client: Any = getattr(ccxt, exchange)({
            "apiKey": key, "secret": secret, "password": password, "enableRateLimit": True,
            "timeout": int(timeout_s * 1000), "options": {**SPOT, **(options or {})}})
        self._client.has["fetchCurrencies"] = False  # chains and deposits are none of ours
        if url is not None:
            _point_to(self._client, url)
        self._symbols, self._quote, self._dashes = dict(symbols), quote, dashes
        self._instruments = {symbol: name for name, symbol in symbols.items()}
        self._lots = {symbol: (lots or {}).get(name, 1.0) for name, symbol in symbols.items()}
        self._of: dict[str, str] = {}  # the symbol of an order that was met

    def open_session(self, liquidity: Mapping[str, tuple[float, float]]) -> None:
        """It knows its market itself."""

    def on_bar(self, bar: Bar) -> list[Fill]:
        return []

    def submit(self, order: Order) -> Ack:
        """Many exchanges refuse an id only while its first order is open: so it is asked for before it is sent."""
        symbol = self._symbols[order.instrument_id]
        lot = self._lots[symbol]
        there = self._find(order.order_id, [symbol])
        if there is not None:
            return Ack(order.order_id, there.state != "REJECTED", "the exchange had it already")
        if order.kind == "guard":
            return Ack(order.order_id, accepted=False, reason="stops are not sent to an exchange by CCXT")
        limit = None if order.limit_price is None else order.limit_price / lot
        kind = "market" if limit is None else "limit"
        side = "buy" if order.quantity > 0 else "sell"
        self._of[order.order_id] = symbol
        try:
            told = self._ask(lambda: self._client.create_order(
                symbol, kind, side, round(abs(order.quantity) * lot, 12), self._inward(symbol, limit, order.quantity),
                {"clientOrderId": self._wired(order.order_id)}))
        except self._refusals as refusal:
            there = self._find(order.order_id, [symbol])
            if there is not None:
                return Ack(order.order_id, there.state != "REJECTED", "the exchange had it already")
            return Ack(order.order_id, accepted=False, reason=str(refusal)[:200])
        return Ack(order.order_id, told.get("status") != "rejected", str(told.get("status") or ""))

    def _inward(self, symbol: str, limit: float | None, quantity: int) -> float | None:
        """The exchange's own ticks, rounded so that the order promises no more than was meant."""
        if limit is None:
            return None
        self._client.load_markets()
        rounded = float(self._client.price_to_precision(symbol, limit))
        tick = self._client.market(symbol)["precision"]["price"]
        beyond = (rounded - limit) * quantity > 1e-9 * limit * abs(quantity)
        return rounded - math.copysign(tick, quantity) if beyond and isinstance(tick, float) else rounded

    def cancel(self, order_id: str) -> bool:
        there = self._find(order_id, self._where(order_id))
        if there is None or there.state != "OPEN":
            return False
        try:
            self._ask(lambda: self._client.cancel_order("", self._of[order_id],
                                                        {"clientOrderId": self._wired(order_id)}))
        except self._refusals:
            return False  # filled, or gone already
        return True

    def standings(self, order_ids: Sequence[str]) -> dict[str, Standing]:
        found = {order_id: self._find(order_id, self._where(order_id)) for order_id in order_ids}
        return {order_id: standing for order_id, standing in found.items() if standing is not None}

    def holdings(self) -> Holdings:
        balance = self._told(self._client.fetch_balance)["total"]
        working = [self._standing(told) for symbol in self._instruments
                   for told in self._told(functools.partial(self._client.fetch_open_orders, symbol))]
        bases = {symbol.partition("/")[0]: symbol for symbol in self._instruments}
        shares = {}
        for currency, units in balance.items():
            if currency != self._quote and units:
                symbol = bases.get(currency)
                name = self._instruments[symbol] if symbol else currency
                shares[name] = _near(units / self._lots[symbol] if symbol else units)
        return Holdings(float(balance.get(self._quote) or 0.0), shares, working)

    def _wired(self, order_id: str) -> str:
        return order_id if self._dashes else order_id.replace("-", "")

    def _where(self, order_id: str) -> list[str]:
        return [self._of[order_id]] if order_id in self._of else list(self._instruments)

    def _find(self, order_id: str, symbols: Sequence[str]) -> Standing | None:
        for symbol in symbols:
            try:
                told = self._ask(functools.partial(self._client.fetch_order, "", symbol,
                                                   {"clientOrderId": self._wired(order_id)}))
            except self._missing:
                continue
            except self._refusals as refusal:
                raise ConnectionError(f"the exchange does not say how {order_id} stands: {refusal}") from None
            self._of[order_id] = symbol
            return self._standing(told)
        return None

    def _told(self, question: Callable[[], Any]) -> Any:
        try:
            return self._ask(question)
        except self._refusals as refusal:
            raise ConnectionError(f"the exchange refuses to tell its books: {refusal}") from None

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except (self._missing, *self._refusals):
            raise
        except self._any as problem:
            raise ConnectionError(f"the exchange gave no answer: {str(problem)[:200]}") from None

    def _standing(self, told: Mapping[str, Any]) -> Standing:
        symbol = str(told["symbol"])
        lot = self._lots.get(symbol, 1.0)
        side = 1 if told["side"] == "buy" else -1
        state = ENDED.get(str(told["status"]), "OPEN")
        filled = round(float(told["filled"] or 0.0) / lot)
        return Standing(
            OURS.sub(r"o-\1", str(told.get("clientOrderId") or told["id"])), self._instruments.get(symbol, symbol),
            side * round(float(told["amount"] or 0.0) / lot), state, side * filled,
            float(told["average"] or 0.0) * lot, self._fees(told, symbol) if filled else 0.0,
            int(told.get("lastTradeTimestamp") or told.get("timestamp") or 0) * 1000,
            "" if state in {"OPEN", "FILLED"} else str(told["status"]))

    def _fees(self, told: Mapping[str, Any], symbol: str) -> float:
        """Those that the order tells, else those of its trades; of the quote currency."""
        fees = [fee for fee in told.get("fees") or [told.get("fee")] if fee and fee.get("cost") is not None]
        if not fees and self._client.has.get("fetchMyTrades"):
            trades = self._told(lambda: self._client.fetch_my_trades(symbol, params={"orderId": told["id"]}))
            fees = [trade["fee"] for trade in trades if trade["order"] == told["id"] and trade.get("fee")]
        return sum(float(fee["cost"]) for fee in fees if fee["currency"] == self._quote)


def _near(units: float) -> float:
    """Whole where a sum of decimal parts missed it by a rounding."""
    return float(round(units)) if abs(units - round(units)) < 1e-6 else units


def _point_to(client: Any, url: str) -> None:
    """Every address of the exchange with another beginning: a proxy, or a venue for tests."""
    def moved(there: Any) -> Any:
        if isinstance(there, dict):
            return {name: moved(part) for name, part in there.items()}
        return re.sub(r"^https?://[^/]+", url, there) if isinstance(there, str) else there

    client.urls["api"] = moved(client.urls["api"])
