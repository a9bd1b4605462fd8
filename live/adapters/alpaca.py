"""Alpaca as a venue: US shares through its trading API (v2), with alpaca-py, which is loaded when one is made."""

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from live.adapters.extras import needed
from live.adapters.prices import in_ticks
from live.clock import to_us
from live.ports import Ack, Bar, Charge, Fill, Holdings, Order, Standing, VenueState

if TYPE_CHECKING:
    from requests import Session

TIMEOUT_S = 10.0
PAGE = 500  # the most orders that one answer holds
CHARGES = "FEE,INT,CFEE,PTC"  # what Alpaca books by itself; dividends are ours to know, trades are in the orders
ENDED: Mapping[str, VenueState] = {
    "filled": "FILLED", "canceled": "CANCELLED", "expired": "CANCELLED", "done_for_day": "CANCELLED",
    "replaced": "CANCELLED", "rejected": "REJECTED"}
JsonObject = dict[str, Any]


class AlpacaBroker:
    """Client order ids are unique for ever there: one that comes again is answered by the order that has it."""

    def __init__(self, symbols: Mapping[str, str], key: str, secret: str, *, paper: bool,
                 url: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        with needed("alpaca", "Alpaca"):
            from alpaca.common.exceptions import APIError
            from alpaca.trading.client import TradingClient
        self._refused = APIError
        self._client = TradingClient(key, secret, paper=paper, raw_data=True, url_override=url)
        session: Session = self._client._session  # it knows no time limit of its own, and would wait for ever
        session.request = functools.partial(session.request, timeout=timeout_s)  # type: ignore[method-assign]
        self._client._retry = 0  # a question that got no answer is ours to repeat
        self._symbols = dict(symbols)
        self._instruments = {symbol: name for name, symbol in symbols.items()}
        self._ids: dict[str, str] = {}  # Alpaca's own, by ours

    def open_session(self, liquidity: Mapping[str, tuple[float, float]]) -> None:
        """It knows its market itself."""

    def on_bar(self, bar: Bar) -> list[Fill]:
        return []

    def submit(self, order: Order) -> Ack:
        if order.kind == "guard" and order.stop_price is not None and order.target_price is not None:
            return Ack(order.order_id, accepted=False, reason="a stop with a target is not sent to Alpaca")
        try:
            told = self._ask(lambda: self._client.post("/orders", self._request(order)))
        except self._refused as refusal:
            if "client_order_id must be unique" in str(refusal):
                there = self.standings([order.order_id])[order.order_id]
                return Ack(order.order_id, there.state != "REJECTED", there.reason or "Alpaca had it already")
            return Ack(order.order_id, accepted=False, reason=_message(refusal))
        self._ids[order.order_id] = str(told["id"])
        return Ack(order.order_id, told["status"] != "rejected", str(told["status"]))

    def cancel(self, order_id: str) -> bool:
        if order_id not in self._ids and order_id not in self.standings([order_id]):
            return False
        try:
            self._ask(lambda: self._client.delete(f"/orders/{self._ids[order_id]}"))
        except self._refused:
            return False  # filled, or gone already
        return True

    def standings(self, order_ids: Sequence[str]) -> dict[str, Standing]:
        """The newest orders in one question; what is not among them one by one."""
        found: dict[str, Standing] = {}
        if len(order_ids) > 1:
            newest = self._ask(lambda: self._client.get("/orders", {"status": "all", "limit": PAGE,
                                                                    "direction": "desc", "nested": "false"}))
            found = {told["client_order_id"]: self._standing(told) for told in newest
                     if told["client_order_id"] in set(order_ids)}
        for order_id in [name for name in order_ids if name not in found]:
            try:
                told = self._ask(functools.partial(self._client.get, "/orders:by_client_order_id",
                                                   {"client_order_id": order_id}))
            except self._refused as refusal:
                if getattr(refusal, "status_code", None) != 404:
                    raise ConnectionError(f"Alpaca did not say how {order_id} stands: {_message(refusal)}") from None
                continue
            found[order_id] = self._standing(told)
        return found

    def holdings(self) -> Holdings:
        account = self._told("/account")
        shares = {self._instruments.get(told["symbol"], told["symbol"]): float(told["qty"])
                  for told in self._told("/positions")}
        working = [self._standing(told) for told in self._told("/orders", status="open", limit=PAGE, nested="false")]
        charges = [Charge(str(told["id"]), str(told["activity_type"]), float(told["net_amount"]))
                   for told in self._told("/account/activities", activity_types=CHARGES, page_size=100)]
        return Holdings(float(account["cash"]), shares, working, charges)

    def _told(self, path: str, **asked: Any) -> Any:
        try:
            return self._ask(lambda: self._client.get(path, asked or None))
        except self._refused as refusal:
            raise ConnectionError(f"Alpaca does not answer {path}: {_message(refusal)}") from None

    def _ask(self, question: Callable[[], Any]) -> Any:
        """A refusal is an answer; anything else that goes wrong leaves it open whether it arrived."""
        from requests.exceptions import RequestException

        try:
            return question()
        except self._refused as refusal:
            status = getattr(refusal, "status_code", None)
            if status is None or status >= 500 or status == 429:
                raise ConnectionError(f"Alpaca answered {status}: {_message(refusal)}") from None
            raise
        except RequestException as problem:
            raise ConnectionError(f"Alpaca gave no answer: {type(problem).__name__}") from None

    def _request(self, order: Order) -> JsonObject:
        stop = order.stop_price
        limit, kind = order.limit_price, "limit" if order.limit_price is not None else "market"
        if order.kind == "guard":
            limit, kind = (order.target_price, "limit") if stop is None else (None, "stop")
        return {
            "symbol": self._symbols[order.instrument_id], "qty": str(abs(order.quantity)), "type": kind,
            "side": "buy" if order.quantity > 0 else "sell", "client_order_id": order.order_id,
            "time_in_force": "opg" if order.kind == "open" and not order.reduce_only else "day",
            **({"limit_price": in_ticks(limit, order.quantity)} if limit is not None else {}),
            **({"stop_price": in_ticks(stop, order.quantity)} if kind == "stop" and stop is not None else {}),
        }

    def _standing(self, told: JsonObject) -> Standing:
        side = 1 if told["side"] == "buy" else -1
        self._ids[told["client_order_id"]] = str(told["id"])
        at = told.get("filled_at") or told.get("updated_at")
        state = ENDED.get(told["status"], "OPEN")
        symbol = str(told["symbol"])
        return Standing(
            str(told["client_order_id"]), self._instruments.get(symbol, symbol),
            side * int(float(told["qty"] or 0)), state, side * int(float(told["filled_qty"])),
            float(told["filled_avg_price"] or 0.0), 0.0, to_us(dt.datetime.fromisoformat(at)) if at else 0,
            "" if state in {"OPEN", "FILLED"} else str(told["status"]))


def _message(refusal: Exception) -> str:
    try:
        return str(refusal.message)  # type: ignore[attr-defined]
    except (ValueError, KeyError, AttributeError):
        return str(refusal)[:200]
