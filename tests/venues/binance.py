"""Binance's spot API (v3) as far as an order's life, balances and trades go, with its signatures and error codes."""

import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode

from tests.venues.exchange import Duplicate, Exchange, Kept
from tests.venues.http import as_text

STATES = {"open": "NEW", "filled": "FILLED", "cancelled": "CANCELED", "rejected": "REJECTED"}
KEY, SECRET = "test-key", "a-secret"
AT_MS = 1_751_031_000_123


class BinanceWire:
    def __init__(self, exchange: Exchange, bases: tuple[str, ...]) -> None:
        self._exchange, self._bases = exchange, bases
        self.refuse = ""
        self.reject_later = ""

    def answer(self, method: str, path: str, asked: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        if path == "/api/v3/exchangeInfo":
            return 200, {"timezone": "UTC", "serverTime": AT_MS, "symbols": [_market(base) for base in self._bases]}
        if headers.get("X-MBX-APIKEY") != KEY:
            return 401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
        signed = {name: value for name, value in asked.items() if name != "signature"}
        if hmac.new(SECRET.encode(), urlencode(signed).encode(), hashlib.sha256).hexdigest() != asked.get("signature"):
            return 400, {"code": -1022, "msg": "Signature for this request is not valid."}
        match method, path.removeprefix("/api/v3/"):
            case "POST", "order":
                return self._submit(asked)
            case "GET", "order":
                found = self._exchange.find(asked["origClientOrderId"])
                if found is None or _pair(found) != asked["symbol"]:
                    return 400, {"code": -2013, "msg": "Order does not exist."}
                return 200, _told(found)
            case "DELETE", "order":
                if not self._exchange.cancel(asked["origClientOrderId"]):
                    return 400, {"code": -2011, "msg": "Unknown order sent."}
                return 200, _told(self._exchange[asked["origClientOrderId"]])
            case "GET", "openOrders":
                return 200, [_told(order) for order in self._exchange.orders(working=True)
                             if _pair(order) == asked["symbol"]]
            case "GET", "account":
                money = {"USDT": self._exchange.cash()} | self._exchange.positions()
                return 200, {"accountType": "SPOT", "canTrade": True, "updateTime": AT_MS, "balances": [
                    as_text([("asset", name), ("free", held), ("locked", 0.0)]) for name, held in money.items()]}
            case "GET", "myTrades":
                orders = [order for order in self._exchange.orders() if order.n == int(asked["orderId"])]
                return 200, [_trade(order) for order in orders if order.filled]
        return 404, {"code": -1100, "msg": f"no {method} {path} here"}

    def _submit(self, asked: dict[str, Any]) -> tuple[int, Any]:
        if self.refuse:
            return 400, {"code": -2010, "msg": self.refuse}
        quantity = float(asked["quantity"]) * (1 if asked["side"] == "BUY" else -1)
        limit = float(asked["price"]) if asked["type"] == "LIMIT" else None
        symbol = asked["symbol"].removesuffix("USDT")
        try:
            taken = self._exchange.submit(asked["newClientOrderId"], symbol, quantity, limit, self.reject_later)
        except Duplicate:
            return 400, {"code": -2010, "msg": "Duplicate order sent."}
        return 200, _told(taken)


def _market(base: str) -> dict[str, Any]:
    filters = [{"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
               {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000.000", "stepSize": "0.001"}]
    return {"symbol": f"{base}USDT", "status": "TRADING", "baseAsset": base, "baseAssetPrecision": 8,
            "quoteAsset": "USDT", "quotePrecision": 8, "quoteAssetPrecision": 8, "orderTypes": ["LIMIT", "MARKET"],
            "isSpotTradingAllowed": True, "isMarginTradingAllowed": False, "permissions": ["SPOT"],
            "permissionSets": [["SPOT"]], "filters": filters}


def _pair(order: Kept) -> str:
    return f"{order.symbol}USDT"


def _told(order: Kept) -> dict[str, Any]:
    status = "PARTIALLY_FILLED" if order.state == "open" and order.filled else STATES[order.state]
    return {
        "symbol": _pair(order), "orderId": order.n, "orderListId": -1, "clientOrderId": order.client_id,
        "status": status, "timeInForce": "GTC", "type": "MARKET" if order.limit_price is None else "LIMIT",
        "side": "BUY" if order.quantity > 0 else "SELL", "time": AT_MS, "updateTime": AT_MS, "transactTime": AT_MS,
        "isWorking": True, **as_text([("price", order.limit_price or 0.0), ("origQty", abs(order.quantity)),
                                      ("executedQty", abs(order.filled)),
                                      ("cummulativeQuoteQty", abs(order.paid))]),
    }


def _trade(order: Kept) -> dict[str, Any]:
    return {"symbol": _pair(order), "id": order.n, "orderId": order.n, "orderListId": -1, "time": AT_MS,
            "isBuyer": order.quantity > 0, "isMaker": False, "isBestMatch": True, "commissionAsset": "USDT",
            **as_text([("price", order.average), ("qty", abs(order.filled)), ("quoteQty", abs(order.paid)),
                       ("commission", order.fees)])}
