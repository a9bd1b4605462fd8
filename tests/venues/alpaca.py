"""Alpaca's trading API (v2) as far as an order's life, positions, the account and its activities go."""

import uuid
from typing import Any

from tests.venues.exchange import Duplicate, Exchange, Kept
from tests.venues.http import as_text

STATES = {"open": "accepted", "filled": "filled", "cancelled": "canceled", "rejected": "rejected"}
AT = "2025-06-27T13:30:00.123456Z"
KEY, SECRET = "PKTEST", "a-secret"


class AlpacaWire:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.refuse = ""  # why the next orders are refused outright
        self.reject_later = ""  # why they are taken, and rejected by the market afterwards
        self.activities: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []

    def answer(self, method: str, path: str, asked: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        if (headers.get("APCA-API-KEY-ID"), headers.get("APCA-API-SECRET-KEY")) != (KEY, SECRET):
            return 401, {"code": 40110000, "message": "request is not authorized"}
        match method, path.removeprefix("/v2").split("/")[1:]:
            case "POST", ["orders"]:
                return self._submit(asked)
            case "GET", ["orders"]:
                orders = self._exchange.orders(working=asked.get("status") == "open")
                return 200, [self._told(order) for order in reversed(orders)][: int(asked.get("limit", 50))]
            case "GET", ["orders:by_client_order_id"]:
                found = self._exchange.find(asked["client_order_id"])
                return (200, self._told(found)) if found else (404, {
                    "code": 40410000, "message": f"order not found for {asked['client_order_id']}"})
            case "DELETE", ["orders", order_id]:
                for order in self._exchange.orders():
                    if _id(order) == order_id:
                        done = self._exchange.cancel(order.client_id)
                        return (204, None) if done else (422, {"code": 42210000, "message": "order is not cancelable"})
                return 404, {"code": 40410000, "message": f"order not found for {order_id}"}
            case "GET", ["positions"]:
                return 200, [as_text([("symbol", name), ("qty", held), ("side", "long" if held > 0 else "short"),
                                      ("asset_class", "us_equity")])
                             for name, held in self._exchange.positions().items()]
            case "GET", ["account"]:
                return 200, as_text([("cash", self._exchange.cash()), ("currency", "USD"), ("status", "ACTIVE")])
            case "GET", ["account", "activities"]:
                wanted = asked["activity_types"].split(",")
                return 200, [one for one in self.activities if one["activity_type"] in wanted]
        return 404, {"code": 40410000, "message": "endpoint not found."}

    def _submit(self, asked: dict[str, Any]) -> tuple[int, Any]:
        self.asked.append(asked)
        if self.refuse:
            return 403, {"code": 40310000, "message": self.refuse}
        if asked["type"] == "limit" and len(asked["limit_price"].partition(".")[2]) > (2 if float(
                asked["limit_price"]) >= 1 else 4):
            return 422, {"code": 42210000, "message": "sub-penny increment does not fulfill minimum pricing criteria"}
        quantity = float(asked["qty"]) * (1 if asked["side"] == "buy" else -1)
        limit = float(asked["limit_price"]) if asked["type"] == "limit" else None
        try:
            taken = self._exchange.submit(asked["client_order_id"], asked["symbol"], quantity, limit,
                                          self.reject_later)
        except Duplicate:
            return 422, {"code": 40010001, "message": "client_order_id must be unique"}
        return 200, self._told(taken)

    def _told(self, order: Kept) -> dict[str, Any]:
        status = "partially_filled" if order.state == "open" and order.filled else STATES[order.state]
        return as_text([
            ("id", _id(order)), ("client_order_id", order.client_id), ("created_at", AT), ("updated_at", AT),
            ("submitted_at", AT), ("filled_at", AT if order.state == "filled" else None), ("expired_at", None),
            ("canceled_at", AT if order.state == "cancelled" else None), ("failed_at", None),
            ("asset_id", str(uuid.uuid5(uuid.NAMESPACE_DNS, order.symbol))), ("symbol", order.symbol),
            ("asset_class", "us_equity"), ("notional", None), ("qty", abs(order.quantity)),
            ("filled_qty", abs(order.filled)), ("filled_avg_price", order.average if order.filled else None),
            ("order_class", ""), ("type", "market" if order.limit_price is None else "limit"),
            ("side", "buy" if order.quantity > 0 else "sell"), ("time_in_force", "opg"),
            ("limit_price", order.limit_price), ("stop_price", None), ("status", status), ("extended_hours", False),
            ("legs", None),
        ])


def _id(order: Kept) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(order.n)))
